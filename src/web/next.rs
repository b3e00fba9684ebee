//! Where to go after signing in: a page of this portal and nowhere else.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;

use super::routes::{ROUTES, Scope};
use super::urls;

const LONGEST: usize = 2_000;

/// Patterns of the pages, compiled once: that takes longer than a request may.
static PAGES: LazyLock<Vec<ResourceDef>> = LazyLock::new(|| {
    let pages = ROUTES.iter().filter(|route| route.scope == Scope::Pages && route.method == "GET");
    pages.map(|route| ResourceDef::new(route.path)).collect()
});

/// Compiles the patterns, so that no request has to.
pub fn prepare() {
    LazyLock::force(&PAGES);
}

/// `next` if it is the address of one of our pages, else the start page.
pub fn page_or_start(next: &str) -> String {
    if is_page(next) { next.to_owned() } else { urls::ROOT.to_owned() }
}

fn is_page(next: &str) -> bool {
    let plain = next.len() <= LONGEST
        && next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte));
    let path = next.split('?').next().unwrap_or_default();
    let elsewhere = [urls::LOGIN, urls::LOGOUT, urls::SETUP, urls::REAUTHENTICATE, urls::SET_PASSWORD];
    plain && !elsewhere.contains(&path) && PAGES.iter().any(|page| page.is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pages_of_the_portal_are_kept() {
        for next in
            ["/", "/profile", "/profile/api-tokens?status=revoked", "/profile/api-tokens/new?name=a%20b&expiry=7"]
        {
            assert_eq!(page_or_start(next), next);
        }
    }

    #[test]
    fn everything_else_leads_to_the_start() {
        for next in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "https:evil",
            "/%5cevil",
            "/%09/evil",
            "/@evil",
            "/profile\r\nX: y",
            "/profile\\..",
            "/profile#x",
            "/login",
            "/logout",
            "/set-password?code=x",
            "/api/v1/me",
            "/static/x",
            "/nowhere",
            "javascript:alert(1)",
            "/profile∕x",
            &format!("/profile?{}", "x".repeat(4_000)),
        ] {
            assert_eq!(page_or_start(next), "/", "{next}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leads_to_another_origin(next in ".{0,40}") {
            let location = page_or_start(&next);
            prop_assert!(location.starts_with('/') && !location.starts_with("//") && !location.contains('\\'));
        }
    }
}
