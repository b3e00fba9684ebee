//! What holds behind every proxy.

use std::io::{Read as _, Write as _};

use tokenhouse::web::examples::proxies::IDENTITY;

use crate::house::basic;
use crate::site::Site;
use crate::upstream;

/// Runs each of the tests that it names behind each proxy, on each database.
macro_rules! behind_each {
    ($($test:ident),+ $(,)?) => {
        behind_each!(nginx behind_nginx $($test)+);
        behind_each!(caddy behind_caddy $($test)+);
    };
    ($proxy:ident $start:ident $($test:ident)+) => {
        mod $proxy {
            $(
                mod $test {
                    use crate::house::House;
                    use crate::site::Site;
                    use crate::support::database::Database;

                    #[test]
                    fn on_sqlite() {
                        super::super::$test(Site::$start(House::serve(Database::sqlite())));
                    }

                    #[test]
                    fn on_postgres() {
                        super::super::$test(Site::$start(House::serve(Database::postgres())));
                    }
                }
            )+
        }
    };
}

behind_each![
    a_stranger_is_asked_for_credentials,
    the_service_learns_who_asks_and_gets_no_token,
    a_token_does_what_its_permission_says,
    what_a_client_makes_up_never_helps,
    identity_headers_reach_the_service_whatever_the_client_sends,
    websocket_passes_with_identity_headers,
    printed_configuration_works_on_plain_http_on_loopback,
    other_upgrade_than_websocket_is_not_requested,
    addresses_and_bodies_arrive_as_they_were_sent,
    what_ends_is_refused_at_the_very_next_request,
];

fn a_stranger_is_asked_for_credentials(site: Site) {
    let refused = site.stops(401, || site.proxy.ask("GET", "/", &[]));
    assert_eq!(refused.header("www-authenticate")[0], "Basic realm=\"Tokenhouse\", charset=\"UTF-8\"");
    let bearer = |secret: &str| format!("Bearer {secret}");
    for authorization in [
        "Bearer nonsense".to_owned(),
        bearer(&site.reads.secret.replace("thp_", "thr_")),
        basic("eve", &site.reads.secret),
        basic("reports", &site.repository_token),
        format!("Digest {}", site.reads.secret),
    ] {
        for method in ["GET", "POST"] {
            site.stops(401, || site.proxy.ask(method, "/x", &[("Authorization", &authorization)]));
        }
    }
    // nginx refuses this itself, as no request.
    let (one, other) = (bearer(&site.reads.secret), bearer(&site.writes.secret));
    let seen = site.upstream.seen();
    let twice = site.proxy.ask("GET", "/", &[("Authorization", &one), ("Authorization", &other)]);
    assert!([400, 401].contains(&twice.status) && site.upstream.seen() == seen, "{twice:?}");
}

fn the_service_learns_who_asks_and_gets_no_token(site: Site) {
    let by_basic = basic("ada", &site.reads.secret);
    for reply in [
        site.ask(&site.reads, "GET", "/hello", &[("Cookie", "own=1")]),
        site.proxy.ask("GET", "/hello", &[("Authorization", &by_basic), ("Cookie", "own=1")]),
    ] {
        let reached = reply.upstream();
        assert_eq!(reached.line, "GET /hello");
        let told = IDENTITY.map(|name| reached.header(&name.to_lowercase()).join("|"));
        assert_eq!(told, ["ada", "api_token", site.reads.id(), "%C3%9Cn%C3%AF 100%25", "payments", "read"]);
        assert_eq!(reached.header("cookie"), ["own=1"], "what is the service's own stays");
        assert!(!format!("{reached:?}").contains(&site.reads.secret[..20]), "{reached:?}");
        assert_eq!(reached.header("authorization"), [""; 0]);
    }
    let own = basic("payments", &site.repository_token);
    let reached = site.proxy.ask("PUT", "/hello", &[("Authorization", &own)]).upstream();
    let told = ["x-auth-user", "x-auth-kind", "x-auth-repository", "x-auth-permission", "x-auth-token-name"];
    let told = told.map(|name| reached.header(name).join("|"));
    assert_eq!(told, ["", "repository_token", "payments", "write", ""]);
}

fn a_token_does_what_its_permission_says(mut site: Site) {
    for method in ["GET", "HEAD", "OPTIONS"] {
        site.ask(&site.reads, method, "/", &[]).with(200);
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "PURGE"] {
        site.stops(403, || site.ask(&site.reads, method, "/", &[]));
        assert_eq!(site.ask(&site.writes, method, "/", &[]).upstream().line, format!("{method} /"));
    }
    let outsider = site.ada.token_with("out", &[("repositories_permission", "none"), ("account_permission", "read")]);
    site.stops(403, || site.ask(&outsider, "GET", "/", &[]));
    let mut eve = site.house.user("eve", "developer");
    let of_eve = eve.token("eve", "write");
    site.ask(&of_eve, "GET", "/", &[]).with(200);
    site.stops(403, || site.ask(&of_eve, "POST", "/", &[]));
    site.ada.grant("payments", "eve", "write");
    let reached = site.ask(&of_eve, "POST", "/", &[]).upstream();
    assert_eq!((reached.header("x-auth-user"), reached.header("x-auth-permission")), (vec!["eve"], vec!["write"]));
}

fn what_a_client_makes_up_never_helps(site: Site) {
    let mut forged = vec![];
    for name in IDENTITY {
        forged.extend([name.to_owned(), name.to_uppercase(), name.replace('-', "_"), name.replacen("h-", "h_", 1)]);
    }
    let headers: Vec<(&str, &str)> = forged.iter().map(|name| (name.as_str(), "forged")).collect();
    site.stops(401, || site.proxy.ask("GET", "/", &headers));
    let named: Vec<(&str, &str)> = [("Connection", "X-Auth-User, X-Auth-Permission, close")].into();
    for more in [headers.clone(), [headers, named].concat()] {
        let reached = site.ask(&site.reads, "GET", "/", &more).upstream();
        let text = format!("{reached:?}");
        assert!(!reached.headers.iter().any(|(_, value)| value == "forged"), "{text}");
        let like_ours = reached.headers.iter().filter(|(name, _)| name.replace('_', "-").starts_with("x-auth-"));
        assert!(like_ours.count() <= IDENTITY.len(), "{text}");
    }
    // That it were a read, in the words of either kind of proxy; that it were about something else; that it came otherwise.
    for (name, value) in [
        ("X-Original-Method", "GET"),
        ("X-Forwarded-Method", "GET"),
        ("X-Original-URI", "/public"),
        ("X-Forwarded-Uri", "/public"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Method-Override", "HEAD"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "127.0.0.1"),
        ("Connection", "X-Original-Method, X-Forwarded-Method"),
    ] {
        for path in ["/", "/?repository=reports", "/?X-Original-Method=GET"] {
            site.stops(403, || site.ask(&site.reads, "POST", path, &[(name, value)]));
            site.stops(401, || site.proxy.ask("GET", path, &[(name, value)]));
            site.ask(&site.reads, "GET", path, &[(name, "POST")]).with(200);
        }
    }
}

/// The client names an identity header in `Connection`, which proxies remove before they pass a request on, or sends it in other
/// ways: spelled otherwise, twice, empty.
fn identity_headers_reach_the_service_whatever_the_client_sends(site: Site) {
    let own = basic("payments", &site.repository_token);
    let reads = format!("Bearer {}", site.reads.secret);
    let told = |authorization: &str, more: &[(&str, &str)]| {
        let headers = [&[("Authorization", authorization)], more].concat();
        let reached = site.proxy.ask("GET", "/", &headers).upstream();
        assert!(!format!("{reached:?}").contains("forged"), "{more:?}: {reached:?}");
        // A header with an empty value and none are the same to a service.
        IDENTITY.map(|name| reached.header(&name.to_lowercase()).join("|"))
    };
    for authorization in [&reads, &own] {
        let expected = told(authorization, &[]);
        assert_eq!(expected.iter().filter(|value| value.is_empty()).count(), if authorization == &own { 2 } else { 0 });
        for (index, name) in IDENTITY.into_iter().enumerate() {
            let (lower, underscored) = (name.to_lowercase(), name.replace('-', "_"));
            let connections = [
                format!("close, {name}"),
                lower.clone(),
                format!("{name},{lower} , keep-alive"),
                format!("{underscored}, {name}, {name}"),
                format!("Upgrade, {name}"),
            ];
            let tricks: [&[(&str, &str)]; 5] = [
                &[],
                &[(name, "forged")],
                &[(&lower, "forged"), (name, "forged")],
                &[(name, "")],
                &[(&underscored, "forged"), (name, "")],
            ];
            for (connection, trick) in connections.iter().zip(tricks.iter().cycle().skip(index)) {
                let more = [&[("Connection", connection.as_str())], *trick].concat();
                assert_eq!(told(authorization, &more), expected, "{more:?}");
            }
        }
        let all = format!("close, {}", IDENTITY.join(", "));
        assert_eq!(told(authorization, &[("Connection", &all)]), expected);
        assert_eq!(told(authorization, &[("Connection", "close"), ("Connection", &IDENTITY.join(","))]), expected);
    }
}

const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "keep-alive, Upgrade, X-Auth-User"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", upstream::KEY),
];

fn websocket_passes_with_identity_headers(site: Site) {
    let authorization = format!("Bearer {}", site.reads.secret);
    let headers = [&[("Authorization", authorization.as_str())], &HANDSHAKE[..]].concat();
    let (head, mut connection) = site.proxy.connect("/socket", &headers);
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("\r\nupgrade: websocket"), "{head}");
    assert!(head.contains(&format!("sec-websocket-accept: {}", upstream::ACCEPT.to_lowercase())), "{head}");
    assert!(head.contains("x-seen-user: ada\r\n"), "{head}");
    connection.write_all(&upstream::HELLO_OF_CLIENT).expect("the connection is open");
    let mut frame = [0; upstream::HELLO_OF_SERVER.len()];
    connection.read_exact(&mut frame).expect("the service answers");
    assert_eq!(frame, upstream::HELLO_OF_SERVER);
    for authorization in ["Bearer x", "Basic x"] {
        let seen = site.upstream.seen();
        let headers = [&[("Authorization", authorization)], &HANDSHAKE[..]].concat();
        let (head, _) = site.proxy.connect("/socket", &headers);
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert_eq!(site.upstream.seen(), seen);
    }
}

/// The printed configuration, in a server that has no TLS, on loopback as its client is.
fn printed_configuration_works_on_plain_http_on_loopback(site: Site) {
    for (token, method, status) in
        [(&site.reads, "GET", "200"), (&site.reads, "POST", "403"), (&site.writes, "POST", "200")]
    {
        let authorization = format!("Bearer {}", token.secret);
        let headers = [("Authorization", authorization.as_str()), ("Content-Length", "0")];
        let (head, _) = site.proxy.connect_with(method, "/", &headers);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method}: {head}");
    }
}

/// A service that changes to another protocol would be asked behind the proxy's back from then on.
fn other_upgrade_than_websocket_is_not_requested(site: Site) {
    for upgrade in ["h2c", "websocket, h2c", "TLS/1.0", ""] {
        let more = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", upgrade), ("HTTP2-Settings", "AAMAAABk")];
        let reached = site.ask(&site.reads, "GET", "/", &more).upstream();
        assert_eq!(reached.header("upgrade"), [""; 0], "{upgrade}: {reached:?}");
    }
}

fn addresses_and_bodies_arrive_as_they_were_sent(site: Site) {
    let long = format!("/search?q={}", "x".repeat(6_000));
    let secret = format!("/?token={}", site.writes.secret);
    for path in [
        "/a%2Fb",
        "//x/./a;x=1",
        "/a?b=c%20d&repository=reports&e=%2F",
        "/?",
        "/%F0%9F%94%91",
        "/auth/nginx",
        &long,
        &secret,
    ] {
        let reached = site.ask(&site.reads, "GET", path, &[]).upstream();
        assert_eq!(reached.line, format!("GET {path}"));
    }
    for path in ["/a/../b", "/%2e%2e/x", "/..%2fx", "/a%00b", "/%ff"] {
        let reply = site.ask(&site.reads, "GET", path, &[]);
        assert!([200, 400].contains(&reply.status), "{path}: {reply:?}");
    }
    let body = "a=1&b=2".repeat(100);
    for more in [&[][..], &[("Transfer-Encoding", "chunked")], &[("Expect", "100-continue")]] {
        let authorization = format!("Bearer {}", site.writes.secret);
        let headers = [&[("Authorization", authorization.as_str())], more].concat();
        let reply = site.proxy.ask_with("POST", "/form", &headers, &["--data-binary", &body]);
        assert!(reply.upstream().line == "POST /form" && reply.body.contains("a=1&b=2a=1"), "{more:?}");
        let authorization = format!("Bearer {}", site.reads.secret);
        let headers = [&[("Authorization", authorization.as_str())], more].concat();
        site.stops(403, || site.proxy.ask_with("POST", "/form", &headers, &["--data-binary", &body]));
    }
    site.ask(&site.reads, "GET", "/", &[("Connection", "Upgrade"), ("Upgrade", "websocket")]).with(200);
}

fn what_ends_is_refused_at_the_very_next_request(mut site: Site) {
    let [expired, disabled, rotated] = ["expired", "disabled", "rotated"].map(|name| site.ada.token(name, "write"));
    for token in [&site.reads, &expired, &disabled, &rotated] {
        site.ask(token, "GET", "/", &[]).with(200);
    }
    site.house.expire(&expired);
    site.ada.disable(&disabled);
    site.stops(401, || site.ask(&disabled, "GET", "/", &[]));
    site.stops(401, || site.ask(&expired, "GET", "/", &[]));
    let secret = site.ada.rotate(&rotated);
    site.stops(401, || site.ask(&rotated, "GET", "/", &[]));
    site.proxy.ask("GET", "/", &[("Authorization", &format!("Bearer {secret}"))]).with(200);
    site.ada.revoke(&site.reads);
    site.stops(401, || site.ask(&site.reads, "GET", "/", &[]));
    let other = basic("reports", &site.ada.repository("reports"));
    site.stops(403, || site.proxy.ask("GET", "/", &[("Authorization", &other)]));

    let old = basic("payments", &site.repository_token);
    site.proxy.ask("GET", "/", &[("Authorization", &old)]).with(200);
    let new = basic("payments", &site.ada.generate_new("payments"));
    site.stops(401, || site.proxy.ask("GET", "/", &[("Authorization", &old)]));
    site.proxy.ask("GET", "/", &[("Authorization", &new)]).with(200);

    site.ask(&site.writes, "POST", "/", &[]).with(200);
    site.house.run(&["user", "disable", "ada"], "");
    site.stops(401, || site.ask(&site.writes, "POST", "/", &[]));
    site.proxy.ask("GET", "/", &[("Authorization", &new)]).with(200);
}
