//! Requests that no browser of ours would send, at every page that takes one.

use tokenhouse::domain::id::ServiceId;
use tokenhouse::domain::permission::Permission;

use crate::support::request::Request;
use crate::support::routes::{Place, pages};
use crate::support::{Browser, Portal, Token, on_both, raw};

on_both![
    without_a_session_a_get_leads_to_the_sign_in_and_a_post_is_refused,
    another_users_token_is_not_found_whatever_else_the_request_holds,
    an_id_has_one_spelling,
    a_large_body_is_refused,
    chunked_body_is_read_like_any_other,
    chunked_body_beyond_64_kb_returns_413,
    connection_with_unread_chunked_body_is_closed,
    connection_goes_on_after_a_chunked_body_that_was_read,
    input_of_others_does_not_refuse_a_page,
    another_content_type_is_refused,
    what_is_not_utf_8_is_refused,
    a_field_that_is_not_known_is_refused,
    form_with_too_many_fields_is_refused,
    another_method_is_told_the_right_ones,
    a_page_that_is_not_there_is_not_found,
    a_long_address_and_a_large_head_are_refused,
    a_request_that_ends_too_soon_changes_nothing,
    malformed_requests_are_refused_and_the_portal_stays,
    nothing_strange_makes_the_portal_fail,
];

/// The pages that take a form.
fn forms(portal: &Portal, token: &Token) -> Vec<String> {
    let service = portal.read(|connection| {
        use diesel::prelude::*;
        use tokenhouse::storage::schema::services;
        Ok(services::table.select(services::id).get_result::<ServiceId>(connection)?)
    });
    pages("POST", &Place { service: service.to_string(), ..Place::of(token) })
}

/// Somebody who may enter every page.
fn owner<'p>(portal: &'p Portal) -> (Browser<'p>, Token) {
    let ada = portal.user_with("ada", "administrator");
    portal.repository("alpha");
    portal.service("wiki");
    let token = portal.token(&ada, |_| {});
    (ada.sign_in(), token)
}

fn without_a_session_a_get_leads_to_the_sign_in_and_a_post_is_refused(portal: Portal) {
    let (_, token) = owner(&portal);
    let visitor = portal.visitor();
    let closed = |path: &&String| !["/api", "/login", "/set-password"].contains(&path.as_str());
    portal.unchanged("a visitor", || {
        for path in pages("GET", &Place::of(&token)).iter().filter(closed) {
            let address = format!("{path}?a=b%20c");
            let next = percent_encoding::utf8_percent_encode(&address, percent_encoding::NON_ALPHANUMERIC).to_string();
            for method in ["GET", "HEAD"] {
                let answer = visitor.send(visitor.request(method, &address));
                assert_eq!(answer.location(), format!("/login?next={next}"), "{method} {path}");
            }
        }
        for path in forms(&portal, &token).iter().filter(closed) {
            for request in [
                visitor.request("POST", path).form(&[("name", "cd"), ("password", crate::support::PASSWORD)]),
                visitor.request("POST", path).header("content-type", "text/plain").body(vec![b'x'; 70_000]),
                visitor.request("POST", path),
            ] {
                let page = visitor.send(request).with(401).page();
                assert_eq!(page.heading(), "Sign in first", "{path}");
            }
        }
    });
}

fn another_users_token_is_not_found_whatever_else_the_request_holds(portal: Portal) {
    let (_, token) = owner(&portal);
    let browser = portal.user("eve").sign_in();
    let ids = [token.id.to_string(), "1".into(), "x".into()];
    let of_a_token = |path: &&String| path.contains(&token.id.to_string());
    portal.unchanged("another user", || {
        let mut seen = Vec::new();
        for id in &ids {
            for path in pages("GET", &Place::of(&token)).iter().filter(of_a_token) {
                let path = path.replace(&token.id.to_string(), id);
                let page = browser.open(&path).with(404).page();
                page.does_not_say("“ci”");
                seen.push(page.main().split(", request").next().expect("text").to_owned());
            }
            for path in forms(&portal, &token).iter().filter(of_a_token) {
                let path = path.replace(&token.id.to_string(), id);
                let request = || browser.request("POST", &path);
                for request in [
                    request().form(&[("name", "cd")]),
                    request().form(&[("name", "a"), ("name", "b"), ("unknown", "c")]),
                    request().header("content-type", "application/json").body("{\"name\": \"cd\"}"),
                    request().header("content-type", "text/plain").body(vec![0xff; 70_000]),
                    request().header("content-type", "application/x-www-form-urlencoded").body("name=%ff"),
                    request(),
                ] {
                    let page = browser.send(request).with(404).page();
                    seen.push(page.main().split(", request").next().expect("text").to_owned());
                }
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "hidden and missing look alike: {seen:?}");
    });
}

fn an_id_has_one_spelling(portal: Portal) {
    let (browser, token) = owner(&portal);
    let id = token.id.to_string();
    for other in [
        format!("0{id}"),
        format!("+{id}"),
        format!("-{id}"),
        format!("{id}.0"),
        format!("{id}0"),
        format!("{id}%00"),
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}/"),
        "%ff".into(),
        "..".into(),
        "%2e%2e%2fapi-tokens".into(),
        "new/name".into(),
        "1%20OR%201=1".into(),
        "'".into(),
        "0".repeat(3_000),
    ] {
        let page = browser.open(&format!("/profile/api-tokens/{other}")).with(404).page();
        assert_eq!(page.heading(), "Not found", "{other}");
        let answer = browser.post(&format!("/profile/api-tokens/{other}/revocation"), &[("", ""); 0]);
        assert_eq!(answer.status, 404, "{other}");
    }
    assert!(portal.accepts(&token.secret));
}

#[track_caller]
fn refused_everywhere(
    portal: &Portal,
    status: u16,
    heading: &str,
    bodies: &[&dyn for<'p> Fn(Request<'p>) -> Request<'p>],
) {
    let (browser, token) = owner(portal);
    portal.unchanged(heading, || {
        for path in forms(portal, &token) {
            for body in bodies {
                let answer = body(browser.request("POST", &path)).send();
                assert_eq!(answer.status, status, "{path}: {answer:?}");
                assert_eq!(answer.page().heading(), heading);
            }
        }
    });
    assert!(browser.is_signed_in() && portal.accepts(&token.secret));
}

fn a_large_body_is_refused(portal: Portal) {
    let padded = |length: usize| [b"name=".as_slice(), &vec![b'x'; length - 5]].concat();
    refused_everywhere(
        &portal,
        413,
        "Too large",
        &[&|request| request.header("content-type", "application/x-www-form-urlencoded").body(padded(65_537))],
    );
    let browser = portal.visitor();
    // One byte less is read, and found to be another mistake.
    let request = browser.request("POST", "/login").header("content-type", "application/x-www-form-urlencoded");
    request.body(padded(65_536)).send().with(400);
}

/// A request with a chunked body, as bytes; `head` are whole lines.
fn chunked(portal: &Portal, line: &str, head: &str, pieces: &str) -> Vec<u8> {
    let host = portal.host();
    format!("{line} HTTP/1.1\r\nHost: {host}\r\n{head}Transfer-Encoding: chunked\r\n\r\n{pieces}").into_bytes()
}

/// The head of a form that a page of the portal sends for this browser.
fn form_head(browser: &Browser<'_>) -> String {
    let session = browser.session().expect("it is signed in");
    format!(
        "Sec-Fetch-Site: same-origin\r\nCookie: {}={session}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        browser.portal.cookies().session
    )
}

fn chunked_body_is_read_like_any_other(portal: Portal) {
    let (browser, token) = owner(&portal);
    let close = "Connection: close\r\n";
    let head = form_head(&browser) + close;
    let pieces = "5\r\nname=\r\n1;x=y\r\nc\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n";
    let answer = raw::send(&portal, &chunked(&portal, &format!("POST {}", token.page("name")), &head, pieces));
    assert_eq!(raw::status(&answer), 303, "{answer}");
    browser.page("/profile/api-tokens").says("cd");
    let api = portal.token(&portal.user("bob"), |wish| wish.permissions.account = Permission::Write);
    let bearer = format!("Authorization: Bearer {}\r\n{close}", api.secret);
    let json = format!("{bearer}Content-Type: application/json\r\n");
    let of_api = |line: &str, head: &str, pieces: &str| raw::send(&portal, &chunked(&portal, line, head, pieces));
    let rename = "11\r\n{\"name\": \"other\"}\r\n0\r\n\r\n";
    let answer = of_api(&format!("PATCH /api/v1/tokens/{}", api.id), &json, rename);
    assert!(raw::status(&answer) == 200 && answer.contains("other"), "{answer}");
    // Where the body may be left out, an empty one is none, and one without a media type is refused.
    let rotation = "POST /api/v1/tokens/current/rotation";
    assert_eq!(raw::status(&of_api(rotation, &bearer, "2\r\n{}\r\n0\r\n\r\n")), 415);
    assert_eq!(raw::status(&of_api(rotation, &bearer, "0\r\n\r\n")), 201);
    let form = format!("Content-Type: application/x-www-form-urlencoded\r\n{close}");
    let body = format!("6\r\ntoken=\r\n2a\r\n{}\r\n0\r\n\r\n", token.secret);
    assert_eq!(raw::status(&of_api("POST /oauth/revoke", &form, &body)), 200);
    assert!(!portal.accepts(&token.secret));
}

fn chunked_body_beyond_64_kb_returns_413(portal: Portal) {
    let (browser, token) = owner(&portal);
    let head = form_head(&browser);
    // Whole, so that the end of the connection is not what is refused.
    let large = ("1000\r\n".to_owned() + &"x".repeat(4_096) + "\r\n").repeat(17) + "0\r\n\r\n";
    portal.unchanged("a large chunked body", || {
        for path in forms(&portal, &token) {
            let answer = raw::send(&portal, &chunked(&portal, &format!("POST {path}"), &head, &large));
            assert_eq!(raw::status(&answer), 413, "{path}: {answer}");
        }
    });
}

fn connection_with_unread_chunked_body_is_closed(portal: Portal) {
    use std::io::{Read as _, Write as _};
    let (browser, token) = owner(&portal);
    let (form, bearer) = (form_head(&browser), format!("Authorization: Bearer {}\r\n", token.secret));
    for (line, head, status) in [
        ("GET /healthz", "", 200),
        ("GET /login", "", 200),
        ("GET /api/v1/me", bearer.as_str(), 200),
        ("GET /api/v1/me", "", 401),
        ("GET /auth/nginx", bearer.as_str(), 200),
        ("GET /auth/nginx", "", 401),
        ("HEAD /healthz", "", 200),
        ("POST /nowhere", form.as_str(), 404),
        ("POST /oauth/introspect", "", 401),
        ("POST /login", "Sec-Fetch-Site: cross-site\r\n", 403),
    ] {
        // The client neither ends its body nor closes the connection.
        let mut stream = std::net::TcpStream::connect(portal.address).expect("it listens");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a timeout can be set");
        stream.write_all(&chunked(&portal, line, head, "5\r\nname=\r\n")).expect("it is sent");
        let mut answer = Vec::new();
        let closed = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(raw::status(&answer), status, "{line}: {answer}");
        assert!(closed.is_ok(), "{line}: the connection stays open: {answer}");
    }
}

fn connection_goes_on_after_a_chunked_body_that_was_read(portal: Portal) {
    let (browser, token) = owner(&portal);
    let first =
        chunked(&portal, &format!("POST {}", token.page("name")), &form_head(&browser), "7\r\nname=cd\r\n0\r\n\r\n");
    let second = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", portal.host());
    let answer = raw::send(&portal, &[first.as_slice(), second.as_bytes()].concat());
    assert_eq!(raw::status(&answer), 303, "{answer}");
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
}

fn input_of_others_does_not_refuse_a_page(portal: Portal) {
    let (browser, token) = owner(&portal);
    for path in ["/profile", "/profile/api-tokens", "/profile/api-tokens/new", "/repositories", "/login", "/api"] {
        for query in ["utm_source=x", "utm=%ff%fe", "%ff=1", "a=1&a=2&&=", "fbclid=%zz", "q[]=\\%2"] {
            browser.open(&format!("{path}?{query}")).with(200);
        }
        for (name, value) in [
            ("accept", b"\xff".as_slice()),
            ("accept-language", b"\xe4;q=2"),
            ("user-agent", "Br\u{e9}wser \u{1f36a}".as_bytes()),
            ("referer", b"http://\xff/"),
            ("x-forwarded-host", b"evil.example"),
            ("x-real-ip", b"nonsense"),
            ("via", b"\xff"),
            ("traceparent", b"nonsense"),
            ("x-http-method-override", b"DELETE"),
            ("if-none-match", b"nonsense"),
            ("range", b"bytes=9-1"),
            ("dnt", b"\xff"),
        ] {
            browser.send(browser.request("GET", path).header(name, value)).with(200);
        }
    }
    // Many cookies of neighbours on the same host.
    let cookies =
        (0..15).map(|number| format!("neighbour{number}={}", "x".repeat(4_000))).collect::<Vec<_>>().join("; ");
    let own = format!("{}={}", portal.cookies().session, browser.session().expect("it is signed in"));
    portal.request("GET", "/profile").header("cookie", format!("{cookies}; {own}")).send().with(200);
    portal.request("GET", "/profile").header("cookie", format!("{cookies}; a={cookies}")).send().with(431);
    // Browsers add the field of this name to a form by themselves.
    let fields = [("_charset_", "UTF-8"), ("name", "cd"), ("_charset_", "UTF-8")];
    browser.post(&token.page("name"), &fields).with(303);
    browser.post(&token.page("name"), &[("name", "ef"), ("charset", "UTF-8")]).with(400);
}

fn another_content_type_is_refused(portal: Portal) {
    refused_everywhere(
        &portal,
        415,
        "Wrong content type",
        &[
            &|request| request.body("name=cd"),
            &|request| request.header("content-type", "").body("name=cd"),
            &|request| request.header("content-type", "text/plain").body("name=cd"),
            &|request| request.header("content-type", "application/json").body("{\"name\": \"cd\"}"),
            &|request| request.header("content-type", "multipart/form-data; boundary=x").body("--x--"),
            &|request| request.header("content-type", "application/x-www-form-urlencoded2").body("name=cd"),
            &|request| request.header("content-type", "x/application/x-www-form-urlencoded").body("name=cd"),
            &|request| request.header("content-type", b"application/x-www-form-urlencoded\xff").body("name=cd"),
        ],
    );
    let visitor = portal.visitor();
    let request = visitor.request("POST", "/login");
    let request = request.header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    request.body("username=ada&password=x&next=/").send().with(401);
}

fn what_is_not_utf_8_is_refused(portal: Portal) {
    refused_everywhere(
        &portal,
        400,
        "Request not understood",
        &[
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("name=%ff"),
            &|request| {
                request.header("content-type", "application/x-www-form-urlencoded").body(b"name=\xff".as_slice())
            },
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("na%c3me=x"),
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("name=%ed%a0%80"),
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("name=%c0%af"),
        ],
    );
}

fn form_with_too_many_fields_is_refused(portal: Portal) {
    let post = |path: &str, body: String| {
        let form = portal.visitor().request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        form.body(body).send().with(400)
    };
    post("/login", "a&".repeat(32_000)).page().says("There are too many fields. Send at most 2000.");
    post("/oauth/revoke", "a=&".repeat(20_000));
}

fn a_field_that_is_not_known_is_refused(portal: Portal) {
    refused_everywhere(
        &portal,
        400,
        "Request not understood",
        &[
            &|request| request.form(&[("csrf", "x")]),
            &|request| request.form(&[("", "x")]),
            &|request| request.form(&[("__proto__", "x")]),
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("="),
            &|request| request.header("content-type", "application/x-www-form-urlencoded").body("x;y"),
            &|request| {
                request.header("content-type", "application/x-www-form-urlencoded").body("&".repeat(60_000) + "x")
            },
        ],
    );
}

fn another_method_is_told_the_right_ones(portal: Portal) {
    let (browser, token) = owner(&portal);
    let place = Place::of(&token);
    let (gets, posts) = (pages("GET", &place), pages("POST", &place));
    portal.unchanged("another method", || {
        for path in gets.iter().chain(&posts) {
            let allowed = match (gets.contains(path), posts.contains(path)) {
                (true, true) => "GET, HEAD, POST",
                (true, false) => "GET, HEAD",
                _ => "POST",
            };
            for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post"] {
                let answer = browser.send(browser.request(method, path)).with(405);
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
                assert_eq!(answer.page().heading(), "Method not allowed");
            }
            for (method, there) in [("GET", allowed.contains("GET")), ("POST", allowed.contains("POST"))] {
                if !there {
                    browser.send(browser.request(method, path)).with(405);
                }
            }
        }
    });
    // The method is what it is, whatever a header or a field says.
    let request = browser.request("POST", &token.path()).header("x-http-method-override", "GET");
    browser.send(request.form(&[("_method", "GET")])).with(405);
}

fn a_page_that_is_not_there_is_not_found(portal: Portal) {
    let (browser, token) = owner(&portal);
    for path in [
        "/nowhere".to_owned(),
        "/profile/".into(),
        "//profile".into(),
        "/profile//api-tokens".into(),
        "/Profile".into(),
        "/profile/api-tokens/".into(),
        "/profile/../profile".into(),
        "/profile%2fapi-tokens".into(),
        "/profile;x=y".into(),
        "/.git/config".into(),
        "/static/../Cargo.toml".into(),
        "/static/..%2f..%2fCargo.toml".into(),
        "/static/portal.css".into(),
        "/apis".into(),
        format!("{}/", token.path()),
        token.page("nowhere"),
    ] {
        assert_eq!(browser.open(&path).status, 404, "GET {path}");
        let posted = browser.post(&path, &[("", ""); 0]).status;
        assert!(posted == 404 || posted == 405 && path.starts_with("/static/"), "POST {path}: {posted}");
    }
    let page = browser.open("/nowhere").with(404).page();
    assert_eq!(page.heading(), "Not found");
    assert_eq!(page.link("Back to the start").as_deref(), Some("/"));
}

fn a_long_address_and_a_large_head_are_refused(portal: Portal) {
    let (browser, token) = owner(&portal);
    for path in ["/profile", "/api/v1/me", "/healthz"] {
        let request = |query: String| browser.request("GET", &format!("{path}?{query}")).bearer(&token.secret);
        request("x".repeat(4_096 - path.len() - 1)).send().with(200);
        request("x".repeat(4_096 - path.len())).send().with(414);
        let request = || browser.request("GET", path).bearer(&token.secret);
        request().header("x-padding", "x".repeat(14 * 1024)).send().with(200);
        request().header("x-padding", "x".repeat(17 * 1024)).send().with(431);
        let many = (0..70).fold(request(), |request, number| request.header(&format!("x-{number}"), "x"));
        many.send().with(431);
    }
}

fn a_request_that_ends_too_soon_changes_nothing(portal: Portal) {
    let (browser, token) = owner(&portal);
    let session = browser.session().expect("it is signed in");
    let head = |path: &str, framing: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}={session}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n",
            portal.host(),
            portal.cookies().session
        )
    };
    portal.unchanged("half a request", || {
        for (framing, body) in [
            ("Content-Length: 50", "name=half"),
            ("Content-Length: 8", "name"),
            ("Transfer-Encoding: chunked", "9\r\nname=half\r\n"),
            ("Transfer-Encoding: chunked", "9\r\nname"),
            ("Transfer-Encoding: chunked", "zz\r\nname=half\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked", "ffffffffffffffffff\r\nname=half\r\n0\r\n\r\n"),
        ] {
            let answer = raw::send_and_close(&portal, (head(&token.page("name"), framing) + body).as_bytes());
            assert!(raw::status(&answer) < 500 && raw::status(&answer) != 303, "{framing}: {answer}");
            raw::send_and_close(&portal, (head(&token.page("revocation"), framing) + body).as_bytes());
        }
    });
    assert!(portal.accepts(&token.secret));
}

fn malformed_requests_are_refused_and_the_portal_stays(portal: Portal) {
    let host = portal.host();
    let get = |line: &str, headers: &str| {
        format!("{line}\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n").into_bytes()
    };
    for bytes in [
        b"\r\n\r\n\r\n".to_vec(),
        b"\0\0\0\0".to_vec(),
        vec![0xff; 1_000],
        b"GET\r\n\r\n".to_vec(),
        b"GET /login\r\n\r\n".to_vec(),
        get("GET /login HTTP/9.9", ""),
        get("GET login HTTP/1.1", ""),
        get("GET /lo gin HTTP/1.1", ""),
        get("G\u{c4}T /login HTTP/1.1", ""),
        get("GET /login HTTP/1.1", "Bad Header: x\r\n"),
        get("GET /login HTTP/1.1", "Bad\0: x\r\n"),
        get("GET /login HTTP/1.1", "Bad: x\0y\r\n"),
        get("GET /login HTTP/1.1", ": x\r\n"),
        get("POST /login HTTP/1.1", "Content-Length: -1\r\n"),
        get("POST /login HTTP/1.1", "Content-Length: +5\r\n"),
        get("POST /login HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        get("POST /login HTTP/1.1", "Content-Length: 99999999999999999999\r\n"),
        get("POST /login HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        get("POST /login HTTP/1.1", "Transfer-Encoding: chunked, identity\r\n"),
        get("POST /login HTTP/1.1", "Transfer-Encoding : chunked\r\n"),
        get("POST /login HTTP/1.1", "Transfer-Encoding: xchunked\r\n"),
        get("CONNECT evil.example:443 HTTP/1.1", ""),
        get("OPTIONS * HTTP/1.1", ""),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        get(&format!("GET /{} HTTP/1.1", "x".repeat(200_000)), ""),
        get("GET /login HTTP/1.1", &"X-A: b\r\n".repeat(500)),
    ] {
        let answer = raw::send(&portal, &bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
        let status = raw::status(&answer);
        assert!(status == 0 || (400..500).contains(&status), "{shown:?}: {answer}");
    }
    portal.visitor().page("/login");
}

fn nothing_strange_makes_the_portal_fail(portal: Portal) {
    let (browser, token) = owner(&portal);
    let strange = [
        "%00",
        "a%00b",
        "%ff",
        "%",
        "%zz",
        "%u0041",
        "..%2f",
        "%F0%9F%94%91",
        "'%22%3E",
        "%0d%0a",
        "9".repeat(400).leak(),
    ];
    for path in pages("GET", &Place::of(&token)) {
        for value in strange {
            for query in [
                "next",
                "code",
                "q",
                "sort",
                "page",
                "status",
                "name",
                "recreates",
                "repositories",
                "expires_on",
                "expiry",
                value,
            ] {
                let answer = browser.open(&format!("{path}?{query}={value}"));
                assert!(answer.status < 500, "{answer:?}");
            }
        }
    }
    for path in forms(&portal, &token).iter().filter(|path| *path != "/logout" && !path.ends_with("/sign-out")) {
        for field in [
            "username",
            "roles",
            "code",
            "password",
            "next",
            "name",
            "nonce",
            "recreates",
            "replaces",
            "grace",
            "repositories",
            "expires_on",
        ] {
            for value in ["\0", "a\0b", "\u{fffd}", "🔑", "'\">", "\r\n", "-1", "\u{202e}", "%00"] {
                let answer = browser.post(path, &[(field, value)]);
                assert!(answer.status < 500, "{answer:?}");
            }
        }
    }
    for value in strange {
        for path in [
            format!("/api/v1/repositories/{value}"),
            format!("/api/v1/repositories?after={value}"),
            format!("/api/v1/repositories?limit={value}"),
            format!("/api/v1/me?{value}"),
        ] {
            let answer = portal.api(&token.secret, &path);
            assert!(answer.status < 500, "{answer:?}");
        }
    }
    for agent in [&b"\xff\xfe"[..], b"", "🔑".as_bytes(), &[b'x'; 5_000]] {
        portal.request("GET", "/api/v1/me").bearer(&token.secret).header("user-agent", agent).send().with(200);
    }
    for hops in ["x", "1.2.3.4, x", ",,,", "::ffff:203.0.113.7", "2001:db8::1, 127.0.0.1", "203.0.113.7:80"] {
        portal.request("GET", "/api/v1/me").bearer(&token.secret).at(hops).send().with(200);
    }
    portal.flush();
    browser.page(&token.path());
}
