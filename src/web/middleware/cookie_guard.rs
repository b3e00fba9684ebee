//! Keeps other sites' cookies away from the framework, which decodes and trims the names of cookies: `__Host%2Dx`, which
//! any neighbouring host may set, would pass for `__Host-x`, which none may. And one header that is not UTF-8 would hide
//! all cookies.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use percent_encoding::percent_decode;

use crate::web::cookies::{OwnCookies, pairs};

/// A pair has one of our names in another spelling, or one of our cookies is there twice.
#[derive(Debug, PartialEq, Eq)]
pub struct ImitatedCookie;

/// Reduces the Cookie headers to our own cookies.
pub fn keep_own(headers: &mut HeaderMap, own: &OwnCookies) -> Result<(), ImitatedCookie> {
    let names = own.names();
    let mut seen = [false; 4];
    let mut kept = Vec::new();
    for pair in pairs(headers) {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        let decoded = percent_decode(name).decode_utf8_lossy();
        let Some(which) = names.iter().position(|own| own.eq_ignore_ascii_case(decoded.trim())) else { continue };
        if name != names[which].as_bytes() || seen[which] {
            return Err(ImitatedCookie);
        }
        seen[which] = true;
        // We set ASCII only.
        if pair.is_ascii() {
            kept.push(pair);
        }
    }
    let value = HeaderValue::from_bytes(&kept.join(&b"; "[..]));
    headers.remove(header::COOKIE);
    if let Ok(value) = value
        && !value.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PublicUrl;

    /// What is left of these Cookie headers on an instance at this address.
    fn kept_at(public_url: &str, cookies: &[&[u8]]) -> Result<Option<String>, ImitatedCookie> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        keep_own(&mut headers, &OwnCookies::of(&PublicUrl::parse(public_url).unwrap()))?;
        assert!(headers.get_all(header::COOKIE).count() <= 1);
        Ok(headers.get(header::COOKIE).map(|value| value.to_str().unwrap().to_owned()))
    }

    fn kept(cookies: &[&[u8]]) -> Result<Option<String>, ImitatedCookie> {
        kept_at("https://tokens.example.org", cookies)
    }

    #[test]
    fn cookies_of_other_sites_are_removed() {
        assert_eq!(kept(&[]), Ok(None));
        let ours = Ok(Some("__Host-th_session=abc; __Host-th_notice=x%20y".to_owned()));
        assert_eq!(kept(&[b"__Host-th_session=abc; theme=dark; __Host-th_notice=x%20y"]), ours);
        assert_eq!(kept(&["analytics=Undersøgelse;__Host-th_session=abc".as_bytes(), b"__Host-th_notice=x%20y"]), ours);
        assert_eq!(kept(&[b"__Host-th_session=abc; \xff\xfe=\xe4; ;;=; a", b"\xf8; \t__Host-th_notice=x%20y"]), ours);
        assert_eq!(kept(&[b"a=1", b"th_session_8080=x; __Host-th_session_8443=x; th_session=x"]), Ok(None));
    }

    #[test]
    fn own_cookie_with_bytes_beyond_ascii_is_removed() {
        assert_eq!(kept(&[b"__Host-th_session=\xe4; __Host-th_nav=0"]), Ok(Some("__Host-th_nav=0".into())));
    }

    #[test]
    fn other_spellings_of_own_names_and_duplicates_are_refused() {
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
            &[b"__Host-th_session=a; __Host-th_session=\xff"],
            &[b"a=1; __Host%2Dth_device=x"],
            &["a=ø; __Host%2Dth_device=x".as_bytes()],
        ] {
            assert_eq!(kept(cookies), Err(ImitatedCookie), "{cookies:?}");
        }
        let at = "http://127.0.0.1:8080";
        assert_eq!(kept_at(at, &[b"th_session_8080=a; TH_session_8080=b"]), Err(ImitatedCookie));
        assert_eq!(kept_at(at, &[b"th_session_8080=a; th_session_9090=b"]), Ok(Some("th_session_8080=a".into())));
    }
}
