//! `/oci/token`: what a container registry's clients get for which token, and what is signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tokenhouse::auth::signing::{self, REREAD, Rotated, RotationError};
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::domain::signing_key::PUBLISHED_AFTERWARDS;
use tokenhouse::randomness;
use tokenhouse::storage::{events, signing_keys};

use crate::support::portal::{START, https};
use crate::support::{Answer, PASSWORD, Portal, Token, at_once, on_both};

on_both![
    nobody_gets_a_token_without_good_credentials,
    oci_token_with_other_method_returns_405,
    oci_token_by_post_with_password_grant_returns_token,
    oci_token_by_post_with_refresh_token_grant_returns_token,
    oci_token_by_post_with_bad_parameters_returns_400,
    oci_token_by_post_with_bad_credentials_returns_401,
    oci_token_answer_contains_the_members_of_the_specification,
    oci_token_grants_class_scope_with_its_class,
    oci_token_grants_more_than_20_scopes,
    garbage_in_the_query_is_never_an_error_of_the_server,
    another_service_is_refused_with_a_sentence,
    a_token_in_the_address_is_an_error_that_says_so,
    the_token_of_a_service_opens_no_registry,
    what_is_asked_for_and_not_allowed_is_left_out,
    a_token_limited_to_repositories_opens_only_those,
    what_the_owner_may_not_the_token_may_not_either,
    a_repository_token_opens_its_repository_and_what_lies_below,
    the_catalog_is_for_administrators_who_see_everything,
    a_change_of_rights_counts_from_the_next_request_on,
    the_answer_is_a_token_that_the_published_keys_verify,
    a_token_lives_as_long_as_is_set_and_never_beyond_its_own,
    a_hundred_at_once_get_a_hundred_different_tokens,
    a_use_is_counted_for_the_first_repository_that_was_granted,
    after_a_rotation_old_and_new_tokens_are_verified,
    keys_whose_sealing_key_was_forgotten_are_replaced_at_the_next_start,
];

const DAY: i64 = 86_400;

fn ask(portal: &Portal, secret: &str, query: &str) -> Answer {
    portal.request("GET", &format!("/oci/token?{query}")).bearer(secret).send()
}

fn with_scopes(scopes: &[&str]) -> String {
    let scopes: Vec<_> = scopes.iter().map(|scope| ("scope", *scope)).collect();
    format!("service=registry&{}", crate::support::request::encoded(&scopes))
}

/// What is granted of these scopes, as `repository:alpha:pull,push`.
#[track_caller]
fn granted(portal: &Portal, secret: &str, scopes: &[&str]) -> Vec<String> {
    let answer = ask(portal, secret, &with_scopes(scopes)).with(200);
    let claims = claims(answer.json()["token"].as_str().expect("a token"));
    let entries = claims["access"].as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    entries
        .iter()
        .map(|entry| {
            let actions: Vec<_> = entry["actions"].as_array().expect("a list").iter().map(text).collect();
            format!("{}:{}:{}", text(&entry["type"]), text(&entry["name"]), actions.join(","))
        })
        .collect()
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("Base64")).expect("JSON")
}

pub fn claims(token: &str) -> Value {
    decoded(token.split('.').nth(1).expect("three parts"))
}

fn kid(token: &str) -> String {
    decoded(token.split('.').next().expect("three parts"))["kid"].as_str().expect("a key id").to_owned()
}

/// Ids of the published keys.
fn published(portal: &Portal) -> Vec<String> {
    let keys = portal.request("GET", "/.well-known/jwks.json").send().with(200).json()["keys"].clone();
    let keys = keys.as_array().expect("a list").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
}

/// Whether a published key verifies the token: as a registry judges that knows nothing but those keys.
fn is_verified(portal: &Portal, token: &str) -> bool {
    let keys = portal.request("GET", "/.well-known/jwks.json").send().with(200).json();
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let Some(key) = keys["keys"].as_array().expect("a list").iter().find(|key| key["kid"] == kid(token).as_str())
    else {
        return false;
    };
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().expect("a text")).expect("Base64");
    let point = [&[4][..], &part("x"), &part("y")].concat();
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("Base64");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).is_ok()
}

fn writer(portal: &Portal, owner: &crate::support::User<'_>, name: &str) -> Token {
    portal.token(owner, |wish| {
        wish.name = TokenName::parse(name).expect("a name");
        wish.permissions.repositories = Permission::Write;
    })
}

#[track_caller]
fn assert_refused(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 401, "{what}: {answer:?}");
    assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"Tokenhouse\", charset=\"UTF-8\""), "{what}");
    let json = answer.json();
    assert_eq!(json["errors"][0]["code"], "UNAUTHORIZED", "{what}");
    assert!(json["errors"][0]["message"].as_str().is_some_and(|text| text.contains("API token")), "{what}: {json}");
    assert!(json.get("token").is_none(), "{what}");
}

fn nobody_gets_a_token_without_good_credentials(portal: Portal) {
    portal.repository("alpha");
    let root = portal.user_with("root", "administrator").sign_in();
    let old = root.create_repository("beta");
    root.generate_new("beta", "at once");
    let ada = portal.user("ada");
    let good = portal.token_named(&ada, "good");
    let expired = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(0)));
    let (disabled, revoked) = (portal.token_named(&ada, "disabled"), portal.token_named(&ada, "revoked"));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    let replaced = portal.token_named(&ada, "replaced");
    let browser = ada.sign_in();
    browser.submit(&browser.page(&replaced.page("rotation")).form("Rotate token")).with(303);
    let (gone, stripped) = (portal.user("gone"), portal.user("stripped"));
    let (of_gone, of_stripped) = (portal.token(&gone, |_| {}), portal.token(&stripped, |_| {}));
    gone.disable();
    stripped.strip();
    stripped.add_role("viewer");
    let unknown = Secret::generate(SecretKind::ApiToken, &mut randomness::system()).reveal().to_owned();
    let path = format!("/oci/token?{}", with_scopes(&["repository:alpha:pull"]));
    for secret in [
        &expired.secret,
        &disabled.secret,
        &revoked.secret,
        &replaced.secret,
        &of_gone.secret,
        &of_stripped.secret,
        &old,
        &unknown,
        &"nonsense".to_owned(),
        &String::new(),
    ] {
        assert_refused(secret, &portal.request("GET", &path).bearer(secret).send());
        for name in ["ada", "gone", "stripped", "beta"] {
            assert_refused(secret, &portal.request("GET", &path).basic(name, secret).send());
        }
    }
    assert_refused("nothing", &portal.request("GET", &path).send());
    assert_refused("an account alone", &portal.request("GET", &format!("{path}&account=ada")).send());
    assert_refused("a session", &browser.open(&path));
    assert_refused("a password", &portal.request("GET", &path).basic("ada", PASSWORD).send());
    assert_refused("another's name", &portal.request("GET", &path).basic("root", &good.secret).send());
    let twice = portal.request("GET", &path).bearer(&good.secret).basic("ada", &good.secret);
    assert_refused("two headers", &twice.send());
    portal.request("GET", &path).basic("Ada", &good.secret).send().with(200);
    let insecure = portal.request("GET", &path).bearer(&good.secret).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(insecure.header("x-forwarded-proto", "http").send().status, 403);
}

fn oci_token_with_other_method_returns_405(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for method in ["PUT", "DELETE", "PATCH"] {
        let form = [("grant_type", "password"), ("username", "ada"), ("password", token.secret.as_str())];
        let answer = portal.request(method, "/oci/token").basic("ada", &token.secret).form(&form).send().with(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
        assert_eq!(answer.json()["errors"][0]["code"], "UNSUPPORTED");
    }
    assert!(portal.request("HEAD", "/oci/token").bearer(&token.secret).send().with(200).body.is_empty());
    portal.request("GET", "/oci").bearer(&token.secret).send().with(404);
}

fn post(portal: &Portal, fields: &[(&str, &str)]) -> Answer {
    portal.request("POST", "/oci/token").form(fields).send()
}

fn oci_token_by_post_with_password_grant_returns_token(portal: Portal) {
    portal.repository("alpha");
    let root = portal.user_with("root", "administrator");
    let writes = writer(&portal, &root, "writes").secret;
    let own = root.sign_in().create_repository("beta");
    let scope = "repository:alpha/x:pull,push repository:beta:pull";
    for (username, password, granted) in [
        ("root", &writes, "repository:alpha/x:pull,push repository:beta:pull"),
        ("Root", &writes, "repository:alpha/x:pull,push repository:beta:pull"),
        ("beta", &own, "repository:beta:pull"),
    ] {
        // What containerd 1.6 sends.
        let answer = post(
            &portal,
            &[
                ("client_id", "containerd-client"),
                ("grant_type", "password"),
                ("password", password),
                ("scope", scope),
                ("service", "registry"),
                ("username", username),
            ],
        );
        let json = answer.with(200).json();
        assert_eq!(json["scope"], granted, "{username}");
        assert_eq!(json["access_token"], json["token"]);
        assert!(json.get("refresh_token").is_none(), "{json}");
        assert!(is_verified(&portal, json["token"].as_str().expect("a token")));
    }
}

fn oci_token_by_post_with_refresh_token_grant_returns_token(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token_named(&ada, "reads").secret;
    let own = portal.user_with("root", "administrator").sign_in().create_repository("beta");
    for (secret, granted) in [(&token, "repository:alpha:pull"), (&own, "")] {
        // What Docker sends after a login with an identity token.
        let answer = post(
            &portal,
            &[
                ("grant_type", "refresh_token"),
                ("service", "registry"),
                ("client_id", "docker"),
                ("access_type", "offline"),
                ("scope", "repository:alpha:pull,push"),
                ("refresh_token", secret),
            ],
        );
        let json = answer.with(200).json();
        assert_eq!(json["scope"], granted);
        assert!(json.get("refresh_token").is_none(), "{json}");
    }
}

fn oci_token_by_post_with_bad_parameters_returns_400(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let password = ("password", token.as_str());
    let good = [("grant_type", "password"), ("username", "ada"), password, ("service", "registry")];
    post(&portal, &good).with(200);
    let refused = |fields: &[(&str, &str)], words: &str| {
        let answer = post(&portal, fields).with(400);
        assert!(answer.text().contains(words), "{fields:?}: {answer:?}");
    };
    refused(&[], "grant_type");
    refused(&[("username", "ada"), password], "grant_type");
    refused(&[("grant_type", "authorization_code"), ("code", "x")], "grant_type");
    refused(&[&good[..], &[("username", "ada")]].concat(), "more than once");
    refused(&[&good[..3], &[("service", "other")]].concat(), "the service “registry” only");
    refused(&[&good[..], &[("scope", "repository")]].concat(), "scope is malformed");
    let long = "repository:alpha:pull ".repeat(200);
    refused(&[&good[..], &[("scope", &long)]].concat(), "longer than 4 kB");
    let twice = portal.request("POST", "/oci/token").basic("ada", &token).form(&good).send().with(400);
    assert!(twice.text().contains("Leave the Authorization header out"), "{twice:?}");
    let path = format!("/oci/token?password={token}");
    let answer = portal.request("POST", &path).form(&good).send().with(400);
    assert!(answer.text().contains("A token does not belong into an address"), "{answer:?}");
    let json = portal.request("POST", "/oci/token").header("content-type", "application/json").body("{}");
    assert_eq!(json.send().with(415).json()["errors"][0]["code"], "UNKNOWN");
    let insecure = portal.request("POST", "/oci/token").header("x-forwarded-for", "203.0.113.7");
    insecure.header("x-forwarded-proto", "http").form(&good).send().with(403);
}

fn oci_token_by_post_with_bad_credentials_returns_401(portal: Portal) {
    let ada = portal.user("ada");
    let (good, revoked) = (portal.token_named(&ada, "good").secret, portal.token_named(&ada, "revoked"));
    portal.revoke(&revoked);
    portal.user("eve");
    for (username, password) in
        [("ada", &revoked.secret), ("eve", &good), ("ada", &PASSWORD.to_owned()), ("ada", &String::new())]
    {
        let by_password = [("grant_type", "password"), ("username", username), ("password", password.as_str())];
        assert_refused(password, &post(&portal, &by_password));
    }
    for secret in [revoked.secret.as_str(), "nonsense", ""] {
        assert_refused(secret, &post(&portal, &[("grant_type", "refresh_token"), ("refresh_token", secret)]));
    }
    let (_, service) = portal.service("build-cache");
    post(&portal, &[("grant_type", "refresh_token"), ("refresh_token", &service)]).with(403);
}

fn oci_token_answer_contains_the_members_of_the_specification(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token_named(&portal.user("ada"), "reads").secret;
    let scope = "repository:alpha:pull,push";
    let by_get = ask(&portal, &token, &with_scopes(&[scope])).with(200).json();
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", scope)];
    let by_post = post(&portal, &form).with(200).json();
    for json in [by_get, by_post] {
        let members: Vec<_> = json.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(members, ["access_token", "expires_in", "issued_at", "scope", "token"]);
        assert_eq!((&json["expires_in"], &json["scope"]), (&300.into(), &"repository:alpha:pull".into()));
        assert!(json["issued_at"].as_str().is_some_and(|text| text.ends_with('Z')), "{json}");
    }
}

fn oci_token_grants_class_scope_with_its_class(portal: Portal) {
    portal.repository("alpha");
    let root = portal.user_with("root", "administrator");
    let (reads, writes) = (portal.token_named(&root, "reads").secret, writer(&portal, &root, "writes").secret);
    let scopes = ["repository(plugin):alpha/x:pull,push", "repository:alpha/x:pull", "repository(plugin):nowhere:pull"];
    let answer = ask(&portal, &writes, &with_scopes(&scopes)).with(200).json();
    assert_eq!(answer["scope"], scopes[..2].join(" "));
    assert_eq!(
        claims(answer["token"].as_str().expect("a token"))["access"],
        json!([
            { "type": "repository", "class": "plugin", "name": "alpha/x", "actions": ["pull", "push"] },
            { "type": "repository", "name": "alpha/x", "actions": ["pull"] },
        ])
    );
    let answer = ask(&portal, &reads, &with_scopes(&scopes[..1])).with(200).json();
    assert_eq!(answer["scope"], "repository(plugin):alpha/x:pull");
}

fn oci_token_grants_more_than_20_scopes(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token_named(&portal.user("ada"), "reads").secret;
    let scopes: Vec<_> = (0..80).map(|number| format!("repository:alpha/{number}:pull")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    assert_eq!(granted(&portal, &token, &scopes), scopes);
    let joined = scopes.join(" ");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", &joined)];
    assert_eq!(post(&portal, &form).with(200).json()["scope"], joined);
}

fn garbage_in_the_query_is_never_an_error_of_the_server(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {}).secret;
    for (query, status) in [
        ("", 200),
        ("service=registry", 200),
        ("service=registry&scope=", 200),
        ("service=registry&scope=%20%20", 200),
        ("scope=repository:alpha:pull&client_id=docker&offline_token=true&x=%ff&account=eve", 200),
        ("&&==&=&scope", 200),
        ("service=registry&scope=repository", 400),
        ("service=registry&scope=%ff%fe", 400),
        ("service=registry&scope=repository:alpha:pull%00", 400),
        ("service=registry&scope=repository:alpha:pull&scope=x", 400),
        ("service=registry&scope=repository:..%2falpha:pull", 400),
        ("service=%ff", 400),
        ("scope=%", 400),
    ] {
        let answer = ask(&portal, &token, query);
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        if status == 400 {
            assert!(answer.json()["errors"][0]["message"].as_str().is_some_and(|text| text.ends_with('.')), "{query}");
            assert_refused(query, &portal.request("GET", &format!("/oci/token?{query}")).send());
        }
    }
    assert_eq!(ask(&portal, &token, &format!("scope={}", "a".repeat(5_000))).status, 414);
}

fn another_service_is_refused_with_a_sentence(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    for query in ["service=other", "service=", "service=registry&service=other", "service=REGISTRY"] {
        let answer = ask(&portal, &token, query).with(400);
        assert!(answer.text().contains("the service “registry” only"), "{answer:?}");
    }
    ask(&portal, &token, "service=registry&service=registry").with(200);
    let portal = portal.restarted(|config| config.oci_service = "registry.example.org".into());
    ask(&portal, &token, "service=registry").with(400);
    let answer = ask(&portal, &token, "service=registry.example.org").with(200);
    assert_eq!(claims(answer.json()["token"].as_str().unwrap())["aud"], "registry.example.org");
}

fn a_token_in_the_address_is_an_error_that_says_so(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let answer = ask(&portal, &token, &format!("service=registry&access_token={token}")).with(400);
    assert!(answer.text().contains("A token does not belong into an address"), "{answer:?}");
}

fn the_token_of_a_service_opens_no_registry(portal: Portal) {
    let (_, secret) = portal.service("build-cache");
    let answer = ask(&portal, &secret, "service=registry").with(403);
    assert_eq!(answer.json()["errors"][0]["code"], "DENIED");
}

fn what_is_asked_for_and_not_allowed_is_left_out(portal: Portal) {
    for name in ["alpha", "beta", "gamma"] {
        portal.repository(name);
    }
    let root = portal.user_with("root", "administrator");
    let (reads, writes) = (portal.token_named(&root, "reads").secret, writer(&portal, &root, "writes").secret);
    let account = portal.token(&root, |wish| wish.permissions.repositories = Permission::None).secret;
    let all = "repository:alpha:pull,push,delete,*";
    assert_eq!(granted(&portal, &reads, &[all]), ["repository:alpha:pull"]);
    assert_eq!(granted(&portal, &writes, &[all]), [all]);
    assert_eq!(granted(&portal, &account, &[all, "repository:beta:pull"]), [""; 0]);
    assert_eq!(granted(&portal, &reads, &["repository:alpha:push"]), [""; 0]);
    assert_eq!(granted(&portal, &writes, &[]), [""; 0]);
    // What clients send when they copy layers from one to another, as several parameters and as one.
    let several = ["repository:alpha/x:pull,push", "repository:beta:pull", "repository:beta:pull"];
    for scopes in [&several[..], &[several.join(" ").as_str()]] {
        assert_eq!(granted(&portal, &writes, scopes), several[..2]);
        assert_eq!(granted(&portal, &reads, scopes), ["repository:alpha/x:pull", "repository:beta:pull"]);
    }
    // One that is there and one that is not: no word about the other.
    let mixed = ["repository:nowhere:pull", "repository:gamma:pull,push", "repository:alpha-x/alpha:pull"];
    assert_eq!(granted(&portal, &reads, &mixed), ["repository:gamma:pull"]);
    for other in
        ["registry:catalog:*", "repository:localhost:5000/alpha:pull", "image:alpha:pull", "repository:new:pull"]
    {
        assert_eq!(granted(&portal, &writes, &[other]), [""; 0], "{other}");
    }
}

fn a_token_limited_to_repositories_opens_only_those(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.repository("beta");
    let root = portal.user_with("root", "administrator");
    let token = portal.token(&root, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.permissions.administration = Permission::Read;
        wish.repositories = RepositorySelection::Selected(vec![alpha]);
    });
    let (one, other) = ("repository:alpha/x:pull,push", "repository:beta:pull,push");
    assert_eq!(granted(&portal, &token.secret, &[one]), [one]);
    assert_eq!(granted(&portal, &token.secret, &[other]), [""; 0]);
    assert_eq!(granted(&portal, &token.secret, &[other, one, "registry:catalog:*"]), [one]);
}

fn what_the_owner_may_not_the_token_may_not_either(portal: Portal) {
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    portal.repository("gamma");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    ada.grant(alpha, Permission::Write);
    ada.grant(beta, Permission::Read);
    let token = writer(&portal, &ada, "ci").secret;
    let asked = ["repository:alpha:pull,push", "repository:beta:pull,push", "repository:gamma:pull,push"];
    let expected = [asked[0], "repository:beta:pull"];
    assert_eq!(granted(&portal, &token, &asked), expected);
    let single: Vec<_> = asked.iter().flat_map(|scope| granted(&portal, &token, &[scope])).collect();
    assert_eq!(single, expected, "one by one as all together");
}

fn a_repository_token_opens_its_repository_and_what_lies_below(portal: Portal) {
    let root = portal.user_with("root", "administrator").sign_in();
    let token = root.create_repository("payments");
    root.create_repository("payments-x");
    let (own, below) = ("repository:payments:pull,push,delete,*", "repository:payments/api/v2:pull,push");
    let (beside, other) = ("repository:payments-x:pull", "repository:x/payments:pull");
    for scopes in [&[own, below][..], &[own, beside, below, other, "registry:catalog:*"]] {
        assert_eq!(granted(&portal, &token, scopes), [own, below]);
    }
    for scope in [beside, other, "repository:paymentsx:pull", "repository:pay/ments:pull"] {
        assert_eq!(granted(&portal, &token, &[scope]), [""; 0], "{scope}");
    }
    let path = format!("/oci/token?{}", with_scopes(&[own]));
    let answer = portal.request("GET", &path).basic("payments", &token).send().with(200);
    assert_eq!(claims(answer.json()["token"].as_str().unwrap())["sub"], "repository/payments");
    assert_refused("another's name", &portal.request("GET", &path).basic("payments-x", &token).send());
    // While a former one still works, it opens what the new one opens; its tokens end when it ends.
    root.generate_new("payments", "after 1 hour");
    assert_eq!(granted(&portal, &token, &[own]), [own]);
    portal.advance(3_600 - 100);
    assert_eq!(ask(&portal, &token, "service=registry").with(200).json()["expires_in"], 100);
    portal.advance(100);
    assert_refused("a former one", &ask(&portal, &token, "service=registry"));
}

fn the_catalog_is_for_administrators_who_see_everything(portal: Portal) {
    use Privilege::{
        ApiAccess, RepositoryManagement, SystemManagement, UserManagement, ViewAuditLog, ViewRepositories,
    };
    let catalog = ["registry:catalog:*"];
    for (name, privileges, may) in [
        ("auditor", vec![ApiAccess, ViewRepositories, ViewAuditLog], true),
        ("users", vec![ApiAccess, ViewRepositories, UserManagement], true),
        ("system", vec![ApiAccess, RepositoryManagement, SystemManagement], true),
        ("manager", vec![ApiAccess, ViewRepositories, RepositoryManagement], false),
        ("blind", vec![ApiAccess, SystemManagement, UserManagement, ViewAuditLog], false),
    ] {
        portal.role(name, &privileges);
        let user = portal.user_with(name, name);
        let with = portal.token(&user, |wish| wish.permissions.administration = Permission::Read);
        assert_eq!(granted(&portal, &with.secret, &catalog), if may { &catalog[..] } else { &[] }, "{name}");
        assert_eq!(granted(&portal, &portal.token_named(&user, "without").secret, &catalog), [""; 0], "{name}");
        assert_eq!(granted(&portal, &with.secret, &["registry:catalog:pull", "registry:other:*"]), [""; 0]);
    }
}

fn a_change_of_rights_counts_from_the_next_request_on(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    let token = writer(&portal, &ada, "ci");
    let scope = ["repository:alpha:pull,push"];
    assert_eq!(granted(&portal, &token.secret, &scope), [""; 0]);
    ada.grant(alpha, Permission::Write);
    assert_eq!(granted(&portal, &token.secret, &scope), scope);
    ada.grant(alpha, Permission::Read);
    assert_eq!(granted(&portal, &token.secret, &scope), ["repository:alpha:pull"]);
    ada.ungrant();
    assert_eq!(granted(&portal, &token.secret, &scope), [""; 0]);
    portal.revoke(&token);
    assert_refused("revoked", &ask(&portal, &token.secret, "service=registry"));
}

fn the_answer_is_a_token_that_the_published_keys_verify(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let secret = portal.token(&ada, |_| {}).secret;
    let portal = portal.restarted(https);
    let query = with_scopes(&["repository:alpha:pull"]);
    let request = portal.request("GET", &format!("/oci/token?account=eve&{query}")).at("203.0.113.7");
    // A door believes no Host.
    let answer = request.header("host", "evil.example").basic("ADA", &secret).send().with(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json = answer.json();
    assert_eq!((&json["expires_in"], &json["issued_at"]), (&json!(300), &json!("2026-11-21T14:06:40Z")));
    let token = json["token"].as_str().unwrap();
    assert_eq!(json["access_token"], token);
    assert!(is_verified(&portal, token));
    let forged = token.replacen('.', ".e", 1);
    assert!(!is_verified(&portal, &forged));
    let header = decoded(token.split('.').next().unwrap());
    assert_eq!(header, json!({ "typ": "JWT", "alg": "ES256", "kid": published(&portal)[0] }));
    let mut claims = claims(token);
    let jti = claims["jti"].take();
    assert!(jti.as_str().is_some_and(|jti| jti.len() >= 22), "{jti}");
    assert_eq!(
        claims,
        json!({
            "iss": "https://tokens.example.org", "sub": "user/ada", "aud": "registry",
            "exp": START + 300, "nbf": START - 10, "iat": START, "jti": null,
            "access": [{ "type": "repository", "name": "alpha", "actions": ["pull"] }],
        })
    );
    let keys = portal.request("GET", "/.well-known/jwks.json").send();
    assert_eq!(keys.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(keys.header("content-type"), Some("application/json"));
    for key in keys.json()["keys"].as_array().unwrap() {
        assert_eq!(key.as_object().unwrap().len(), 7, "nothing but the public part: {key}");
        let usual = (&key["kty"], &key["crv"], &key["alg"], &key["use"]);
        assert_eq!(usual, (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig")));
    }
}

fn a_token_lives_as_long_as_is_set_and_never_beyond_its_own(portal: Portal) {
    let ada = portal.user("ada");
    let soon = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(100))).secret;
    let never = portal.token(&ada, |wish| {
        wish.name = TokenName::parse("never").unwrap();
        wish.expires_at = None;
    });
    let life = |portal: &Portal, secret: &str| {
        let json = ask(portal, secret, "service=registry").with(200).json();
        let claims = claims(json["token"].as_str().unwrap());
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), json["expires_in"]);
        json["expires_in"].as_i64().unwrap()
    };
    assert_eq!((life(&portal, &soon), life(&portal, &never.secret)), (100, 300));
    let portal = portal.restarted(|config| config.oci_token_seconds = 60);
    assert_eq!((life(&portal, &soon), life(&portal, &never.secret)), (60, 60));
    portal.advance(99);
    assert_eq!(life(&portal, &soon), 1);
    portal.advance(1);
    assert_refused("expired", &ask(&portal, &soon, "service=registry"));
}

fn a_hundred_at_once_get_a_hundred_different_tokens(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let query = with_scopes(&["repository:alpha:pull", "repository:beta:pull,push"]);
    let answers = at_once(100, |_| ask(&portal, &token.secret, &query).with(200).json()["token"].clone());
    let tokens: Vec<_> = answers.iter().map(|token| token.as_str().unwrap()).collect();
    let mut ids: Vec<_> = tokens.iter().map(|token| claims(token)["jti"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    assert!(tokens.iter().all(|token| is_verified(&portal, token)));
    portal.flush();
    for table in ["token_usage", "token_clients", "repository_clients", "daily_usage"] {
        assert_eq!(portal.count(table), 1, "{table}");
    }
}

fn a_use_is_counted_for_the_first_repository_that_was_granted(portal: Portal) {
    for name in ["alpha", "beta", "gamma"] {
        portal.repository(name);
    }
    let root = portal.user_with("root", "administrator");
    let (token, browser) = (portal.token(&root, |_| {}), root.sign_in());
    let uses = |name: &str| {
        let page = browser.page(&format!("/repositories/{name}"));
        page.rows().iter().map(|row| row.cell("Uses").parse::<i64>().unwrap()).sum::<i64>()
    };
    granted(&portal, &token.secret, &["repository:nowhere:pull", "repository:beta:pull", "repository:alpha:pull"]);
    granted(&portal, &token.secret, &["repository:gamma/x:pull"]);
    granted(&portal, &token.secret, &["repository:gamma:pull"]);
    granted(&portal, &token.secret, &[]);
    portal.flush();
    assert_eq!(["alpha", "beta", "gamma"].map(uses), [0, 1, 2]);
}

/// As `tokenhouse key rotate` does it.
fn rotate(portal: &Portal) -> Rotated {
    let (keys, now) = (portal.shared.keys.clone(), portal.now());
    portal.write(move |connection| -> Result<_, RotationError> { signing::rotate(connection, &keys, now, true) })
}

fn after_a_rotation_old_and_new_tokens_are_verified(portal: Portal) {
    // Without an expiry: days pass here.
    let token = portal.token(&portal.user("ada"), |wish| wish.expires_at = None).secret;
    let sign = || ask(&portal, &token, "service=registry").with(200).json()["token"].as_str().unwrap().to_owned();
    let before = published(&portal);
    assert_eq!(before.len(), 2, "the current and the next");
    let old = sign();
    assert_eq!(kid(&old), before[0]);
    let rotated = rotate(&portal);
    assert_eq!(rotated.current.as_str(), before[1], "what registries knew as the next key signs now");
    assert_eq!(published(&portal), [&before[1], rotated.next.as_str(), &before[0]]);
    portal.advance(REREAD);
    let new = sign();
    assert_eq!(kid(&new), before[1]);
    assert!(is_verified(&portal, &old) && is_verified(&portal, &new));
    // Registries that were started before, and know only what was published then, take the new token.
    assert!(before.contains(&kid(&new)));
    portal.advance(PUBLISHED_AFTERWARDS - REREAD);
    portal.prune();
    assert!(is_verified(&portal, &old));
    portal.advance(1);
    portal.prune();
    assert_eq!(published(&portal), [&before[1], rotated.next.as_str()]);
    assert!(!is_verified(&portal, &old) && is_verified(&portal, &sign()));
    let story = |id: &str| {
        let id = id.to_owned();
        portal.read(move |connection| events::actions_on(connection, "signing_key", &id, 10))
    };
    assert_eq!(story(&before[0]), ["signing_key.created"]);
    assert_eq!(story(&before[1]), ["signing_key.created", "signing_key.rotated"]);
}

fn keys_whose_sealing_key_was_forgotten_are_replaced_at_the_next_start(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {}).secret;
    let sign = |portal: &Portal| {
        let answer = ask(portal, &token, "service=registry").with(200);
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let (old, before) = (sign(&portal), published(&portal));
    let portal = portal.restarted(|_| {});
    assert_eq!(published(&portal), before, "an ordinary start changes nothing");
    assert_eq!(kid(&sign(&portal)), before[0]);
    let id = portal.shared.keys.ids().remove(0);
    assert_eq!(portal.write(move |connection| signing_keys::forget_sealed(connection, &id)), 2);
    portal.advance(REREAD);
    assert_eq!(ask(&portal, &token, "service=registry").status, 500, "nothing to sign with until the next start");
    let portal = portal.restarted(|_| {});
    let new = sign(&portal);
    assert!(!before.contains(&kid(&new)) && is_verified(&portal, &new));
    assert!(is_verified(&portal, &old), "those that are out are still good");
    assert_eq!(published(&portal).len(), 3);
    portal.advance(DAY + 1);
    portal.prune();
    assert_eq!(published(&portal).len(), 2);
}
