//! Who is at the other end of the connection, believing proxies only where they are trusted.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use super::error::{Failure, PageFailure};
use super::forwarded::{Forwarded, Hop, is_warning_due};
use super::portal::{Portal, Settings};

/// The other end of a request.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub address: IpAddr,
    /// Whether that is a trusted proxy, which has not said whom it speaks for: many clients may be behind it.
    pub is_proxy: bool,
    /// Whether nobody on the way can read along: all of it is on loopback, or a trusted proxy says https.
    pub private: bool,
}

impl Client {
    pub fn of(request: &HttpRequest, settings: &Settings) -> Self {
        let peer = peer(request);
        let trusts = |address: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(&address));
        if !trusts(peer) {
            return Self { address: peer, is_proxy: false, private: peer.is_loopback() };
        }
        let forwarded = Forwarded::of(request.headers());
        // The right-most hop that is no proxy of ours; what is further left may be made up.
        let (mut address, mut unreadable) = (peer, forwarded.unreadable_scheme);
        for hop in forwarded.hops.iter().rev() {
            match hop {
                Hop::Address(hop) => address = *hop,
                // Only the proxy that wrote it knows; its address is the nearest there is.
                Hop::Hidden => break,
                Hop::Unreadable => {
                    unreadable = true;
                    break;
                }
            }
            if !trusts(address) {
                break;
            }
        }
        let is_proxy = trusts(address);
        if unreadable && is_warning_due() {
            tracing::warn!(
                proxy = %peer,
                "a trusted proxy sends X-Forwarded-For, X-Forwarded-Proto or Forwarded with a value that cannot be read: \
                 its clients count as the proxy itself; check its configuration"
            );
        }
        // On plain HTTP the proxy must be on loopback, and say that everything before it is, too.
        let is_local = |hop: &Hop| matches!(hop, Hop::Address(address) if address.is_loopback());
        let hops = &forwarded.hops;
        let local = peer.is_loopback() && hops.iter().all(is_local) && (!hops.is_empty() || !forwarded.announced);
        let private = match forwarded.https {
            Some(true) => true,
            Some(false) => local && !hops.is_empty(),
            None => local,
        };
        Self { address, is_proxy, private }
    }

    /// Credentials travel only where nobody reads along.
    pub fn require_private(&self) -> Result<(), Failure> {
        if self.private { Ok(()) } else { Err(Failure::PlainHttp) }
    }
}

impl FromRequest for Client {
    type Error = PageFailure;
    type Future = Ready<Result<Self, PageFailure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let portal = request.app_data::<web::Data<Portal>>();
        ready(
            portal
                .map(|portal| Self::of(request, &portal.settings))
                .ok_or_else(|| Failure::Internal("no portal in the application".into()).into()),
        )
    }
}

/// The address at the other end of the socket.
pub fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip().to_canonical())
}

/// Whether a proxy that we trust is at the other end of the socket.
pub fn is_proxy(request: &HttpRequest, settings: &Settings) -> bool {
    let peer = peer(request);
    settings.trusted_proxies.iter().any(|network| network.contains(&peer))
}

/// What the client says it is; may be long.
pub fn agent(request: &HttpRequest) -> &str {
    request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PublicUrl;
    use crate::domain::session::Lifetimes;
    use actix_web::test::TestRequest;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let settings = Settings {
            instance_name: String::new(),
            public_url: PublicUrl::of_listener("127.0.0.1:1".parse().unwrap()).unwrap(),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.0/8".parse().unwrap()],
            max_api_tokens: 5,
            oci_service: "registry".into(),
            oci_token_seconds: 300,
            lifetimes: Lifetimes { idle: 1, absolute: 1, reauthentication: 1 },
        };
        let mut request = TestRequest::default().peer_addr(format!("{peer}:4000").parse().unwrap());
        for header in headers {
            request = request.append_header(*header);
        }
        Client::of(&request.to_http_request(), &settings)
    }

    #[test]
    fn a_stranger_cannot_choose_its_address_or_claim_https() {
        let client = client("192.0.2.1", &[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")]);
        assert_eq!(client.address.to_string(), "192.0.2.1");
        assert!(!client.private && !client.is_proxy);
    }

    #[test]
    fn behind_trusted_proxies_the_right_most_stranger_is_the_client() {
        let hops = "198.51.100.9, 203.0.113.7, 10.0.0.2";
        let client = client("10.0.0.1", &[("x-forwarded-for", hops), ("x-forwarded-proto", "https")]);
        assert_eq!(client.address.to_string(), "203.0.113.7");
        assert!(client.private && !client.is_proxy);
    }

    #[test]
    fn address_with_port_brackets_or_quotes_is_the_client() {
        for (header, value, address) in [
            ("x-forwarded-for", "203.0.113.66:40001", "203.0.113.66"),
            ("x-forwarded-for", "198.51.100.9, [2001:db8::1]:443, , 10.0.0.2:80", "2001:db8::1"),
            ("x-forwarded-for", "\"[2001:db8::1]\",", "2001:db8::1"),
            ("forwarded", "for=198.51.100.9, for=\"[2001:db8::1]:4711\";proto=https, For=10.0.0.2", "2001:db8::1"),
            ("forwarded", "for=203.0.113.66;by=_proxy", "203.0.113.66"),
            // Whoever `unknown` is may have made up what is further left.
            ("forwarded", "for=198.51.100.9, for=unknown, for=10.0.0.2", "10.0.0.2"),
            ("forwarded", "for=198.51.100.9, for=_hidden", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[(header, value)]).address.to_string(), address, "{header}: {value}");
        }
        assert_eq!(client("192.0.2.1", &[("forwarded", "for=203.0.113.66")]).address.to_string(), "192.0.2.1");
    }

    #[test]
    fn scheme_of_a_proxy_is_read_in_any_case() {
        for scheme in ["https", "HTTPS", "wss", "Wss"] {
            assert!(client("10.0.0.1", &[("x-forwarded-proto", scheme)]).private, "{scheme}");
            assert!(client("10.0.0.1", &[("forwarded", &format!("for=x;proto={scheme}"))]).private, "{scheme}");
        }
        for scheme in ["http", "HTTP", "ws", "gopher", "https, http"] {
            assert!(!client("127.0.0.1", &[("x-forwarded-proto", scheme)]).private, "{scheme}");
        }
        assert!(!client("127.0.0.1", &[("forwarded", "for=203.0.113.7")]).private);
        assert!(!client("192.0.2.1", &[("forwarded", "proto=https")]).private);
    }

    #[test]
    fn nonsense_from_a_proxy_leaves_the_proxy_itself() {
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "unknown")]).address.to_string(), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]).address.to_string(), "10.0.0.1");
        assert!(client("10.0.0.1", &[]).is_proxy);
        assert!(!client("10.0.0.1", &[("x-forwarded-proto", "http")]).private);
    }

    #[test]
    fn on_loopback_a_proxy_that_says_http_or_nothing_is_not_private() {
        assert!(client("127.0.0.1", &[]).private);
        assert!(client("127.0.0.1", &[("x-forwarded-proto", "https")]).private);
        assert!(!client("127.0.0.1", &[("x-forwarded-proto", "http")]).private);
        assert!(!client("127.0.0.1", &[("x-forwarded-for", "203.0.113.7")]).private);
    }

    #[test]
    fn client_on_loopback_behind_proxy_on_loopback_is_private_on_plain_http() {
        for hops in ["127.0.0.1", "::1", "127.0.0.9, ::1"] {
            assert!(client("127.0.0.1", &[("x-forwarded-for", hops), ("x-forwarded-proto", "http")]).private, "{hops}");
            assert!(client("127.0.0.1", &[("x-forwarded-for", hops)]).private, "{hops}");
            assert!(!client("10.0.0.1", &[("x-forwarded-for", hops), ("x-forwarded-proto", "http")]).private, "{hops}");
        }
        for hops in ["203.0.113.7, 127.0.0.1", "127.0.0.1, 203.0.113.7", "127.0.0.1, 10.0.0.1", "unknown", ""] {
            let headers = [("x-forwarded-for", hops), ("x-forwarded-proto", "http")];
            assert!(!client("127.0.0.1", &headers).private, "{hops}");
        }
    }
}
