//! A valid token in a field that is not meant for one: refused, and neither stored nor repeated.

use serde_json::json;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::secret::LOOKS_LIKE_TOKEN;

use crate::support::{Answer, PASSWORD, Portal, on_both};

on_both![
    token_typed_into_form_is_refused_and_not_repeated,
    token_typed_into_parsed_field_keeps_the_other_fields,
    token_typed_into_json_is_refused_and_not_repeated,
    token_typed_into_query_is_refused_and_not_repeated,
    token_typed_as_password_is_wrong_and_as_new_password_refused,
    text_that_only_begins_like_token_is_accepted,
];

const NONCE: &str = "0123456789abcdefABCDEF";
const NONCE_OF_USER: &str = "117000000000000001";

#[track_caller]
fn assert_refused(what: &str, answer: &Answer, secret: &str) {
    let text = answer.text();
    assert_eq!(answer.status, 422, "{what}: {text}");
    assert!(text.contains(LOOKS_LIKE_TOKEN), "{what}: {text}");
    assert!(!text.contains(&secret[..20]), "{what} repeats it");
    let headers = format!("{:?}", answer.headers);
    assert!(!headers.contains(&secret[..20]), "{what} repeats it: {headers}");
}

fn token_typed_into_form_is_refused_and_not_repeated(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let (eve, token) = (portal.user("eve"), portal.token(&root, |_| {}));
    let browser = root.sign_in();
    browser.create_repository("alpha");
    let (service, _) = portal.service("wiki");
    let secret = portal.token_named(&root, "typed").secret;
    let (user, service) = (format!("/admin/users/{}", eve.id), format!("/admin/services/{service}"));
    let forms: &[(String, &[&str])] = &[
        (
            "/profile/api-tokens".into(),
            &[
                "name",
                "expiry",
                "expires_on",
                "repositories_permission",
                "repository_selection",
                "repositories",
                "recreates",
            ],
        ),
        (token.page("name"), &["name"]),
        (token.page("rotation"), &["replaces", "grace"]),
        ("/repositories".into(), &["name", "description"]),
        ("/repositories/alpha/description".into(), &["description"]),
        ("/repositories/alpha/access".into(), &["username", "permission"]),
        ("/repositories/alpha/deletion".into(), &["name"]),
        ("/repositories/alpha/token".into(), &["replaces", "grace"]),
        ("/admin/users".into(), &["username", "display_name", "email", "roles"]),
        (format!("{user}/edit"), &["display_name", "email", "roles"]),
        ("/admin/services".into(), &["name", "description"]),
        (format!("{service}/rotation"), &["replaces"]),
        (format!("{service}/deletion"), &["name"]),
        ("/admin/policies".into(), &["max_lifetime_days", "graces"]),
        ("/login".into(), &["username", "next"]),
        ("/reauthenticate".into(), &["next"]),
        ("/set-password".into(), &["code"]),
    ];
    for (path, fields) in forms {
        for field in *fields {
            for typed in [secret.clone(), format!("my token is {secret}, ok?"), secret.replacen('_', "%5F", 1)] {
                let nonce = if path == "/admin/users" { NONCE_OF_USER } else { NONCE };
                let mut all = vec![(*field, typed.as_str()), ("nonce", nonce)];
                let is_id = |name: &str| ["recreates", "replaces"].contains(&name);
                let others = fields.iter().filter(|other| *other != field && !is_id(other)).map(|other| (*other, "x"));
                all.extend(others);
                if !["/profile/api-tokens", "/repositories", "/admin/users", "/admin/services"].contains(&path.as_str())
                    && !path.ends_with("rotation")
                    && !path.ends_with("/token")
                {
                    all.retain(|(name, _)| *name != "nonce");
                }
                let what = format!("{field} at {path}");
                assert_refused(&what, &portal.unchanged(&what, || browser.post(path, &all)), &secret);
            }
        }
    }
    assert!(portal.accepts(&secret), "it still works; its owner is told to revoke it");
}

fn token_typed_into_parsed_field_keeps_the_other_fields(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let secret = portal.token(&root, |_| {}).secret;
    let browser = root.sign_in();
    let form = browser.page("/repositories/new").form("Create Repository");
    let page = browser.refused(&form.fill("Name", "alpha").fill("Description (optional)", &format!("see {secret}")));
    page.says(LOOKS_LIKE_TOKEN).does_not_say(&secret);
    let form = page.form("Create Repository");
    assert_eq!((form.value("name"), form.value("description")), ("alpha".into(), String::new()));
    let page = browser.refused(&browser.token_form(&secret).choose("Administration", "Read"));
    page.says(LOOKS_LIKE_TOKEN).does_not_say(&secret);
    assert_eq!(page.form("Create Token").value("name"), "");
}

fn token_typed_into_json_is_refused_and_not_repeated(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    portal.user("eve");
    portal.repository("alpha");
    let all = portal.token(&root, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.permissions.account = Permission::Write;
        wish.permissions.administration = Permission::Write;
    });
    let typed = portal.token_named(&root, "typed").secret;
    let escaped = typed.replacen('t', "\\u0074", 1);
    let send = |method: &str, path: &str, body: String| {
        let request = portal.request(method, path).bearer(&all.secret).header("content-type", "application/json");
        request.body(body).send()
    };
    let of_token = format!("/api/v1/tokens/{}", all.id);
    for (method, path, field, body) in [
        ("POST", "/api/v1/repositories", "name", json!({ "name": typed })),
        ("POST", "/api/v1/repositories", "description", json!({ "name": "beta", "description": format!("x {typed}") })),
        ("POST", "/api/v1/repositories", "(a token)", json!({ &*typed: "beta" })),
        ("PATCH", "/api/v1/repositories/alpha", "description", json!({ "description": typed })),
        ("POST", "/api/v1/repositories/alpha/token", "grace", json!({ "grace": typed })),
        ("PUT", "/api/v1/repositories/alpha/grants/eve", "permission", json!({ "permission": typed })),
        ("POST", "/api/v1/users", "username", json!({ "username": typed })),
        ("PATCH", "/api/v1/users/eve", "display_name", json!({ "display_name": typed })),
        ("PATCH", "/api/v1/users/eve", "roles[1]", json!({ "roles": ["developer", typed] })),
        ("POST", "/api/v1/roles", "title", json!({ "name": "x", "title": typed, "privileges": [] })),
        ("PATCH", "/api/v1/policies", "graces[0]", json!({ "graces": [typed] })),
        ("PATCH", &of_token, "name", json!({ "name": typed })),
        ("POST", "/api/v1/tokens/current/rotation", "grace", json!({ "grace": typed })),
    ] {
        for body in [body.to_string(), body.to_string().replace(&typed, &escaped)] {
            let answer = portal.unchanged(path, || send(method, path, body));
            assert_refused(path, &answer, &typed);
            let json = answer.json();
            assert_eq!((&json["detail"], &json["errors"][0]["field"]), (&LOOKS_LIKE_TOKEN.into(), &field.into()));
        }
    }
}

fn token_typed_into_query_is_refused_and_not_repeated(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    portal.repository("alpha");
    let all = portal.token(&root, |wish| wish.permissions.administration = Permission::Read);
    let secret = portal.token_named(&root, "typed").secret;
    let browser = root.sign_in();
    for path in [
        "/repositories?q=",
        "/repositories?sort=",
        "/admin/users?q=",
        "/admin/services?q=",
        "/profile/api-tokens/new?name=",
        "/profile/api-tokens/new?repositories=",
        "/repositories/alpha/access?page=",
        "/api?q=",
        "/login?next=",
    ] {
        assert_refused(path, &browser.open(&format!("{path}{secret}")), &secret);
        assert_refused(path, &browser.open(&format!("{path}my+{}", secret.replacen('_', "%5F", 1))), &secret);
    }
    for path in [
        "/api/v1/repositories?q=",
        "/api/v1/repositories?after=",
        "/api/v1/users?q=",
        "/api/v1/audit?actor=",
        "/api/v1/audit?subject=repository:",
    ] {
        let answer = portal.api(&all.secret, &format!("{path}{secret}"));
        assert_refused(path, &answer, &secret);
    }
}

fn token_typed_as_password_is_wrong_and_as_new_password_refused(portal: Portal) {
    let ada = portal.user("ada");
    let secret = portal.token(&ada, |_| {}).secret;
    portal.visitor().try_sign_in("ada", &secret).with(401).page().does_not_say(&secret);
    let browser = ada.sign_in();
    let fields = [("current_password", PASSWORD), ("new_password", secret.as_str())];
    assert_refused("a new password", &browser.post("/profile/security/password", &fields), &secret);
    browser.try_sign_in("ada", PASSWORD).with(303);
}

fn text_that_only_begins_like_token_is_accepted(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let mut wrong_checksum = token.secret.clone();
    let last = if wrong_checksum.pop() == Some('0') { '1' } else { '0' };
    wrong_checksum.push(last);
    for name in ["thp_ token of the build server", "thp_AbCdEf…", &token.secret[..41], &wrong_checksum] {
        browser.post(&token.page("name"), &[("name", name)]).with(303);
    }
}
