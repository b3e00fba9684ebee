//! What another site makes a browser send.

use crate::support::request::Request;
use crate::support::routes::{Place, pages};
use crate::support::{Portal, on_both};

on_both![
    no_page_takes_a_post_from_another_site,
    the_set_up_takes_no_post_from_another_site,
    whatever_the_method_another_site_is_refused_first,
    the_portal_itself_and_the_person_may_post,
    a_page_may_be_opened_from_another_site,
    the_public_address_is_the_origin_and_not_the_host,
];

fn foreign<'p>(request: Request<'p>, portal: &Portal) -> Vec<(String, Request<'p>)> {
    let own = format!("http://{}", portal.host());
    let cases: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![("sec-fetch-site", "cross-site".into())],
        vec![("sec-fetch-site", "same-site".into())],
        vec![("sec-fetch-site", String::new())],
        vec![("sec-fetch-site", "SAME-ORIGIN".into())],
        vec![("sec-fetch-site", "same-origin, cross-site".into())],
        vec![("sec-fetch-site", "cross-site".into()), ("origin", own.clone())],
        vec![("sec-fetch-site", "same-origin".into()), ("sec-fetch-site", "cross-site".into())],
        vec![("origin", "null".into())],
        vec![("origin", "https://evil.example".into())],
        vec![("origin", format!("{own}.evil.example"))],
        vec![("origin", own.replace("http://", "https://"))],
        vec![("origin", format!("{own}/"))],
        vec![("origin", own.clone()), ("origin", "https://evil.example".into())],
        vec![("referer", format!("{own}/profile"))],
    ];
    let with = |headers: Vec<(&str, String)>| {
        let request = headers.iter().fold(request.clone(), |request, (name, value)| request.header(name, value));
        (format!("{headers:?}"), request)
    };
    cases.into_iter().map(with).collect()
}

fn no_page_takes_a_post_from_another_site(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("another site", || {
        for path in pages("POST", &Place::of(&token)) {
            let request = browser.foreign_request("POST", &path).form(&[("username", "ada"), ("name", "x")]);
            for (what, request) in foreign(request, &portal) {
                let answer = request.send();
                assert_eq!(answer.status, 403, "{path} with {what}");
                assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
                answer.page().says("This request does not come from a page of this portal.");
            }
        }
    });
    assert!(browser.is_signed_in());
}

fn the_set_up_takes_no_post_from_another_site(portal: Portal) {
    let code = portal.setup_code.clone().expect("there is no user yet");
    let fields = [
        ("code", code.as_str()),
        ("username", "eve"),
        ("display_name", "Eve"),
        ("email", "eve@example.org"),
        ("password", "zwölf blaue Elefanten"),
    ];
    let request = portal.request("POST", "/setup").form(&fields);
    for (what, request) in foreign(request, &portal) {
        assert_eq!(request.send().status, 403, "{what}");
    }
    assert_eq!(portal.count("users"), 0);
}

fn whatever_the_method_another_site_is_refused_first(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for path in ["/profile", "/login", "/nowhere"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            browser.send(browser.foreign_request(method, path)).with(403);
        }
    }
}

fn the_portal_itself_and_the_person_may_post(portal: Portal) {
    let ada = portal.user("ada");
    let own = format!("http://{}", portal.host());
    let localhost = format!("http://localhost:{}", portal.address.port());
    for (name, value) in
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", &own), ("origin", &localhost)]
    {
        let browser = ada.sign_in();
        let request = browser.foreign_request("POST", "/logout").form(&[("", ""); 0]);
        browser.send(request.header(name, value)).with(303);
    }
}

fn a_page_may_be_opened_from_another_site(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for method in ["GET", "HEAD"] {
        let request = browser.foreign_request(method, "/profile").header("sec-fetch-site", "cross-site");
        browser.send(request.header("origin", "https://evil.example")).with(200);
    }
}

fn the_public_address_is_the_origin_and_not_the_host(portal: Portal) {
    portal.user("ada");
    let portal = portal.restarted(crate::support::portal::https);
    let fields = [("username", "ada"), ("password", crate::support::PASSWORD), ("next", "/")];
    let sign_in = |origin: &str| portal.request("POST", "/login").header("origin", origin).form(&fields).send();
    sign_in("http://tokens.example.org").with(403);
    sign_in("https://tokens.example.org:8443").with(403);
    sign_in(&format!("http://{}", portal.address)).with(403);
    sign_in("https://tokens.example.org").with(303);
}
