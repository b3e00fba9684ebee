//! What a program presents, at every door and in every bad state: one and the same refusal.

use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::support::request::basic;
use crate::support::{Answer, Portal, Token, User, on_both, raw};

on_both![
    every_bad_token_is_refused_alike_by_bearer_and_basic,
    every_unusable_header_is_refused_alike,
    another_username_is_refused,
    generic_username_with_api_token_is_accepted_for_its_owner,
    token_scheme_and_bare_token_are_accepted_at_every_endpoint,
    refused_credentials_say_which_schemes_are_accepted,
    a_token_in_an_address_is_an_error_that_says_so,
    a_cookie_opens_no_door,
    a_token_opens_no_page,
    an_owners_password_opens_no_door,
    good_tokens_in_all_their_spellings_are_taken,
    a_refused_token_counts_no_use,
    whitespace_around_a_token_is_ignored,
    scheme_of_a_trusted_proxy_is_read_in_any_case,
    nothing_is_taken_over_plain_http,
];

const DAY: i64 = 86_400;
const DOORS: [&str; 4] =
    ["/api/v1/me", "/api/v1/repositories", "/api/v1/repositories/alpha", "/api/v1/repositories/nowhere"];

/// Status, headers and body, without the number of the request and the date.
fn normalised(answer: &Answer) -> (u16, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text().to_owned())
}

fn generated(kind: SecretKind) -> String {
    Secret::generate(kind, &mut randomness::system()).reveal().to_owned()
}

/// Each way in which a token may be bad.
fn bad_tokens(portal: &Portal, ada: &User<'_>) -> Vec<(&'static str, String)> {
    let good = portal.token_named(ada, "good").secret;
    let disabled = portal.token_named(ada, "disabled");
    let revoked = portal.token_named(ada, "revoked");
    let disabled_and_revoked = portal.token_named(ada, "both");
    let expired = portal.token(ada, |wish| wish.expires_at = Some(portal.later(0)));
    let replaced = portal.token_named(ada, "replaced");
    for token in [&disabled, &disabled_and_revoked] {
        portal.disable(token);
    }
    for token in [&revoked, &disabled_and_revoked] {
        portal.revoke(token);
    }
    let browser = ada.sign_in();
    browser.submit(&browser.page(&replaced.page("rotation")).form("Rotate token")).with(303);
    let eve = portal.user("eve");
    let of_eve = portal.token(&eve, |_| {});
    eve.disable();
    let vera = portal.user("vera");
    let of_vera = portal.token(&vera, |_| {});
    vera.strip();
    vera.add_role("viewer");
    let mut wrong_checksum = good.clone();
    let last = if wrong_checksum.pop() == Some('0') { '1' } else { '0' };
    wrong_checksum.push(last);
    let (head, tail) = good.split_at(20);
    let swapped = if head.ends_with('a') { "b" } else { "a" };
    vec![
        ("unknown", generated(SecretKind::ApiToken)),
        ("a repository's", generated(SecretKind::RepositoryToken)),
        ("a service's", generated(SecretKind::ServiceToken)),
        ("of another prefix", good.replace("thp_", "thx_")),
        ("of a repository's prefix", good.replace("thp_", "thr_")),
        ("with a wrong checksum", wrong_checksum),
        ("with a letter changed", format!("{}{swapped}{tail}", &head[..19])),
        ("too short", good[..41].to_owned()),
        ("too long", format!("{good}0")),
        ("in capitals", good.to_uppercase()),
        ("empty", String::new()),
        ("expired", expired.secret),
        ("disabled", disabled.secret),
        ("revoked", revoked.secret),
        ("disabled and revoked", disabled_and_revoked.secret),
        ("replaced", replaced.secret),
        ("of a disabled owner", of_eve.secret),
        ("of an owner without API Access", of_vera.secret),
    ]
}

fn every_bad_token_is_refused_alike_by_bearer_and_basic(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let nothing = normalised(&portal.request("GET", "/api/v1/me").send().with(401));
    for (what, secret) in bad_tokens(&portal, &ada) {
        for door in DOORS {
            for username in ["ada", "eve", "vera"] {
                let answer = portal.request("GET", door).basic(username, &secret).send();
                assert_eq!(normalised(&answer), nothing, "{what} at {door} by Basic");
            }
            assert_eq!(normalised(&portal.api(&secret, door)), nothing, "{what} at {door} by Bearer");
        }
    }
}

fn every_unusable_header_is_refused_alike(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let secret = token.secret.as_str();
    let nothing = normalised(&portal.request("GET", "/api/v1/me").send().with(401));
    let ask = |header: &[u8]| portal.request("GET", "/api/v1/me").header("authorization", header).send();
    let encoded = basic("ada", secret);
    let encode = |bytes: &[u8]| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(bytes))
    };
    for header in [
        String::new(),
        format!("Bearer{secret}"),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Bearer \"{secret}\""),
        format!("Bearer {secret} {secret}"),
        format!("Bearer {secret}, Basic x"),
        format!("Digest {secret}"),
        format!("Token {}", &encoded[6..]),
        format!("Basic {secret}"),
        format!("Bearer {}", &encoded[6..]),
        encode(secret.as_bytes()),
        encode(format!("ada{secret}").as_bytes()),
        encode(format!("ada:{secret}:").as_bytes()),
        encode(format!("{secret}:").as_bytes()),
        encode(format!("{secret}:x-oauth-basic").as_bytes()),
        encode(&[b"ada:\xff\xfe".as_slice(), secret.as_bytes()].concat()),
        encode(format!("{}:{secret}", "a".repeat(600)).as_bytes()),
        format!("{encoded}!"),
        format!("Basic {}", &encoded[6..encoded.len() - 3]),
        "Basic ====".into(),
        format!("Bearer {}", "x".repeat(15_000)),
        format!("Basic {}", "QUFB".repeat(3_750)),
    ] {
        let shown = &header[..header.len().min(60)];
        assert_eq!(normalised(&ask(header.as_bytes())), nothing, "{shown}");
    }
    for value in [b"Bearer \xff\xfe".as_slice(), format!("Bearer {secret}\u{e4}").as_bytes(), b"\xc3"] {
        let head = b"GET /api/v1/me HTTP/1.1\r\nHost: any\r\nConnection: close\r\nAuthorization: ";
        let answer = raw::send(&portal, &[head, value, b"\r\n\r\n"].concat());
        assert_eq!(raw::status(&answer), 401, "{answer}");
    }
    let both = portal.request("GET", "/api/v1/me").bearer(secret).basic("ada", secret).send();
    assert_eq!(normalised(&both), nothing, "two headers, though each is good");
    let twice = portal.request("GET", "/api/v1/me").bearer(secret).bearer(secret).send();
    assert_eq!(normalised(&twice), nothing);
    portal.request("GET", "/api/v1/me").header("authorization", vec![b'x'; 64 * 1024]).send().with(431);
}

fn another_username_is_refused(portal: Portal) {
    let (ada, _) = (portal.user("ada"), portal.user("eve"));
    let token = portal.token(&ada, |_| {});
    let nothing = normalised(&portal.request("GET", "/api/v1/me").send());
    let others =
        ["eve", "ada ", " ada", "ad", "adaa", "nobody", "äda", "ada@example.org", "tokens", "oauth", "_token_"];
    for username in others {
        let answer = portal.request("GET", "/api/v1/me").basic(username, &token.secret).send();
        assert_eq!(normalised(&answer), nothing, "{username:?}");
    }
}

const GENERIC_USERNAMES: [&str; 6] = ["", "__token__", "x-access-token", "oauth2", "token", "OAuth2"];

fn generic_username_with_api_token_is_accepted_for_its_owner(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    // Users whose own names are among the generic ones.
    let owners = [portal.user("token"), portal.user("oauth2")];
    let alpha = ada.sign_in().create_repository("alpha");
    let (_, service) = portal.service("wiki");
    for owner in owners.iter().chain([&ada]) {
        let token = portal.token(owner, |_| {});
        for username in GENERIC_USERNAMES.iter().chain([&token.username]) {
            let me = portal.request("GET", "/api/v1/me").basic(username, &token.secret).send().with(200).json();
            assert_eq!(me["username"], token.username, "the token says whose it is, not {username:?}");
        }
    }
    // A repository's token and a service's come with their own names alone.
    for username in GENERIC_USERNAMES {
        portal.request("GET", "/api/v1/me").basic(username, &alpha).send().with(401);
        portal.request("GET", "/api/v1/me").basic(username, &service).send().with(401);
    }
    portal.request("GET", "/api/v1/me").basic("alpha", &alpha).send().with(200);
    portal.request("GET", "/api/v1/me").basic("wiki", &service).send().with(200);
}

fn token_scheme_and_bare_token_are_accepted_at_every_endpoint(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let (_, service) = portal.service("wiki");
    let of = |secret: &str| [format!("Token {secret}"), format!("tOKEN {secret}"), secret.to_owned()];
    for authorization in of(&token) {
        for path in ["/api/v1/me", "/auth/nginx", "/auth/forward", "/oci/token", "/api/v1/repositories/alpha"] {
            portal.request("GET", path).header("authorization", &authorization).send().with(200);
        }
    }
    for authorization in of(&service) {
        let request = portal.request("POST", "/oauth/introspect").header("authorization", &authorization);
        assert_eq!(request.form(&[("token", &token)]).send().with(200).json()["active"], true);
    }
}

fn refused_credentials_say_which_schemes_are_accepted(portal: Portal) {
    for header in ["Digest x", "Token x", "x", "Bearer x", "Basic x"] {
        for (method, path) in [
            ("GET", "/api/v1/me"),
            ("GET", "/auth/nginx"),
            ("GET", "/auth/forward"),
            ("GET", "/oci/token"),
            ("POST", "/oauth/introspect"),
        ] {
            let answer = portal.request(method, path).header("authorization", header).send().with(401);
            assert!(answer.text().contains("Send the token as Bearer or Basic."), "{path}: {answer:?}");
        }
    }
}

fn a_token_in_an_address_is_an_error_that_says_so(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let secret = &token.secret;
    for path in [
        format!("/api/v1/me?access_token={secret}"),
        format!("/api/v1/me?{secret}"),
        format!("/api/v1/repositories/{secret}"),
        format!("/api/{secret}"),
        format!("/api/v1/me?token={}", &secret[..30]),
    ] {
        for request in [portal.request("GET", &path), portal.request("GET", &path).bearer(secret)] {
            let answer = request.send().with(400);
            let detail = answer.json()["detail"].as_str().expect("a sentence").to_owned();
            assert!(detail.starts_with("A token does not belong into an address"), "{detail}");
            assert!(!answer.text().contains(&secret[..30]));
        }
    }
    let browser = ada.sign_in();
    for path in [format!("/profile?token={secret}"), format!("/profile/{secret}"), format!("/login?{secret}")] {
        let page = browser.open(&path).with(400).page();
        page.says("A token does not belong into an address.").does_not_say(&secret[..30]);
    }
    assert!(portal.accepts(secret), "it still works; its owner is told to revoke it");
}

fn a_cookie_opens_no_door(portal: Portal) {
    portal.repository("alpha");
    let browser = portal.user("ada").sign_in();
    for door in DOORS {
        let answer = browser.open(door).with(401);
        assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
    }
}

fn a_token_opens_no_page(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.permissions.account = tokenhouse::domain::permission::Permission::Write;
    });
    for path in ["/", "/profile", "/profile/api-tokens", "/profile/api-tokens/new", "/reauthenticate", &token.path()] {
        for header in [format!("Bearer {}", token.secret), basic("ada", &token.secret)] {
            let answer = portal.request("GET", path).header("authorization", &header).send();
            assert!(answer.location().starts_with("/login?next="), "{path}");
            assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
        }
    }
    portal.unchanged("a token at a page", || {
        for page in ["name", "rotation", "disablement", "enablement", "revocation"] {
            let request = portal.request("POST", &token.page(page)).by_own_page().bearer(&token.secret);
            request.form(&[("name", "cd")]).send().with(401);
        }
        let request = portal.request("POST", "/profile/api-tokens").by_own_page().bearer(&token.secret);
        request.form(&[("name", "cd")]).send().with(401);
    });
    // Beside a session it is passed over.
    let browser = ada.sign_in();
    let bad = browser.request("GET", "/profile").header("authorization", "Bearer x");
    browser.send(bad).with(200);
}

fn an_owners_password_opens_no_door(portal: Portal) {
    portal.user("ada");
    portal.request("GET", "/api/v1/me").basic("ada", crate::support::PASSWORD).send().with(401);
    portal.request("GET", "/api/v1/me").bearer(crate::support::PASSWORD).send().with(401);
}

fn good_tokens_in_all_their_spellings_are_taken(portal: Portal) {
    let ada = portal.user("ada");
    let Token { secret, .. } = portal.token(&ada, |_| {});
    let encoded = basic("ada", &secret);
    for header in [
        format!("Bearer {secret}"),
        format!("bearer {secret}"),
        format!("BEARER {secret}"),
        format!("Bearer  {secret}  "),
        format!("Token {secret}"),
        format!("TOKEN {secret}"),
        secret.clone(),
        encoded.clone(),
        encoded.replace("Basic", "basic"),
        basic("ADA", &secret),
    ] {
        portal.request("GET", "/api/v1/me").header("authorization", &header).send().with(200);
    }
    // The name of the header in any case too.
    let raw = raw::send(
        &portal,
        format!("GET /api/v1/me HTTP/1.1\r\nHost: any\r\nAUTHORIZATION: Bearer {secret}\r\nConnection: close\r\n\r\n")
            .as_bytes(),
    );
    assert_eq!(raw::status(&raw), 200, "{raw}");
}

fn a_refused_token_counts_no_use(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(DAY)));
    portal.advance(DAY);
    portal.unchanged("a refused token", || {
        assert!(!portal.accepts(&token.secret));
        portal.request("GET", "/api/v1/me").basic("eve", &token.secret).send().with(401);
        portal.flush();
    });
}

fn whitespace_around_a_token_is_ignored(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    for pasted in [format!("{token}\n"), format!(" {token}\r\n"), format!("\t{token} ")] {
        portal.request("GET", "/api/v1/me").basic("ada", &pasted).send().with(200);
        portal.request("GET", "/auth/nginx").basic("ada", &pasted).send().with(200);
        portal.request("GET", "/oci/token?service=registry").basic("ada", &pasted).send().with(200);
    }
    for header in [format!("Bearer  {token}"), format!("Bearer\t{token}\t"), format!("bearer {token} ")] {
        portal.request("GET", "/api/v1/me").header("authorization", &header).send().with(200);
    }
}

fn scheme_of_a_trusted_proxy_is_read_in_any_case(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let status =
        |name: &str, value: &str| portal.request("GET", "/api/v1/me").bearer(&token).header(name, value).send().status;
    for scheme in ["https", "HTTPS", "Https", "wss", "WSS"] {
        assert_eq!(status("x-forwarded-proto", scheme), 200, "{scheme}");
        assert_eq!(status("forwarded", &format!("for=203.0.113.7;proto={scheme}")), 200, "{scheme}");
    }
    for scheme in ["http", "HTTP", "ws", "WS", "gopher", ""] {
        assert_eq!(status("x-forwarded-proto", scheme), 403, "{scheme}");
    }
    assert_eq!(status("forwarded", "for=203.0.113.7"), 403);
    // A proxy that writes one of the two passes on the other as its client wrote it.
    let request = portal.request("GET", "/api/v1/me").bearer(&token).header("x-forwarded-proto", "http");
    request.header("forwarded", "for=203.0.113.7;proto=https").send().with(403);
}

fn nothing_is_taken_over_plain_http(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let sentence = "Credentials are not accepted over plain HTTP. Use the portal's https address.";
    let fields = [("username", "ada"), ("password", crate::support::PASSWORD), ("next", "/")];
    portal.unchanged("plain HTTP", || {
        // What a proxy without TLS says, or one that passes on an address and says nothing.
        for (name, value) in
            [("x-forwarded-proto", "http"), ("x-forwarded-proto", "https, http"), ("x-forwarded-for", "203.0.113.7")]
        {
            let answer = portal.request("GET", "/api/v1/me").bearer(&token.secret).header(name, value).send().with(403);
            assert_eq!(answer.json()["detail"], sentence);
            browser.request("GET", "/profile").header(name, value).send().with(403).page().says(sentence);
            let sign_in = portal.visitor().request("POST", "/login").header(name, value).form(&fields);
            sign_in.send().with(403).page().says(sentence);
        }
    });
    for request in [portal.request("GET", "/api/v1/me"), portal.request("GET", "/api/v1/me").at("203.0.113.7")] {
        request.bearer(&token.secret).send().with(200);
    }
}
