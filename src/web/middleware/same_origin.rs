//! Refuses what another site makes a browser send. By header alone: `Sec-Fetch-Site` where the browser sends it, else `Origin`.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};

use crate::config::PublicUrl;

/// Whether an unsafe request comes from a page of this portal, or from the person directly.
pub fn passes(method: &Method, headers: &HeaderMap, public_url: &PublicUrl) -> bool {
    if [Method::GET, Method::HEAD].contains(method) {
        return true;
    }
    let mut sites = headers.get_all("sec-fetch-site");
    match (sites.next(), sites.next()) {
        (Some(site), None) => site == "same-origin" || site == "none",
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut origins = headers.get_all(header::ORIGIN);
            match (origins.next(), origins.next()) {
                (Some(origin), None) => origin.to_str().is_ok_and(|origin| public_url.is_origin(origin)),
                _ => false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn post(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        passes(&Method::POST, &headers, &PublicUrl::parse("https://tokens.example.org").unwrap())
    }

    #[test]
    fn only_the_portal_itself_and_the_person_may_post() {
        assert!(post(&[("sec-fetch-site", "same-origin")]));
        assert!(post(&[("sec-fetch-site", "none")]));
        assert!(post(&[("origin", "https://tokens.example.org")]));
        for refused in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://tokens.example.org")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example.org")],
            &[("origin", "http://tokens.example.org")],
            &[("origin", "null")],
            &[("origin", "https://tokens.example.org"), ("origin", "https://evil.example")],
        ] {
            assert!(!post(refused), "{refused:?}");
        }
    }
}
