//! Our own cookies: read from the header in their exact spelling only, and signed.
//!
//! All carry the `__Host-` prefix: no other host can set them, they need no network that can be listened to.

use actix_web::cookie::{Cookie, CookieJar, Key, SameSite};
use actix_web::http::header;
use actix_web::http::header::HeaderMap;

pub const SESSION: &str = "__Host-th_session";
/// A notice for the next page.
pub const NOTICE: &str = "__Host-th_notice";
/// Remembers who signed in from this browser, so that guessing elsewhere does not slow them down.
pub const DEVICE: &str = "__Host-th_device";
/// Keeps a page with a secret out of the back-forward cache, without JavaScript too: browsers drop a `no-store` page
/// when such a cookie changes, with its own answer or later. One that is only made does not count, so it is always there.
pub const NAVIGATION: &str = "__Host-th_nav";
/// Its value on all other pages.
pub const AT_REST: &str = "0";

pub const OURS: [&str; 4] = [SESSION, NOTICE, DEVICE, NAVIGATION];

/// The raw pairs of all Cookie headers.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(|pair| pair.trim_matches([' ', '\t']))
}

/// The value of the cookie of this very name.
pub fn raw<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    pairs(headers).find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == name).map(|(_, value)| value))
}

/// The value of a cookie that we signed.
pub fn signed(headers: &HeaderMap, name: &'static str, key: &Key) -> Option<String> {
    let encoded = raw(headers, name)?;
    let value = percent_encoding::percent_decode_str(encoded).decode_utf8().ok()?;
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::new(name, value.into_owned()));
    let bound = jar.signed(key).get(name)?.value().to_owned();
    bound.strip_prefix(name)?.strip_prefix('=').map(str::to_owned)
}

/// A cookie for the whole portal. Without an age it goes with the browser's session.
pub fn make(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).finish()
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

/// The header value that removes a cookie.
pub fn removal(name: &'static str) -> String {
    let mut cookie = make(name, String::new());
    cookie.make_removal();
    cookie.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_signed_cookie_is_read_back_and_a_changed_one_is_not() {
        let key = Key::from(&[7; 64]);
        let header = sign(make(NOTICE, "Token “ci” was revoked.".into()), &key).unwrap();
        let pair = header.split(';').next().unwrap().to_owned();
        let read = |pair: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(pair).unwrap());
            signed(&headers, NOTICE, &key)
        };
        assert_eq!(read(&pair).as_deref(), Some("Token “ci” was revoked."));
        assert_eq!(read(&pair.replace("revoked", "created")), None);
        assert_eq!(read("__Host-th_notice=hello"), None);
        let other = sign(make(DEVICE, "x".into()), &key).unwrap().replacen(DEVICE, NOTICE, 1);
        assert_eq!(read(other.split(';').next().unwrap()), None);
        assert!(header.contains("HttpOnly") && header.contains("Secure") && header.contains("SameSite=Lax"));
    }
}
