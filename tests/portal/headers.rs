//! What every answer carries, errors too.

use tokenhouse::web::assets;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::portal::https;
use crate::support::routes::Place;
use crate::support::{Answer, PASSWORD, Portal, on_both};

const ALWAYS: [(&str, &str); 9] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), clipboard-read=()"),
    ("x-robots-tag", "noindex"),
    ("x-permitted-cross-domain-policies", "none"),
];

on_both![
    every_answer_of_every_route_carries_them,
    errors_carry_them_too,
    only_static_files_are_kept,
    https_is_insisted_on_where_it_is_the_public_address,
    every_answer_has_a_number_of_its_own,
    static_files_are_kept_for_ever_and_compressed,
    a_page_is_not_compressed,
    a_page_loads_nothing_from_elsewhere,
];

const BY_NOBODY: &str = "no-store";

/// For how long an answer may be kept: files never change, keys rarely, and all else is of the moment.
fn kept(path: &str) -> &'static str {
    match path {
        "/.well-known/jwks.json" => "public, max-age=60",
        path if path.starts_with("/static/") => "public, max-age=31536000, immutable",
        _ => BY_NOBODY,
    }
}

#[track_caller]
fn check(answer: &Answer, kept: &str) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert_eq!(answer.header("cache-control"), Some(kept), "{answer:?}");
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() >= 8), "{answer:?}");
    for name in ["server", "x-powered-by", "access-control-allow-origin", "strict-transport-security"] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
}

fn every_answer_of_every_route_carries_them(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let (browser, visitor) = (ada.sign_in(), portal.visitor());
    for route in ROUTES {
        let path = Place::of(&token).path(route.path);
        for someone in [&browser, &visitor] {
            for method in ["GET", "HEAD", "POST", "DELETE"] {
                let mut request = someone.request(method, &path);
                if method == "POST" {
                    request = request.form(&[("unknown", "field")]);
                }
                let answer = someone.send(request);
                check(&answer, if answer.status == 200 { kept(route.path) } else { BY_NOBODY });
            }
        }
        let answer = portal.request("GET", &path).bearer(&token.secret).send();
        if route.scope == Scope::Forward && answer.status == 200 {
            // A proxy alone reads it.
            assert_eq!(answer.header("cache-control"), Some(BY_NOBODY), "{answer:?}");
        } else {
            check(&answer, kept(route.path));
        }
    }
    let revealed = browser.submit(&browser.token_form("new")).location().to_owned();
    check(&browser.open(&revealed).with(200), BY_NOBODY);
}

fn errors_carry_them_too(portal: Portal) {
    portal.user("ada");
    let visitor = portal.visitor().at("203.0.113.7");
    let request = |method: &str, path: &str| visitor.request(method, path);
    for (request, status) in [
        (request("GET", "/nowhere"), 404),
        (request("GET", "/api/nowhere"), 404),
        (request("GET", "/static/nowhere"), 404),
        (request("GET", "/setup"), 404),
        (request("GET", "/api/v1/me"), 401),
        (request("GET", "/login").header("host", "evil.example"), 421),
        (request("GET", "/login").header("cookie", format!("{}=x", portal.cookies().session.to_uppercase())), 400),
        (visitor.foreign_request("POST", "/login"), 403),
        (request("POST", "/login"), 415),
        (request("POST", "/login").form(&[("username", "x".repeat(70_000))]), 413),
        (request("POST", "/login").form(&[("username", "ada"), ("password", "x")]), 401),
        (request("PUT", "/login"), 405),
        (request("GET", &format!("/login?{}", "x".repeat(5_000))), 414),
        (request("GET", "/login").header("x-padding", "x".repeat(20_000)), 431),
        (request("GET", "/profile/api-tokens/%ff"), 303),
    ] {
        check(&request.send().with(status), BY_NOBODY);
    }
    for number in 0..10 {
        visitor.try_sign_in(&format!("nobody{number}"), "x");
    }
    check(&visitor.try_sign_in("ada", PASSWORD).with(429), BY_NOBODY);
}

fn only_static_files_are_kept(portal: Portal) {
    let css = assets::PORTAL_CSS.path;
    check(&portal.request("GET", css).send().with(200), kept(css));
    check(&portal.request("GET", &format!("{css}x")).send().with(404), BY_NOBODY);
    check(&portal.request("POST", css).send().with(405), BY_NOBODY);
}

fn https_is_insisted_on_where_it_is_the_public_address(portal: Portal) {
    let portal = portal.restarted(https);
    for path in ["/login", "/api/v1/me", "/healthz", "/nowhere", assets::PORTAL_CSS.path] {
        let answer = portal.request("GET", path).send();
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"), "{path}");
    }
}

fn every_answer_has_a_number_of_its_own(portal: Portal) {
    let visitor = portal.visitor();
    let numbers: Vec<String> = (0..5)
        .map(|_| {
            let request = visitor.request("GET", "/nowhere").header("x-request-id", "chosen-by-a-stranger");
            let answer = request.send().with(404);
            let number = answer.header("x-request-id").expect("it has one").to_owned();
            answer.page().says(&format!("Error 404, request {number}"));
            number
        })
        .collect();
    let mut different = numbers.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5, "{numbers:?}");
    assert!(!numbers.contains(&"chosen-by-a-stranger".to_owned()));
}

fn static_files_are_kept_for_ever_and_compressed(portal: Portal) {
    for asset in [assets::PORTAL_CSS, assets::PORTAL_JS, assets::ICONS_SVG, assets::FAVICON_SVG] {
        let plain = portal.request("GET", asset.path).send().with(200);
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(plain.header("content-type"), Some(asset.content_type));
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
        assert_eq!(plain.body, asset.bytes);
        for accepted in ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8"] {
            let answer = portal.request("GET", asset.path).header("accept-encoding", accepted).send().with(200);
            assert_eq!(answer.header("content-encoding"), Some("gzip"));
            assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
            assert!(answer.body.len() < plain.body.len() && answer.body.starts_with(b"\x1f\x8b"));
        }
        for refused in ["", "br", "identity", "gzipped", "gzip;q=0"] {
            let answer = portal.request("GET", asset.path).header("accept-encoding", refused).send().with(200);
            assert_eq!(answer.header("content-encoding"), None, "{refused:?}");
        }
        let head = portal.request("HEAD", asset.path).send().with(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), Some(asset.bytes.len().to_string().as_str()));
    }
}

fn a_page_is_not_compressed(portal: Portal) {
    let answer = portal.visitor().request("GET", "/login").header("accept-encoding", "gzip, br, deflate").send();
    assert_eq!(answer.with(200).header("content-encoding"), None, "a secret beside what a stranger chose would leak");
}

fn a_page_loads_nothing_from_elsewhere(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let revealed = browser.submit(&browser.token_form("new")).location().to_owned();
    for path in [
        "/login",
        "/profile",
        "/profile/api-tokens",
        "/profile/api-tokens/new",
        "/nowhere",
        &revealed,
        &token.path(),
        &token.page("rotation"),
    ] {
        let page = browser.open(path).page();
        for element in page.all("[src], link[href], use[href], form[action]") {
            let attributes = ["src", "href", "action"].into_iter().filter_map(|name| element.attr(name));
            for address in attributes {
                assert!(address.starts_with('/') && !address.starts_with("//"), "{path}: {address}");
                if address.starts_with("/static/") {
                    let file = address.split('#').next().unwrap_or_default();
                    portal.request("GET", file).send().with(200);
                }
            }
        }
        assert!(
            page.all("[style], style, script:not([src]), [onclick], [onload], [onerror], iframe, object").is_empty(),
            "{path}"
        );
        assert_eq!(page.all("html[lang=en]").len(), 1);
        let ids: Vec<_> = page.all("[id]").iter().filter_map(|element| element.attr("id")).map(str::to_owned).collect();
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{path} has an id twice: {ids:?}");
    }
}
