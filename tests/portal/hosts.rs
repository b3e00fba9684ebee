//! Under which names the portal answers.

use crate::support::portal::https;
use crate::support::routes::{Place, pages};
use crate::support::{PASSWORD, Portal, on_both, raw};

on_both![
    no_page_answers_under_another_host,
    forwarded_hosts_are_passed_over,
    an_absolute_address_of_another_host_is_refused,
    a_host_that_is_missing_or_doubled_is_refused,
    pages_answer_under_the_public_address_and_localhost,
    doors_and_probes_answer_under_any_host,
    the_public_address_is_the_only_one,
    other_spellings_of_the_public_address_are_accepted,
];

fn no_page_answers_under_another_host(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let port = portal.address.port();
    let foreign = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        "127.0.0.1".into(),
        format!("127.0.0.2:{port}"),
        format!("user@127.0.0.1:{port}"),
        String::new(),
    ];
    portal.unchanged("another host", || {
        for host in &foreign {
            for method in ["GET", "POST", "HEAD"] {
                for path in
                    [pages(if method == "POST" { "POST" } else { "GET" }, &Place::of(&token)), vec!["/nowhere".into()]]
                        .concat()
                {
                    let request = browser.request(method, &path).header("host", host);
                    let request = if method == "POST" { request.form(&[("name", "x")]) } else { request };
                    let answer = request.send();
                    assert_eq!(answer.status, 421, "{method} {path} of {host}");
                    assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
                    assert!(method == "HEAD" || answer.page().heading() == "Wrong host");
                }
            }
        }
    });
}

fn forwarded_hosts_are_passed_over(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let mut request = browser.request("GET", "/");
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
    ] {
        request = request.header(name, value);
    }
    assert_eq!(request.send().location(), "/repositories");
}

fn an_absolute_address_of_another_host_is_refused(portal: Portal) {
    let host = portal.host();
    for (target, expected) in [
        (format!("http://{host}/login"), 200),
        ("http://evil.example/login".to_owned(), 421),
        (format!("http://evil.example@{host}/login"), 421),
    ] {
        let answer = raw::send(
            &portal,
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        let status = raw::status(&answer);
        assert!(status == expected || expected == 421 && status == 400, "{target}: {answer}");
    }
}

fn a_host_that_is_missing_or_doubled_is_refused(portal: Portal) {
    let host = portal.host();
    for headers in
        [String::new(), format!("Host: {host}\r\nHost: evil.example\r\n"), format!("Host: {host}, evil.example\r\n")]
    {
        let answer =
            raw::send(&portal, format!("GET /login HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").as_bytes());
        assert!([400, 421].contains(&raw::status(&answer)), "{headers}: {answer}");
    }
}

fn pages_answer_under_the_public_address_and_localhost(portal: Portal) {
    let port = portal.address.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LOCALHOST:{port}")] {
        portal.request("GET", "/login").header("host", &host).send().with(200);
    }
}

fn doors_and_probes_answer_under_any_host(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for host in ["evil.example", "a.b.c:1", ""] {
        portal.request("GET", "/api/v1/me").bearer(&token.secret).header("host", host).send().with(200);
        portal.request("GET", "/healthz").header("host", host).send().with(200);
        portal.request("GET", "/readyz").header("host", host).send().with(200);
        let css = tokenhouse::web::assets::PORTAL_CSS.path;
        portal.request("GET", css).header("host", host).send().with(200);
    }
}

fn the_public_address_is_the_only_one(portal: Portal) {
    portal.user("ada");
    let portal = portal.restarted(https);
    let browser = portal.visitor();
    browser.try_sign_in("ada", PASSWORD).with(303);
    browser.page("/profile");
    for host in
        [format!("{}", portal.address), format!("localhost:{}", portal.address.port()), "tokens.example.org:80".into()]
    {
        portal.request("GET", "/login").header("host", &host).send().with(421);
    }
    let (_, secret) = browser.create(&browser.token_form("ci"));
    assert!(portal.accepts(&secret));
}

fn other_spellings_of_the_public_address_are_accepted(portal: Portal) {
    portal.user("ada");
    let portal = portal.restarted(https);
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/")];
    for authority in ["tokens.example.org", "tokens.example.org:443", "TOKENS.Example.org", "tokens.example.org."] {
        portal.request("GET", "/login").header("host", authority).send().with(200);
        let request = portal.request("POST", "/login").header("host", authority).form(&fields);
        request.clone().header("origin", format!("https://{authority}")).send().with(303);
        for origin in [format!("http://{authority}"), format!("https://{authority}:8443"), "null".into()] {
            request.clone().header("origin", origin).send().with(403);
        }
    }
    // On plain http the default port is another.
    portal.request("GET", "/login").header("host", "tokens.example.org:80").send().with(421);
}
