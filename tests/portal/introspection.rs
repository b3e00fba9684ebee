//! `/oauth/introspect` (RFC 7662): services ask about tokens.

use serde_json::{Value, json};
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::support::portal::START;
use crate::support::request::basic;
use crate::support::{Answer, Portal, on_both};

on_both![
    nobody_but_a_service_may_ask,
    introspection_with_form_encoded_basic_credentials_returns_200,
    introspection_with_credentials_in_the_body_returns_200,
    introspection_with_two_authentication_methods_returns_400,
    introspection_with_an_unreadable_body_and_no_credentials_returns_401,
    a_refused_caller_counts_no_use,
    requests_that_make_no_sense_are_errors_of_oauth,
    a_token_in_the_address_is_an_error_that_says_so,
    every_dead_token_is_told_by_the_same_bytes,
    token_with_whitespace_around_it_is_introspected,
    a_service_learns_nothing_of_services,
    a_good_api_token_is_told_with_what_it_may_do,
    a_good_repository_token_is_told_with_its_repository,
    a_limited_token_is_told_with_the_names_it_still_reaches,
    at_a_repository_the_scope_is_what_the_owner_may_do_there_now,
    scope_without_repository_is_limited_by_owner,
    scope_of_administration_is_limited_by_owner,
    scope_of_limited_token_is_limited_by_grants_on_its_repositories,
    a_replaced_secret_says_when_it_ends,
    what_dies_is_dead_at_the_next_question,
    a_question_counts_for_the_service_and_for_the_token,
    many_tokens_are_not_mixed_up,
];

const INTROSPECT: &str = "/oauth/introspect";

fn generated(kind: SecretKind) -> String {
    Secret::generate(kind, &mut randomness::system()).reveal().to_owned()
}

#[track_caller]
fn assert_inactive(answer: Answer, what: &str) {
    let answer = answer.with(200);
    assert_eq!(answer.text(), "{\"active\":false}", "{what}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
}

fn nobody_but_a_service_may_ask(portal: Portal) {
    let ada = portal.user_with("ada", "administrator");
    let token = portal.token(&ada, |wish| wish.permissions.administration = Permission::Write);
    let browser = ada.sign_in();
    let of_repository = browser.create_repository("alpha");
    let (_, service) = portal.service("wiki");
    let ask = |authorization: Option<String>| {
        let request = portal.request("POST", INTROSPECT).form(&[("token", token.secret.as_str())]);
        match authorization {
            Some(value) => request.header("authorization", value).send(),
            None => request.send(),
        }
    };
    for (what, authorization) in [
        ("nothing", None),
        ("an API token", Some(format!("Bearer {}", token.secret))),
        ("an API token by Basic", Some(basic("ada", &token.secret))),
        ("a repository's token", Some(format!("Bearer {of_repository}"))),
        ("a repository's token by Basic", Some(basic("alpha", &of_repository))),
        ("an unknown service", Some(format!("Bearer {}", generated(SecretKind::ServiceToken)))),
        ("another service's name", Some(basic("other", &service))),
        ("no name", Some(basic("", &service))),
        ("a password", Some(basic("ada", crate::support::PASSWORD))),
        ("nonsense", Some("Bearer x".into())),
    ] {
        let answer = ask(authorization).with(401);
        let description = "The credentials are missing or not accepted. Send the token as Bearer or Basic.";
        assert_eq!(answer.json(), json!({ "error": "invalid_client", "error_description": description }), "{what}");
        let schemes = answer.headers_named("www-authenticate");
        assert!(schemes.len() == 2 && schemes[0].starts_with("Bearer") && schemes[1].starts_with("Basic"), "{what}");
    }
    let twice = portal.request("POST", INTROSPECT).bearer(&service).bearer(&service);
    twice.form(&[("token", "x")]).send().with(401);
    browser.post(INTROSPECT, &[("token", token.secret.as_str())]).with(401);
    for authorization in [format!("Bearer {service}"), basic("wiki", &service)] {
        assert_eq!(ask(Some(authorization)).with(200).json()["active"], true);
    }
    let http = portal.request("POST", INTROSPECT).header("x-forwarded-proto", "http").bearer(&service);
    http.form(&[("token", token.secret.as_str())]).send().with(403);
}

fn introspection_with_form_encoded_basic_credentials_returns_200(portal: Portal) {
    let (_, service) = portal.service("build-cache");
    let token = portal.token(&portal.user("ada"), |_| {});
    let encoded = service.replace('_', "%5F");
    let ask = |name: &str, secret: &str| {
        let request = portal.request("POST", INTROSPECT).basic(name, secret);
        request.form(&[("token", token.secret.as_str())]).send()
    };
    for (name, secret) in [("build%2Dcache", &encoded), ("build-cache", &encoded), ("build%2dcache", &service)] {
        assert_eq!(ask(name, secret).with(200).json()["active"], true, "{name}:{secret}");
    }
    for (name, secret) in [("build%2Dcach", &encoded), ("%ff", &service), ("build-cache", &format!("{encoded}%00"))] {
        assert_eq!(ask(name, secret).with(401).json()["error"], "invalid_client", "{name}:{secret}");
    }
    // Form encoding belongs to OAuth; elsewhere the credentials are what they are (RFC 7617).
    portal.request("GET", "/api/v1/me").basic("ada", &token.secret.replace('_', "%5F")).send().with(401);
}

fn introspection_with_credentials_in_the_body_returns_200(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let (_, other) = portal.service("other");
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let ask = |id: &str, secret: &str| {
        let fields = [("token", token.as_str()), ("client_id", id), ("client_secret", secret)];
        portal.request("POST", INTROSPECT).form(&fields).send()
    };
    let json = ask("wiki", &service).with(200).json();
    assert_eq!((&json["active"], &json["aud"]), (&Value::from(true), &Value::from("wiki")));
    for (id, secret) in [("wiki", &other), ("ada", &token), ("wiki", &token), ("wiki", &"x".to_owned())] {
        assert_eq!(ask(id, secret).with(401).json()["error"], "invalid_client", "{id}");
    }
    assert_eq!(ask("", &service).with(400).json()["error"], "invalid_request", "there is no client_id");
    let only_id = [("token", token.as_str()), ("client_id", "wiki")];
    portal.request("POST", INTROSPECT).form(&only_id).send().with(401);
    let http = portal.request("POST", INTROSPECT).header("x-forwarded-proto", "http");
    let fields = [("token", token.as_str()), ("client_id", "wiki"), ("client_secret", service.as_str())];
    http.form(&fields).send().with(403);
}

fn introspection_with_two_authentication_methods_returns_400(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let both = [("token", token.as_str()), ("client_id", "wiki"), ("client_secret", service.as_str())];
    for authorization in [basic("wiki", &service), format!("Bearer {service}"), "nonsense".into()] {
        let request = portal.request("POST", INTROSPECT).header("authorization", authorization);
        assert_eq!(request.form(&both).send().with(400).json()["error"], "invalid_request");
    }
    // A client may name itself beside the header, but not as another.
    for (id, status) in [("wiki", 200), ("other", 401)] {
        let fields = [("token", token.as_str()), ("client_id", id)];
        portal.request("POST", INTROSPECT).basic("wiki", &service).form(&fields).send().with(status);
    }
}

fn introspection_with_an_unreadable_body_and_no_credentials_returns_401(portal: Portal) {
    let post = || portal.request("POST", INTROSPECT);
    post().send().with(401);
    post().header("content-type", "application/json").body("{}").send().with(401);
    post().form(&[("token", "a"), ("token", "a")]).send().with(401);
    post().form(&[("token", "x".repeat(65 * 1024))]).send().with(401);
}

fn a_refused_caller_counts_no_use(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    portal.unchanged("a refused caller", || {
        portal.introspect(&token.secret, &token.secret).with(401);
        portal.flush();
    });
}

fn requests_that_make_no_sense_are_errors_of_oauth(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let post = || portal.request("POST", INTROSPECT).bearer(&service);
    let error = |answer: Answer| {
        let json = answer.json();
        let told = json["error_description"].as_str().expect("it says why").to_owned();
        assert!(told.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{told}");
        json["error"].as_str().expect("an error").to_owned()
    };
    for fields in [&[("", ""); 0][..], &[("token", "")], &[("token_type_hint", "access_token")]] {
        assert_eq!(error(post().form(fields).send().with(400)), "invalid_request");
    }
    for fields in [
        [("token", "a"), ("token", "a")],
        [("token_type_hint", "a"), ("token_type_hint", "b")],
        [("other", "a"), ("other", "b")],
    ] {
        let fields = [&fields[..], &[("token", "x")][..usize::from(fields[0].0 != "token")]].concat();
        assert_eq!(error(post().form(&fields).send().with(400)), "invalid_request");
    }
    let bad_name = [("token", "x"), ("repository", "A/B")];
    assert_eq!(error(post().form(&bad_name).send().with(400)), "invalid_request");
    let json = post().header("content-type", "application/json").body("{\"token\":\"x\"}");
    assert_eq!(error(json.send().with(415)), "invalid_request");
    assert_eq!(error(post().body("token=x").send().with(415)), "invalid_request");
    let utf8 = post().header("content-type", "application/x-www-form-urlencoded").body("token=%ff");
    assert_eq!(error(utf8.send().with(400)), "invalid_request");
    let large = post().form(&[("token", "x".repeat(65 * 1024))]);
    assert_eq!(error(large.send().with(413)), "invalid_request");
    for method in ["GET", "PUT", "DELETE"] {
        let answer = portal.request(method, INTROSPECT).bearer(&service).send().with(405);
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(error(answer), "invalid_request");
    }
    assert_eq!(error(portal.request("GET", "/oauth/nowhere").send().with(404)), "invalid_request");
    // What is unknown is passed over (RFC 6749, section 3.2), a hint is only a hint (RFC 7662, section 2.1).
    let token = portal.token(&portal.user("ada"), |_| {});
    for hint in ["", "access_token", "refresh_token", "nonsense"] {
        let fields = [("token", token.secret.as_str()), ("token_type_hint", hint), ("client_id", "wiki")];
        assert_eq!(post().form(&fields).send().with(200).json()["active"], true, "{hint}");
    }
}

fn a_token_in_the_address_is_an_error_that_says_so(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let token = portal.token(&portal.user("ada"), |_| {});
    for path in [format!("{INTROSPECT}?token={}", token.secret), format!("/oauth/{}", token.secret)] {
        let answer = portal.request("POST", &path).bearer(&service).form(&[("token", &token.secret)]).send().with(400);
        assert_eq!(answer.json()["error"], "invalid_request");
        assert!(!answer.text().contains(&token.secret[..20]));
    }
}

fn every_dead_token_is_told_by_the_same_bytes(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let (_, other_service) = portal.service("other");
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let good = portal.token_named(&ada, "good").secret;
    let (disabled, revoked) = (portal.token_named(&ada, "disabled"), portal.token_named(&ada, "revoked"));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    let expired = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(0)));
    let replaced = portal.token_named(&ada, "replaced");
    browser.submit(&browser.page(&replaced.page("rotation")).form("Rotate token")).with(303);
    let (eve, vera) = (portal.user("eve"), portal.user("vera"));
    let (of_eve, of_vera) = (portal.token(&eve, |_| {}), portal.token(&vera, |_| {}));
    eve.disable();
    vera.strip();
    vera.add_role("viewer");
    let nullified = browser.create_repository("alpha");
    browser.generate_new("alpha", "at once");
    let in_grace = browser.create_repository("beta");
    browser.generate_new("beta", "after 1 hour");
    let deleted = browser.create_repository("gamma");
    let deletion = browser.page("/repositories/gamma/deletion").form("Delete repository");
    browser.submit(&deletion.fill("Name of the repository", "gamma")).with(303);
    let foreign = format!("ghp_{}", &good[4..]);
    for (what, token) in [
        ("unknown", generated(SecretKind::ApiToken)),
        ("an unknown repository's", generated(SecretKind::RepositoryToken)),
        ("an unknown service's", generated(SecretKind::ServiceToken)),
        ("its own", service.clone()),
        ("another service's", other_service),
        ("malformed", "thp_short".into()),
        ("with a wrong checksum", format!("{}0000000", &good[..35])),
        ("with something around it", format!("\"{good}\"")),
        ("with its scheme", format!("Bearer {good}")),
        ("foreign", foreign),
        ("no token at all", "ӓ\u{0}\u{202e}".into()),
        ("long", "x".repeat(60_000)),
        ("a password", crate::support::PASSWORD.into()),
        ("expired", expired.secret),
        ("disabled", disabled.secret),
        ("revoked", revoked.secret),
        ("replaced", replaced.secret),
        ("of a disabled owner", of_eve.secret),
        ("of an owner without API Access", of_vera.secret),
        ("a nullified repository's", nullified),
        ("a deleted repository's", deleted),
    ] {
        assert_inactive(portal.introspect(&service, &token), what);
        let fields = [("token", token.as_str()), ("token_type_hint", "access_token"), ("repository", "alpha")];
        let answer = portal.request("POST", INTROSPECT).basic("wiki", &service).form(&fields).send();
        assert_inactive(answer, what);
    }
    assert_eq!(portal.introspect(&service, &in_grace).json()["active"], true);
    portal.advance(3_599);
    assert_eq!(portal.introspect(&service, &in_grace).json()["active"], true);
    portal.advance(1);
    assert_inactive(portal.introspect(&service, &in_grace), "past its grace");
}

fn token_with_whitespace_around_it_is_introspected(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    let (_, service) = portal.service("wiki");
    for pasted in [format!("{}\n", token.secret), format!("\t {}\r\n", token.secret)] {
        assert_eq!(portal.introspect(&service, &pasted).json()["active"], true, "{pasted:?}");
    }
    let request = portal.request("POST", INTROSPECT).form(&[("token", token.secret.as_str())]);
    let answer = request.basic("wiki", &format!("{service}\n")).send().with(200);
    assert_eq!(answer.json()["active"], true);
}

fn a_service_learns_nothing_of_services(portal: Portal) {
    let ((_, one), (_, other)) = (portal.service("one"), portal.service("other"));
    for token in [&one, &other] {
        assert_inactive(portal.introspect(&one, token), "a service's");
    }
}

fn a_good_api_token_is_told_with_what_it_may_do(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.permissions.account = Permission::Read;
        wish.permissions.administration = Permission::Write;
    });
    let answer = portal.introspect(&service, &token.secret).with(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let expected = json!({
        "active": true,
        // The owner can only view repositories and administers nothing, so the token can do no more.
        "scope": "repositories:read account:read",
        "client_id": token.id.to_string(),
        "username": "ada",
        "token_type": "Bearer",
        "exp": START + 90 * 86_400,
        "iat": START,
        "sub": ada.id.to_string(),
        "iss": portal.shared.settings.public_url.as_str(),
        "aud": "wiki",
        "kind": "api_token",
    });
    assert_eq!(answer.json(), expected);
    ada.add_role("administrator");
    let scope = portal.introspect(&service, &token.secret).json()["scope"].clone();
    assert_eq!(scope, "repositories:read repositories:write account:read administration:read administration:write");
    let bare = portal.token(&ada, |wish| {
        wish.name = tokenhouse::domain::name::TokenName::parse("bare").expect("a name");
        wish.permissions.repositories = Permission::None;
        wish.expires_at = None;
    });
    let json = portal.introspect(&service, &bare.secret).json();
    assert_eq!((&json["active"], &json["scope"], &json["exp"]), (&Value::Bool(true), &Value::Null, &Value::Null));
}

fn a_good_repository_token_is_told_with_its_repository(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let token = portal.user_with("ada", "repository-manager").sign_in().create_repository("alpha");
    let json = portal.introspect(&service, &token).with(200).json();
    assert_eq!((&json["kind"], json.get("username")), (&"repository_token".into(), None));
    assert_eq!(json["aud"], "wiki");
    assert_eq!((&json["scope"], &json["exp"]), (&"repositories:read repositories:write".into(), &Value::Null));
    assert_eq!(json["repositories"], json!(["alpha"]));
    let at = |name: &str| {
        let fields = [("token", token.as_str()), ("repository", name)];
        portal.request("POST", INTROSPECT).bearer(&service).form(&fields).send().with(200).json()
    };
    assert_eq!(
        (at("alpha")["scope"].clone(), at("alpha")["repositories"].clone()),
        (json["scope"].clone(), json!(["alpha"]))
    );
    assert_eq!((&at("alpha2")["scope"], &at("alpha2")["repositories"]), (&Value::Null, &json!([])));
}

fn a_limited_token_is_told_with_the_names_it_still_reaches(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    ada.grant(alpha, Permission::Read);
    ada.grant(beta, Permission::Read);
    let token = portal.token(&ada, |wish| wish.repositories = RepositorySelection::Selected(vec![alpha, beta]));
    assert_eq!(portal.introspect(&service, &token.secret).json()["repositories"], json!(["alpha", "beta"]));
    portal.sql(&format!("DELETE FROM grants WHERE repository_id = '{beta}'"));
    assert_eq!(portal.introspect(&service, &token.secret).json()["repositories"], json!(["alpha"]));
    ada.ungrant();
    assert_eq!(portal.introspect(&service, &token.secret).json()["repositories"], json!([]));
}

/// The scope without `repository=`.
#[track_caller]
fn scope_of(portal: &Portal, service: &str, token: &str) -> String {
    portal.introspect(service, token).with(200).json()["scope"].as_str().unwrap_or_default().to_owned()
}

fn scope_without_repository_is_limited_by_owner(portal: Portal) {
    portal.role("api", &[Privilege::ApiAccess]);
    let (ada, (_, service)) = (portal.user_with("ada", "api"), portal.service("wiki"));
    let alpha = portal.repository("alpha");
    let writes = portal.token(&ada, |wish| wish.permissions.repositories = Permission::Write).secret;
    let reads = portal.token_named(&ada, "reads").secret;
    let scopes = || (scope_of(&portal, &service, &writes), scope_of(&portal, &service, &reads));
    let (read, write) = ("repositories:read".to_owned(), "repositories:read repositories:write".to_owned());
    assert_eq!(scopes(), (String::new(), String::new()));
    ada.grant(alpha, Permission::Read);
    assert_eq!(scopes(), (read.clone(), read.clone()));
    ada.grant(alpha, Permission::Write);
    assert_eq!(scopes(), (write.clone(), read.clone()));
    ada.ungrant();
    assert_eq!(scopes(), (String::new(), String::new()));
    ada.add_role("viewer");
    assert_eq!(scopes(), (read.clone(), read.clone()));
    ada.grant(alpha, Permission::Write);
    assert_eq!(scopes(), (write.clone(), read.clone()));
    ada.ungrant();
    ada.add_role("repository-manager");
    assert_eq!(scopes(), (write, read));
}

fn scope_of_administration_is_limited_by_owner(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let (read, both) = ("administration:read", "administration:read administration:write");
    for (number, (privilege, expected)) in [
        (Privilege::ViewAuditLog, read),
        (Privilege::UserManagement, both),
        (Privilege::SystemManagement, both),
        (Privilege::RepositoryManagement, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let role = format!("role{number}");
        portal.role(&role, &[Privilege::ApiAccess, privilege]);
        let owner = portal.user_with(String::leak(role.clone()), &role);
        let token = portal.token(&owner, |wish| {
            wish.permissions =
                tokenhouse::domain::permission::Permissions { administration: Permission::Write, ..Default::default() };
        });
        assert_eq!(scope_of(&portal, &service, &token.secret), expected, "{}", privilege.name());
    }
}

fn scope_of_limited_token_is_limited_by_grants_on_its_repositories(portal: Portal) {
    portal.role("api", &[Privilege::ApiAccess]);
    let (ada, (_, service)) = (portal.user_with("ada", "api"), portal.service("wiki"));
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    let token = portal.token(&ada, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.repositories = RepositorySelection::Selected(vec![alpha]);
    });
    let scope = || scope_of(&portal, &service, &token.secret);
    ada.grant(beta, Permission::Write);
    assert_eq!(scope(), "");
    ada.grant(alpha, Permission::Read);
    assert_eq!(scope(), "repositories:read");
    ada.grant(alpha, Permission::Write);
    assert_eq!(scope(), "repositories:read repositories:write");
    ada.add_role("repository-manager");
    portal.sql("DELETE FROM repositories WHERE name = 'alpha'");
    assert_eq!(scope(), "", "no repository is left");
}

fn at_a_repository_the_scope_is_what_the_owner_may_do_there_now(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let (alpha, _) = (portal.repository("alpha"), portal.repository("beta"));
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    let token = portal.token(&ada, |wish| wish.permissions.repositories = Permission::Write);
    let scope = |name: &str| {
        let fields = [("token", token.secret.as_str()), ("repository", name)];
        let json = portal.request("POST", INTROSPECT).bearer(&service).form(&fields).send().with(200).json();
        assert_eq!(json["active"], true);
        (json["scope"].clone(), json["repositories"].clone())
    };
    let nothing = (Value::Null, json!([]));
    assert_eq!(scope("alpha"), nothing);
    ada.grant(alpha, Permission::Read);
    assert_eq!(scope("alpha"), (json!("repositories:read"), json!(["alpha"])));
    assert_eq!((scope("beta"), scope("nowhere")), (nothing.clone(), nothing));
    ada.grant(alpha, Permission::Write);
    assert_eq!(scope("alpha").0, "repositories:read repositories:write");
}

fn a_replaced_secret_says_when_it_ends(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let ada = portal.user("ada");
    let (token, browser) = (portal.token(&ada, |_| {}), ada.sign_in());
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    browser.submit(&form.choose("Old token stops working", "after 1 hour")).with(303);
    assert_eq!(portal.introspect(&service, &token.secret).json()["exp"], START + 3_600);
    assert_eq!(portal.api(&token.secret, "/api/v1/me").json()["expires_at"], "2026-11-21T15:06:40Z");
}

fn what_dies_is_dead_at_the_next_question(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let ada = portal.user("ada");
    for round in 0..20 {
        let token = portal.token_named(&ada, &format!("token {round}"));
        assert_eq!(portal.introspect(&service, &token.secret).json()["active"], true);
        if round % 2 == 0 {
            portal.revoke(&token)
        } else {
            portal.disable(&token)
        }
        assert_inactive(portal.introspect(&service, &token.secret), "the next question");
    }
}

fn a_question_counts_for_the_service_and_for_the_token(portal: Portal) {
    let root = portal.user_with("root", "administrator").sign_in();
    let (id, service) = portal.service("wiki");
    let ada = portal.user("ada");
    let (token, browser) = (portal.token(&ada, |_| {}), ada.sign_in());
    for _ in 0..3 {
        let request = portal.request("POST", INTROSPECT).at("203.0.113.7").bearer(&service);
        request.form(&[("token", &token.secret)]).send().with(200);
    }
    portal.introspect(&service, &generated(SecretKind::ApiToken)).with(200);
    portal.introspect(&service, "nonsense").with(200);
    portal.flush();
    let rows = browser.page(&token.path()).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].cell("Address"), rows[0].cell("User agent")), ("203.0.113.7", "service wiki"));
    assert_eq!(rows[0].cell("Uses"), "3");
    let page = root.page(&format!("/admin/services/{id}"));
    let uses: Vec<String> = page
        .rows()
        .iter()
        .filter(|row| row.cell("Address").contains('.'))
        .map(|row| row.cell("Uses").to_owned())
        .collect();
    assert_eq!(uses.iter().filter_map(|uses| uses.parse::<u32>().ok()).sum::<u32>(), 5);
}

fn many_tokens_are_not_mixed_up(portal: Portal) {
    let (_, service) = portal.service("wiki");
    let owners = ["ada", "eve", "grace", "linus"].map(|name| portal.user(name));
    let tokens: Vec<_> = owners.iter().map(|owner| portal.token(owner, |_| {})).collect();
    crate::support::at_once(8, |number| {
        for turn in 0..10 {
            let token = &tokens[(number + turn) % tokens.len()];
            let json = portal.introspect(&service, &token.secret).with(200).json();
            assert_eq!(
                (json["username"].as_str(), json["client_id"].as_str()),
                (Some(token.username), Some(token.id.to_string().as_str()))
            );
        }
    });
}
