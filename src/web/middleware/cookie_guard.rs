//! Refuses cookies that only look like ours. The framework decodes and trims the names of cookies, so that `__Host%2Dx`,
//! which any neighbouring host may set, would be taken for `__Host-x`, which none may.

use actix_web::http::header::{self, HeaderMap};
use percent_encoding::percent_decode_str;

use crate::web::cookies::{OURS, pairs};

/// Whether no Cookie header holds a foreign spelling of one of our names, one of our cookies twice, or other than ASCII.
pub fn passes(headers: &HeaderMap) -> bool {
    if headers.get_all(header::COOKIE).any(|value| !value.as_bytes().is_ascii()) {
        return false;
    }
    let mut seen = [false; OURS.len()];
    for pair in pairs(headers) {
        let name = pair.split('=').next().unwrap_or_default();
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        let Some(which) = OURS.iter().position(|own| own.eq_ignore_ascii_case(decoded.trim())) else { continue };
        if name != OURS[which] || seen[which] {
            return false;
        }
        seen[which] = true;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn with(cookies: &[&[u8]]) -> bool {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        passes(&headers)
    }

    #[test]
    fn ordinary_cookies_pass() {
        assert!(with(&[]));
        assert!(with(&[b"__Host-th_session=abc; theme=dark; __Host-th_notice=x%20y"]));
    }

    #[test]
    fn other_spellings_of_our_names_and_doubles_are_refused() {
        for cookies in [
            &[b"__Host%2Dth_session=x".as_slice()][..],
            &[b"%5F%5FHost-th_session=x"],
            &[b"__host-th_session=x"],
            &["\u{2000}__Host-th_session=x".as_bytes()],
            &["\u{a0}__Host-th_session=x".as_bytes()],
            &[b"%E2%80%80__Host-th_session=x"],
            &[b"__Host-th_session =x"],
            &[b"__Host-th_session=a; __Host-th_session=b"],
            &[b"__Host-th_session=a", b"__Host-th_session=b"],
            &[b"a=1; __Host%2Dth_device=x"],
        ] {
            assert!(!with(cookies), "{cookies:?}");
        }
    }
}
