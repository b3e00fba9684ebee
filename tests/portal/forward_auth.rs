//! Forward-auth: what reverse proxies ask, in both of their dialects.

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::support::request::{Request, basic};
use crate::support::{Answer, Portal, Token, on_both, raw};

on_both![
    without_good_credentials_both_schemes_are_offered,
    two_authorization_headers_are_none,
    a_session_opens_nothing,
    a_services_token_opens_nothing,
    what_is_not_surely_a_read_is_a_write,
    the_other_dialect_is_not_heard,
    who_is_no_proxy_of_ours_tells_no_method,
    credentials_over_plain_http_are_refused,
    what_is_not_there_and_what_is_not_allowed_look_alike,
    an_address_that_is_put_together_wrongly_opens_nothing,
    a_query_is_passed_over,
    a_repositorys_token_opens_its_own_repository_only,
    selected_repositories_limit_a_token,
    what_ends_a_token_ends_it_at_the_very_next_check,
    what_takes_a_right_away_takes_it_at_the_very_next_check,
    a_rotated_token_works_until_its_moment_and_not_a_second_longer,
    a_database_that_does_not_answer_is_unavailable,
    nothing_but_what_proxies_understand_is_ever_answered,
    any_good_token_opens_the_door_without_a_repository,
    all_headers_are_there_and_hold_no_more_than_they_may,
    what_traefik_sends_is_understood,
    repository_named_like_user_is_never_that_user,
    forwarded_value_with_control_character_is_refused,
    uses_are_counted_where_the_client_is,
];

const DIALECTS: [(&str, &str); 2] = [("/auth/nginx", "X-Original-Method"), ("/auth/forward", "X-Forwarded-Method")];
const HEADERS: [&str; 6] =
    ["x-auth-user", "x-auth-kind", "x-auth-token-id", "x-auth-token-name", "x-auth-repository", "x-auth-permission"];
const HOUR: i64 = 3_600;

/// A read or write of `alpha`, as each kind of proxy asks; it answers both alike.
#[track_caller]
fn ask(portal: &Portal, secret: &str, method: &str) -> u16 {
    ask_at(portal, secret, method, "alpha")
}

#[track_caller]
fn ask_at(portal: &Portal, secret: &str, method: &str, repository: &str) -> u16 {
    let answers = DIALECTS.map(|(door, header)| {
        let request = portal.request("GET", &format!("{door}/{repository}")).bearer(secret);
        checked(&request.header(header, method).send()).0
    });
    assert_eq!(answers[0], answers[1], "both dialects");
    answers[0]
}

/// Status and the six headers, after a look at what holds for every answer.
#[track_caller]
fn checked(answer: &Answer) -> (u16, [String; 6]) {
    assert!([200, 401, 403, 503].contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    let values = HEADERS.map(|name| {
        let values = answer.headers_named(name);
        assert_eq!(values.len(), usize::from(answer.status == 200), "{name} of {answer:?}");
        values.concat()
    });
    assert!(answer.status != 200 || answer.body.is_empty(), "{answer:?}");
    assert!(answer.text().lines().count() <= 1 && !answer.text().contains('{'), "{answer:?}");
    (answer.status, values)
}

fn writer(portal: &Portal, username: &'static str) -> Token {
    let user = portal.user_with(username, "repository-manager");
    portal.token(&user, |wish| wish.permissions.repositories = Permission::Write)
}

fn without_good_credentials_both_schemes_are_offered(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada");
    let generated = |kind| Secret::generate(kind, &mut randomness::system()).reveal().to_owned();
    let encode = |text: &[u8]| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)).into_bytes()
    };
    let bearer = |secret: &str| format!("Bearer {secret}").into_bytes();
    let bad = [
        Vec::new(),
        b"Bearer".into(),
        b"Bearer x".into(),
        bearer(&generated(SecretKind::ApiToken)),
        bearer(&generated(SecretKind::RepositoryToken)),
        bearer(&generated(SecretKind::ServiceToken)),
        bearer(&token.secret[..41]),
        format!("Digest {}", token.secret).into_bytes(),
        encode(token.secret.as_bytes()),
        encode(format!("{}:", token.secret).as_bytes()),
        encode(format!("eve:{}", token.secret).as_bytes()),
        encode(format!("alpha:{}", token.secret).as_bytes()),
        encode(&[b"\xff\xfe:".as_slice(), token.secret.as_bytes()].concat()),
        encode(format!("ada:{}", crate::support::PASSWORD).as_bytes()),
        format!("Bearer {}", "x".repeat(15_000)).into_bytes(),
    ];
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/alpha"), format!("{door}/missing"), format!("{door}/NO")] {
            for header_value in std::iter::once(None).chain(bad.iter().map(Some)) {
                let request = portal.request("GET", &path).header(header, "GET");
                let request = match header_value {
                    Some(value) => request.header("authorization", value),
                    None => request,
                };
                let answer = request.send().with(401);
                checked(&answer);
                let challenges = answer.headers_named("www-authenticate");
                // nginx before 1.23 hands on the first one only, and browsers and Docker know Basic only.
                let expected = ["Basic realm=\"Tokenhouse\", charset=\"UTF-8\"", "Bearer realm=\"Tokenhouse\""];
                assert_eq!(challenges, expected);
                assert_eq!(
                    answer.text(),
                    "The credentials are missing or not accepted. Send the token as Bearer or Basic.\n"
                );
            }
            let head =
                format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \u{e4}\r\n\r\n");
            assert_eq!(raw::status(&raw::send(&portal, head.as_bytes())), 401);
            let huge = portal.request("GET", &path).header("authorization", vec![b'x'; 64 * 1024]).send();
            assert_eq!(checked(&huge).0, 403, "it is not even read");
        }
    }
}

fn two_authorization_headers_are_none(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada");
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/alpha")] {
            let request = || portal.request("GET", &path).header(header, "GET").bearer(&token.secret);
            checked(&request().send().with(200));
            checked(&request().bearer(&token.secret).send().with(401));
            checked(&request().basic("ada", &token.secret).send().with(401));
            checked(&request().header("authorization", "").send().with(401));
        }
    }
}

fn a_session_opens_nothing(portal: Portal) {
    portal.repository("alpha");
    let browser = portal.user_with("ada", "administrator").sign_in();
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/alpha")] {
            let answer = browser.request("GET", &path).header(header, "GET").send().with(401);
            assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
        }
    }
}

fn a_services_token_opens_nothing(portal: Portal) {
    portal.repository("alpha");
    let (_, secret) = portal.service("build-cache");
    portal.api(&secret, "/api/v1/me").with(200);
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/alpha")] {
            checked(&portal.request("GET", &path).header(header, "GET").bearer(&secret).send().with(403));
        }
    }
}

fn what_is_not_surely_a_read_is_a_write(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user_with("ada", "repository-manager");
    let (reads, writes) = (portal.token_named(&ada, "reads"), writer(&portal, "eve"));
    for (door, header) in DIALECTS {
        let path = format!("{door}/alpha");
        let status = |token: &Token, methods: &[&[u8]]| {
            let request = portal.request("GET", &path).bearer(&token.secret);
            let request = methods.iter().fold(request, |request, method| request.header(header, method));
            checked(&request.send()).0
        };
        for read in [b"GET".as_slice(), b"HEAD", b"OPTIONS"] {
            assert_eq!((status(&reads, &[read]), status(&writes, &[read])), (200, 200));
        }
        for write in [
            &[b"POST".as_slice()][..],
            &[b"PUT"],
            &[b"DELETE"],
            &[b"PATCH"],
            &[b"options"],
            &[b"TRACE"],
            &[b"CONNECT"],
            &[b"PROPFIND"],
            &[b"get"],
            &[b"Get"],
            &[b"GETS"],
            &[b"GE"],
            &[b"GET /"],
            &[b"GET,GET"],
            &[b"GET, HEAD"],
            &[b"G\xc3\x8bT"],
            &[b"\xff"],
            &[b""],
            &[],
            &[b"GET", b"GET"],
            &[b"GET", b"POST"],
            &[b"POST", b"GET"],
            &[b"", b"GET"],
            &[b"GET", b""],
        ] {
            assert_eq!((status(&reads, write), status(&writes, write)), (403, 200), "{write:?} at {door}");
        }
        // The method of the proxy's own request says nothing.
        for own in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PURGE"] {
            let request = || portal.request(own, &path).bearer(&reads.secret);
            checked(&request().header(header, "GET").send().with(200));
            assert_eq!(request().header(header, "POST").send().status, 403);
            assert_eq!(request().send().status, 403);
        }
    }
}

fn the_other_dialect_is_not_heard(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let reads = portal.token(&ada, |_| {});
    for (door, own, other) in [("/auth/nginx", "original", "forwarded"), ("/auth/forward", "forwarded", "original")] {
        let request = || portal.request("GET", &format!("{door}/alpha")).bearer(&reads.secret);
        let foreign = |request: Request<'_>| {
            let request =
                request.header(&format!("x-{other}-method"), "GET").header("x-original-url", "https://x/public");
            let request = request.header(&format!("x-{other}-uri"), "/public").header("x-http-method-override", "GET");
            request.header(&format!("x_{own}_method"), "GET").send()
        };
        checked(&foreign(request()).with(403));
        checked(&foreign(request().header(&format!("x-{own}-method"), "POST")).with(403));
        let answer = request().header(&format!("x-{own}-method"), "GET").header(&format!("x-{other}-method"), "POST");
        checked(&answer.send().with(200));
    }
    // What the client says of itself is not heard either.
    for (door, header) in DIALECTS {
        let request = portal.request("GET", &format!("{door}/alpha")).bearer(&reads.secret).header(header, "GET");
        let request = HEADERS.iter().fold(request, |request, name| request.header(name, "forged"));
        let (_, values) = checked(&request.send().with(200));
        assert!(!values.contains(&"forged".to_owned()), "{values:?}");
    }
}

fn who_is_no_proxy_of_ours_tells_no_method(portal: Portal) {
    portal.repository("alpha");
    let (reads, writes) = (portal.token(&portal.user("ada"), |_| {}), writer(&portal, "eve"));
    let portal = portal.restarted(|config| config.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")]);
    assert_eq!((ask(&portal, &reads.secret, "GET"), ask(&portal, &writes.secret, "GET")), (403, 200));
    for (door, header) in DIALECTS {
        checked(&portal.request("GET", door).header(header, "GET").bearer(&reads.secret).send().with(200));
        // Nor does a proxy help that it only names.
        let request = portal.request("GET", &format!("{door}/alpha")).header(header, "GET").bearer(&reads.secret);
        checked(&request.at("10.0.0.1").send().with(403));
    }
    let portal = portal.restarted(|config| config.trusted_proxies = Vec::new());
    assert_eq!((ask(&portal, &reads.secret, "GET"), ask(&portal, &writes.secret, "GET")), (403, 200));
}

fn credentials_over_plain_http_are_refused(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada");
    portal.unchanged("plain HTTP", || {
        for (door, header) in DIALECTS {
            for path in [door.to_owned(), format!("{door}/alpha")] {
                for (name, value) in [
                    ("x-forwarded-proto", "http"),
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-for", "203.0.113.7"),
                ] {
                    let request = portal.request("GET", &path).header(header, "GET").bearer(&token.secret);
                    let answer = request.header(name, value).send().with(403);
                    checked(&answer);
                    assert!(answer.text().starts_with("Credentials are not accepted over plain HTTP."));
                }
                let request = portal.request("GET", &path).header(header, "GET").bearer(&token.secret);
                let local = request.header("x-forwarded-proto", "http").header("x-forwarded-for", "127.0.0.1");
                checked(&local.send().with(200));
                let request = portal.request("GET", &path).header(header, "GET").bearer(&token.secret);
                checked(&request.at("203.0.113.7").send().with(200));
            }
        }
    });
}

fn what_is_not_there_and_what_is_not_allowed_look_alike(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    portal.role("api", &[Privilege::ApiAccess]);
    let blind = portal.token(&portal.user_with("blind", "api"), |_| {});
    let tell = |answer: Answer| {
        checked(&answer);
        (answer.status, answer.text().to_owned(), answer.headers_named("www-authenticate").len())
    };
    for (door, header) in DIALECTS {
        let ask = |name: &str| {
            let request = portal.request("GET", &format!("{door}/{name}")).header(header, "GET");
            tell(request.bearer(&blind.secret).send())
        };
        let missing = ask("missing");
        assert_eq!(missing, (403, "This token does not open what was asked for.\n".into(), 0));
        for name in
            ["alpha", "beta", "new", "ALPHA", "alpha-", "a..b", "-", "%20alpha", "alpha%20", "%C3%A4", "a%2Fb", "%00"]
        {
            assert_eq!(ask(name), missing, "{name}");
        }
        assert_eq!(ask(&"a".repeat(3_000)), missing);
    }
}

fn an_address_that_is_put_together_wrongly_opens_nothing(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada").secret;
    for path in [
        "/auth/",
        "/auth",
        "/auth/nginx/",
        "/auth/forward/",
        "/auth//nginx",
        "/auth/nginx//",
        "/auth/nginx//alpha",
        "/auth/nginx/alpha/",
        "/auth/nginx/alpha/x",
        "/auth/nginx/../forward",
        "/auth/nginx/./alpha",
        "/auth/nginx/%2e%2e",
        "/auth/nginx/..",
        "/auth/nginx/%2falpha",
        "/auth/nginx/alpha%2f",
        "/auth/nginx/alpha%3Fx",
        "/auth/nginx/alpha;x=1",
        "/auth/nginx/alpha%00",
        "/auth/nginx/%61lph%61%20",
        "/auth/nginxalpha",
        "/auth/nginx?/alpha/..",
        "/auth/NGINX/alpha",
        "/auth/caddy/alpha",
        "/auth/traefik",
        "/auth/nginx/{name}",
        "/auth/nginx/$repository",
    ] {
        for secret in [&token, "nonsense"] {
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Original-Method: GET\r\nX-Forwarded-Method: GET\r\n\
                 Authorization: Bearer {secret}\r\n\r\n"
            );
            let answer = raw::send(&portal, head.as_bytes());
            let opens = path == "/auth/nginx?/alpha/.." && *secret == token;
            let expected: &[u16] = if opens { &[200] } else { &[401, 403] };
            assert!(expected.contains(&raw::status(&answer)), "{path}: {answer}");
        }
    }
}

fn a_query_is_passed_over(portal: Portal) {
    portal.repository("alpha");
    let beta = portal.repository("beta");
    let ada = portal.user("ada");
    let selected = portal.token(&ada, |wish| wish.repositories = RepositorySelection::Selected(vec![beta]));
    let secret = &selected.secret;
    for (door, header) in DIALECTS {
        for query in [
            "repository=beta".to_owned(),
            "name=beta&method=GET&X-Original-Method=GET".into(),
            format!("{header}=GET"),
            format!("access_token={secret}"),
            "%ff%00&&==".into(),
            "x".repeat(10_000),
        ] {
            let request = |path: &str, method: &str| {
                let request = portal.request("GET", &format!("{door}{path}?{query}")).bearer(secret);
                checked(&request.header(header, method).send()).0
            };
            assert_eq!(request("/alpha", "GET"), 403, "{query}");
            assert_eq!(request("/beta", "GET"), 200, "{query}");
            assert_eq!(request("/beta", "POST"), 403, "{query}");
            assert_eq!(request("", "GET"), 200, "{query}");
            let without = portal.request("GET", &format!("{door}/beta?{query}")).header(header, "GET").send();
            assert_eq!(checked(&without).0, 401, "{query}");
        }
    }
}

fn a_repositorys_token_opens_its_own_repository_only(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let alpha = ada.create_repository("alpha");
    for name in ["beta", "alpha2", "alpha-x", "a"] {
        ada.create_repository(name);
    }
    for method in ["GET", "HEAD", "POST", "DELETE", ""] {
        assert_eq!(ask_at(&portal, &alpha, method, "alpha"), 200);
        for other in ["beta", "alpha2", "alpha-x", "a", "missing"] {
            assert_eq!(ask_at(&portal, &alpha, method, other), 403, "{other}");
        }
    }
    for (door, header) in DIALECTS {
        let request =
            |name: &str| portal.request("GET", &format!("{door}/alpha")).header(header, "GET").basic(name, &alpha);
        request("alpha").send().with(200);
        for name in ["", "Alpha", "beta", "ada"] {
            checked(&request(name).send().with(401));
        }
    }
    let new = ada.generate_new("alpha", "after 1 hour");
    portal.advance(HOUR - 1);
    assert_eq!((ask(&portal, &alpha, "POST"), ask(&portal, &new, "POST")), (200, 200));
    portal.advance(1);
    assert_eq!((ask(&portal, &alpha, "POST"), ask(&portal, &new, "POST")), (401, 200));
    portal
        .sql("DELETE FROM repository_tokens WHERE repository_id IN (SELECT id FROM repositories WHERE name = 'alpha')");
    assert_eq!(ask(&portal, &new, "GET"), 401);
}

fn selected_repositories_limit_a_token(portal: Portal) {
    let (alpha, _) = (portal.repository("alpha"), portal.repository("beta"));
    let ada = portal.user_with("ada", "repository-manager");
    let token = portal.token(&ada, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.repositories = RepositorySelection::Selected(vec![alpha]);
    });
    for method in ["GET", "POST"] {
        assert_eq!(ask_at(&portal, &token.secret, method, "alpha"), 200);
        assert_eq!(ask_at(&portal, &token.secret, method, "beta"), 403);
    }
}

fn what_ends_a_token_ends_it_at_the_very_next_check(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let (revoked, disabled) = (portal.token_named(&ada, "revoked"), portal.token_named(&ada, "disabled"));
    let expires = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(HOUR)));
    let lives = portal.token_named(&ada, "lives");
    for (token, end) in [
        (&revoked, &(|| portal.revoke(&revoked)) as &dyn Fn()),
        (&disabled, &|| portal.disable(&disabled)),
        (&expires, &|| {
            portal.advance(HOUR - 1);
            assert_eq!(ask(&portal, &expires.secret, "GET"), 200);
            portal.advance(1);
        }),
        (&lives, &|| ada.disable()),
    ] {
        assert_eq!(ask(&portal, &token.secret, "GET"), 200);
        end();
        assert_eq!(ask(&portal, &token.secret, "GET"), 401);
        for (door, _) in DIALECTS {
            checked(&portal.request("GET", door).bearer(&token.secret).send().with(401));
        }
    }
}

fn what_takes_a_right_away_takes_it_at_the_very_next_check(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    let token = portal.token(&ada, |wish| wish.permissions.repositories = Permission::Write);
    let both = || (ask(&portal, &token.secret, "GET"), ask(&portal, &token.secret, "POST"));
    assert_eq!(both(), (403, 403));
    ada.grant(alpha, Permission::Read);
    assert_eq!(both(), (200, 403));
    ada.grant(alpha, Permission::Write);
    assert_eq!(both(), (200, 200));
    ada.ungrant();
    assert_eq!(both(), (403, 403));
    ada.add_role("repository-manager");
    assert_eq!(both(), (200, 200));
    ada.strip();
    ada.add_role("developer");
    assert_eq!(both(), (200, 403));
    ada.strip();
    ada.add_role("viewer");
    assert_eq!(both(), (401, 401), "without API Access no token is good");
    ada.add_role("api");
    assert_eq!(both(), (200, 403));
    portal.sql("UPDATE roles SET privileges = 'view_repositories' WHERE name = 'api'");
    assert_eq!(both(), (401, 401));
}

fn a_rotated_token_works_until_its_moment_and_not_a_second_longer(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let (graced, at_once) = (portal.token_named(&ada, "graced"), portal.token_named(&ada, "at once"));
    let browser = ada.sign_in();
    let rotate = |token: &Token, stops: &str| {
        let form = browser.page(&token.page("rotation")).form("Rotate token").choose("Old token stops working", stops);
        browser.follow(browser.submit(&form)).secret().expect("the new token is shown")
    };
    let new = rotate(&at_once, "at once");
    assert_eq!((ask(&portal, &at_once.secret, "GET"), ask(&portal, &new, "GET")), (401, 200));
    let new = rotate(&graced, "after 1 hour");
    portal.advance(HOUR - 1);
    assert_eq!((ask(&portal, &graced.secret, "GET"), ask(&portal, &new, "GET")), (200, 200));
    portal.advance(1);
    assert_eq!((ask(&portal, &graced.secret, "GET"), ask(&portal, &new, "GET")), (401, 200));
}

fn a_database_that_does_not_answer_is_unavailable(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada");
    let repository_token = Secret::generate(SecretKind::RepositoryToken, &mut randomness::system());
    portal.sql("ALTER TABLE users RENAME TO nobody");
    portal.sql("ALTER TABLE repositories RENAME TO elsewhere");
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/alpha")] {
            for secret in [token.secret.as_str(), repository_token.reveal()] {
                let answer = portal.request("GET", &path).header(header, "GET").bearer(secret).send().with(503);
                checked(&answer);
                assert_eq!(answer.header("retry-after"), Some("2"));
                assert_eq!(answer.text(), "The portal is busy at this moment. Try again in a few seconds.\n");
            }
            checked(&portal.request("GET", &path).bearer("nonsense").send().with(401));
        }
    }
}

fn nothing_but_what_proxies_understand_is_ever_answered(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada").secret;
    let good = format!("Authorization: Bearer {token}\r\nX-Original-Method: GET\r\nX-Forwarded-Method: GET\r\n");
    let long = format!("/auth/nginx/{}", "a".repeat(9_000));
    let query = format!("/auth/forward/alpha?{}", "a".repeat(9_000));
    let absolute = "http://evil.example/auth/nginx/alpha";
    let (many, large) = ("X-Y: z\r\n".repeat(70), format!("X-Y: {}\r\n", "z".repeat(20_000)));
    let paths = ["/auth/nginx", "/auth/forward/alpha", "/auth/nginx/%ff", "/auth/nginx/", &long, &query, absolute];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PRI", "PURGE", "get",
        "M-SEARCH",
    ];
    let heads = [
        "",
        &good,
        "Authorization: x\r\n",
        &many,
        &large,
        "Cookie: th_session=1; __Host%2Dth_session=2; \u{e6}=\u{f8}\r\n",
        "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
        "Expect: 100-continue\r\nContent-Length: 3\r\n",
        "Expect: something\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\n",
        "Accept: application/json\r\nAccept-Encoding: br\r\n",
        "If-None-Match: *\r\nIf-Match: x\r\nRange: bytes=0-0\r\nIf-Modified-Since: x\r\n",
        "Content-Type: application/json\r\nContent-Encoding: br\r\n",
        "X-Forwarded-For: nonsense, , 1\r\nX-Forwarded-Proto: gopher\r\nForwarded: for=x\r\n",
        "X-Original-Method: \u{fe}\r\nX-Forwarded-Uri: \u{ff}\r\nUser-Agent: \u{e4}\r\n",
    ];
    let bodies = [
        "",
        "Content-Length: 3\r\n\r\nabc",
        "Content-Length: 70000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    for method in methods {
        for path in paths {
            for head in heads {
                for body in bodies {
                    let plain = head.is_empty() || head == good;
                    // A body that nobody reads is waited for a while before the connection is closed.
                    let slow =
                        !body.is_empty() && (method, path, head) != ("POST", "/auth/forward/alpha", good.as_str());
                    if slow || !(plain || method == "GET") {
                        continue;
                    }
                    let end = if body.is_empty() { "\r\n" } else { body };
                    let text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}{end}");
                    let answer = raw::send(&portal, text.as_bytes());
                    let status = raw::status(answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n"));
                    assert!([200, 401, 403, 503].contains(&status), "{:?}: {answer}", &text[..text.len().min(300)]);
                    assert!(status != 200 || head == good, "{text}: {answer}");
                }
            }
        }
    }
}

fn any_good_token_opens_the_door_without_a_repository(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let of_alpha = browser.create_repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let eve = portal.user_with("eve", "api");
    let token = portal.token(&eve, |wish| wish.permissions.repositories = Permission::None);
    for (door, header) in DIALECTS {
        for method in ["GET", "POST", "x"] {
            let request = |secret: &str| portal.request("GET", door).header(header, method).bearer(secret).send();
            let (status, values) = checked(&request(&token.secret));
            assert_eq!((status, values.join(" ")), (200, format!("eve api_token {} ci  ", token.id)));
            let (status, values) = checked(&request(&of_alpha));
            let [user, kind, id, name, repository, permission] = values;
            assert_eq!((status, user.as_str(), kind.as_str(), id.len()), (200, "", "repository_token", 18));
            assert_eq!([name.as_str(), &repository, &permission], ["", "alpha", ""]);
        }
    }
}

fn all_headers_are_there_and_hold_no_more_than_they_may(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user_with("ada", "repository-manager");
    for (name, expected) in [
        ("ci", "ci"),
        ("Größe 100%", "Gr%C3%B6%C3%9Fe 100%25"),
        ("%0d%0aX-Auth-User: root", "%250d%250aX-Auth-User: root"),
        ("\u{1f511}", "%F0%9F%94%91"),
        ("a, b; \"c\"", "a, b; \"c\""),
    ] {
        let token = portal.token(&ada, |wish| {
            wish.name = TokenName::parse(name).expect("a name");
            wish.permissions.repositories = Permission::Write;
        });
        for (door, header) in DIALECTS {
            for (method, by) in [("GET", format!("Bearer {}", token.secret)), ("PUT", basic("ADA", &token.secret))] {
                let request = portal.request("GET", &format!("{door}/alpha")).header(header, method);
                let (status, values) = checked(&request.header("authorization", by).send());
                let id = token.id.to_string();
                assert_eq!(status, 200);
                assert_eq!(values, ["ada", "api_token", &id, expected, "alpha", "write"]);
            }
        }
    }
    let reads = portal.token_named(&ada, "reads");
    let request = portal.request("GET", "/auth/nginx/alpha").header("x-original-method", "HEAD").bearer(&reads.secret);
    assert_eq!(checked(&request.send()).1[5], "read");
}

fn repository_named_like_user_is_never_that_user(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let own = browser.create_repository("ada");
    let writes = writer(&portal, "eve");
    for (door, header) in DIALECTS {
        for path in [door.to_owned(), format!("{door}/ada")] {
            let request = portal.request("GET", &path).header(header, "GET");
            let (_, [user, kind, _, _, repository, _]) = checked(&request.clone().bearer(&own).send().with(200));
            assert_eq!([user.as_str(), &kind, &repository], ["", "repository_token", "ada"], "{path}");
            let (_, values) = checked(&request.bearer(&writes.secret).send().with(200));
            assert_eq!([values[0].as_str(), &values[1]], ["eve", "api_token"], "{path}");
        }
    }
    assert_eq!(portal.api(&own, "/api/v1/me").json()["username"], serde_json::Value::Null);
    let (_, service) = portal.service("wiki");
    assert_eq!(portal.introspect(&service, &own).json().get("username"), None);
    let rotation = portal.request("POST", "/api/v1/repositories/ada/token").bearer(&own);
    rotation.header("content-type", "application/json").body("{}").send().with(201);
    browser.page("/repositories/ada/configure").says("by repository “ada”");
    browser.page("/repositories/ada/activity").says("repository “ada”");
}

fn forwarded_value_with_control_character_is_refused(portal: Portal) {
    portal.repository("alpha");
    let token = writer(&portal, "ada");
    for (door, header) in DIALECTS {
        let path = format!("{door}/alpha");
        for name in ["X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded", header] {
            let request = || portal.request("GET", &path).header(header, "GET").bearer(&token.secret);
            let answer = request().header(name, "/a\tb").send();
            assert_eq!(checked(&answer).0, 403, "{name}");
            for control in ["\u{1b}", "\u{7f}", "\u{1}", "\0"] {
                let head = format!(
                    "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{header}: GET\r\n\
                     {name}: /a{control}b\r\n\r\n",
                    token.secret
                );
                let status = raw::status(&raw::send(&portal, head.as_bytes()));
                assert!([400, 403].contains(&status), "{name} with {control:?}: {status}");
            }
        }
    }
}

/// What Traefik sends with the configuration that the Configure tab prints: of the client's headers those that it names, and its own.
fn what_traefik_sends_is_understood(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let secret = browser.create_repository("pay.ments");
    let page = browser.page("/repositories/pay.ments/configure");
    page.says("It requires https").says("This address must be an internal one");
    let code = page.texts("pre#integration-traefik").concat();
    let address = code.split("address: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    let path = address.strip_prefix(portal.shared.settings.public_url.as_str()).expect("it is this portal's");
    assert!(code.contains("trustForwardHeader: false"), "{code}");
    for name in HEADERS {
        assert!(code.to_lowercase().contains(&format!("- {name}")), "{name} in {code}");
    }
    assert!(code.contains("# This address must be an internal one"), "{code}");
    for (method, expected) in [("GET", 200), ("POST", 200), ("OPTIONS", 200)] {
        let request = portal.request("GET", path).basic("pay.ments", &secret).header("user-agent", "curl/8");
        let request = request.header("x-forwarded-method", method).header("x-forwarded-proto", "https");
        let request = request.header("x-forwarded-host", "pay.example.org").header("x-forwarded-uri", "/a?b=c");
        let request = request.header("x-forwarded-for", "203.0.113.7").header("x-forwarded-port", "443");
        checked(&request.send().with(expected));
    }
}

fn uses_are_counted_where_the_client_is(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for (door, header) in DIALECTS {
        let request = portal.request("GET", &format!("{door}/alpha")).header(header, "GET").bearer(&token.secret);
        request.at("203.0.113.7").header("user-agent", "curl/8").send().with(200);
    }
    portal.flush();
    let browser = ada.sign_in();
    let rows = browser.page(&token.path()).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        [rows[0].cell("Address"), rows[0].cell("User agent"), rows[0].cell("Uses")],
        ["203.0.113.7", "curl/8", "2"]
    );
    browser.page("/repositories/alpha").says("203.0.113.7");
}
