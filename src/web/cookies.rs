//! Our own cookies: their names, how they are set, signed and read.

use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::http::header::{self, HeaderMap};

use crate::config::PublicUrl;

/// Value of the navigation cookie on all pages but those that show a secret.
pub const AT_REST: &str = "0";

/// The names of our cookies, and whether they are `Secure`.
///
/// With https they have the prefix `__Host-`: no other host can set them. With http, which is accepted on loopback
/// only, they have neither prefix nor `Secure`: WebKit stores no `Secure` cookie of an http page there.
/// Browsers send a cookie to every port of its host (RFC 6265, section 8.5), so a name contains the port: two instances
/// on one host do not overwrite each other's session.
#[derive(Debug, Clone)]
pub struct OwnCookies {
    pub session: String,
    /// A notice for the next page.
    pub notice: String,
    /// Remembers who signed in from this browser, so that guessing elsewhere does not slow them down.
    pub device: String,
    /// Keeps a page with a secret out of the back-forward cache, without JavaScript too: browsers drop a `no-store` page
    /// when such a cookie changes, with its own answer or later. A new cookie does not count, so it is always there.
    pub navigation: String,
    pub secure: bool,
}

impl OwnCookies {
    pub fn of(public_url: &PublicUrl) -> Self {
        let secure = public_url.is_https();
        let prefix = if secure { "__Host-" } else { "" };
        let suffix = match public_url.port() {
            443 if secure => String::new(),
            port => format!("_{port}"),
        };
        let name = |name: &str| format!("{prefix}th_{name}{suffix}");
        Self {
            session: name("session"),
            notice: name("notice"),
            device: name("device"),
            navigation: name("nav"),
            secure,
        }
    }

    pub fn names(&self) -> [&str; 4] {
        [&self.session, &self.notice, &self.device, &self.navigation]
    }

    /// A cookie for all pages. Without an age it ends with the browser's session.
    pub fn make(&self, name: &str, value: String) -> Cookie<'static> {
        Cookie::build(name.to_owned(), value)
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish()
    }

    /// The header value that removes a cookie.
    pub fn removal(&self, name: &str) -> String {
        let mut cookie = self.make(name, String::new());
        cookie.make_removal();
        cookie.to_string()
    }
}

/// The pairs of all Cookie headers, as bytes: other sites on this host may have set anything.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|&byte| byte == b';')).map(trim)
}

fn trim(mut pair: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = pair {
        pair = rest;
    }
    pair
}

/// The value of the cookie with exactly this name.
pub fn raw<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    pairs(headers)
        .find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        .and_then(|value| std::str::from_utf8(value).ok())
}

/// The value of a cookie that we signed.
pub fn signed(headers: &HeaderMap, name: &str, key: &Key) -> Option<String> {
    let encoded = raw(headers, name)?;
    let value = percent_encoding::percent_decode_str(encoded).decode_utf8().ok()?;
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::new(name.to_owned(), value.into_owned()));
    let bound = jar.signed(key).get(name)?.value().to_owned();
    bound.strip_prefix(name)?.strip_prefix('=').map(str::to_owned)
}

/// The header value that sets `cookie`, signed. The name is in the value, because the signature covers that alone: what
/// was signed for one cookie must not pass for another.
pub fn sign(mut cookie: Cookie<'static>, key: &Key) -> Option<String> {
    let bound = format!("{}={}", cookie.name(), cookie.value());
    cookie.set_value(bound);
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(cookie);
    jar.delta().next().map(|cookie| cookie.encoded().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn own(public_url: &str) -> OwnCookies {
        OwnCookies::of(&PublicUrl::parse(public_url).unwrap())
    }

    #[test]
    fn signed_cookie_is_read_back_and_changed_one_is_not() {
        let key = Key::from(&[7; 64]);
        let own = own("https://tokens.example.org");
        let header = sign(own.make(&own.notice, "Token “ci” was revoked.".into()), &key).unwrap();
        let pair = header.split(';').next().unwrap().to_owned();
        let read = |pair: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(pair).unwrap());
            signed(&headers, &own.notice, &key)
        };
        assert_eq!(read(&pair).as_deref(), Some("Token “ci” was revoked."));
        assert_eq!(read(&pair.replace("revoked", "created")), None);
        assert_eq!(read("__Host-th_notice=hello"), None);
        let other = sign(own.make(&own.device, "x".into()), &key).unwrap().replacen(&own.device, &own.notice, 1);
        assert_eq!(read(other.split(';').next().unwrap()), None);
        assert!(header.contains("HttpOnly") && header.contains("Secure") && header.contains("SameSite=Lax"));
    }

    #[test]
    fn cookie_names_follow_scheme_and_port() {
        for (public_url, session) in [
            ("https://tokens.example.org", "__Host-th_session"),
            ("https://tokens.example.org:443", "__Host-th_session"),
            ("https://localhost:8443", "__Host-th_session_8443"),
            ("http://127.0.0.1:8080", "th_session_8080"),
            ("http://localhost", "th_session_80"),
        ] {
            let own = own(public_url);
            assert_eq!(own.session, session);
            let cookie = own.make(&own.session, "x".into()).to_string();
            assert_eq!(cookie.contains("Secure"), public_url.starts_with("https"), "{cookie}");
        }
    }
}
