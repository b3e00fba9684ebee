//! What a trusted proxy says of its client: `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded` (RFC 7239).

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderMap};

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// One member of the list of hops: who sent the request to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    Address(IpAddr),
    /// `unknown`, or an identifier that the proxy made up (RFC 7239, sections 6.2 and 6.3).
    Hidden,
    /// No form of RFC 7239, section 6.
    Unreadable,
}

/// What the headers of one request say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Whether there is any word of a client behind the proxy.
    pub announced: bool,
    /// From the client to the nearest proxy; all but the last may be made up.
    pub hops: Vec<Hop>,
    /// Whether the last proxy got the request over TLS; `None` where it does not say.
    pub https: Option<bool>,
    /// Whether it says a scheme that is none of http, https, ws and wss.
    pub unreadable_scheme: bool,
}

impl Forwarded {
    /// `Forwarded` counts only where neither of the other two is there: a proxy writes one or the other, and passes on
    /// what its client wrote into the one that it does not know.
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(FOR) || headers.contains_key(PROTO) {
            let scheme = members(headers, PROTO).last();
            return Self {
                announced: headers.contains_key(FOR),
                hops: members(headers, FOR).map(Hop::parse).collect(),
                https: headers.contains_key(PROTO).then(|| scheme.and_then(is_https) == Some(true)),
                unreadable_scheme: scheme.is_some_and(|scheme| is_https(scheme).is_none()),
            };
        }
        let mut forwarded = Self { announced: headers.contains_key(header::FORWARDED), ..Self::default() };
        for element in members(headers, header::FORWARDED.as_str()) {
            let parameter = |name: &str| {
                element
                    .split(';')
                    .filter_map(|pair| pair.split_once('='))
                    .find_map(|(own, value)| own.trim().eq_ignore_ascii_case(name).then(|| unquoted(value.trim())))
            };
            // An element without `for` was written by a proxy that does not say.
            forwarded.hops.push(parameter("for").map_or(Hop::Hidden, Hop::parse));
            let https = parameter("proto").map(is_https);
            forwarded.https = https.map(|https| https == Some(true));
            forwarded.unreadable_scheme = https == Some(None);
        }
        forwarded
    }
}

impl Hop {
    /// Reads a node identifier (RFC 7239, section 6). An IPv6 address may do without brackets, as `X-Forwarded-For` has it.
    pub fn parse(text: &str) -> Self {
        let text = unquoted(text.trim());
        if let Some(address) = address(text) {
            return Self::Address(address);
        }
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, "")) => (ipv6(name).map(Self::Address), None),
            Some((name, port)) => (ipv6(name).map(Self::Address), port.strip_prefix(':').or(Some(""))),
            None => match text.split_once(':') {
                Some((name, port)) => (Self::parse_name(name), Some(port)),
                None => (Self::parse_name(text), None),
            },
        };
        if port.is_none_or(is_port) { name.unwrap_or(Self::Unreadable) } else { Self::Unreadable }
    }

    fn parse_name(name: &str) -> Option<Self> {
        match name.parse() {
            Ok(address) => Some(Self::Address(IpAddr::V4(address))),
            Err(_) if name.eq_ignore_ascii_case("unknown") || is_obfuscated(name) => Some(Self::Hidden),
            Err(_) => None,
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().map(|address: IpAddr| address.to_canonical()).ok().or_else(|| ipv6(text))
}

/// With or without a zone, which says on which link of the proxy an address is.
fn ipv6(text: &str) -> Option<IpAddr> {
    let address: Ipv6Addr = text.split('%').next()?.parse().ok()?;
    Some(IpAddr::V6(address).to_canonical())
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()) || is_obfuscated(port)
}

fn is_obfuscated(name: &str) -> bool {
    name.strip_prefix('_').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}

/// Whether a scheme has TLS; `None` where it is unknown.
fn is_https(scheme: &str) -> Option<bool> {
    let is = |names: [&str; 2]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
    match (is(["https", "wss"]), is(["http", "ws"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The members of a header that is a list, over all its lines, without empty ones. No value that a proxy writes has a
/// comma of its own, so quotes need not be followed: a client that opens one cannot hide what the proxy appends.
fn members<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        // What is not UTF-8 is a member nevertheless.
        .map(|member| std::str::from_utf8(member).map_or("?", str::trim))
        .filter(|member| !member.is_empty())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map_or(text, str::trim)
}

/// Whether to warn now: at most once a minute in this process.
pub fn is_warning_due() -> bool {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    LAST.lock().is_ok_and(|mut last| is_due(&mut last, Instant::now()))
}

fn is_due(last: &mut Option<Instant>, now: Instant) -> bool {
    let due = last.is_none_or(|last| now.saturating_duration_since(last) >= WARNING_INTERVAL);
    if due {
        *last = Some(now);
    }
    due
}

#[cfg(test)]
mod tests;
