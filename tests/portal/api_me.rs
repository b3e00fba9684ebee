//! `/api/v1/me`: the token that asks.

use serde_json::json;
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;

use crate::support::{Portal, on_both};

on_both![
    who_shows_nothing_is_told_how_to_ask,
    another_method_is_told_the_right_one,
    a_token_learns_what_it_is,
    bearer_and_basic_learn_the_same,
    the_head_is_the_head_of_the_same_answer,
    a_token_without_expiry_and_permission_is_a_good_one,
    selected_repositories_are_those_that_can_still_be_seen,
    a_new_name_is_told_at_once,
];

fn who_shows_nothing_is_told_how_to_ask(portal: Portal) {
    let answer = portal.request("GET", "/api/v1/me").send().with(401);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.headers_named("www-authenticate"),
        ["Bearer realm=\"Tokenhouse\"", "Basic realm=\"Tokenhouse\", charset=\"UTF-8\""]
    );
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The credentials are missing or not accepted. Send the token as Bearer or Basic.",
        })
    );
}

fn another_method_is_told_the_right_one(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = portal.request(method, "/api/v1/me").bearer(&token.secret).send().with(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method}");
        assert_eq!(
            answer.json(),
            json!({
                "type": "about:blank",
                "title": "Method Not Allowed",
                "status": 405,
                "detail": "This address takes GET only.",
            })
        );
    }
}

fn a_token_learns_what_it_is(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.name = TokenName::parse("Köln \"1\" 🔑").expect("a name");
        wish.permissions = Permissions {
            repositories: Permission::Write,
            account: Permission::Read,
            administration: Permission::None,
        };
    });
    let answer = portal.api(&token.secret, "/api/v1/me").with(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.json(),
        json!({
            "kind": "api_token",
            "id": token.id.to_string(),
            "name": "Köln \"1\" 🔑",
            "username": "ada",
            "permissions": {"repositories": "write", "account": "read", "administration": "none"},
            "repositories": {"selection": "all"},
            "created_at": "2026-11-21T14:06:40Z",
            "expires_at": "2027-02-19T14:06:40Z",
        })
    );
    assert!(!answer.text().contains(&token.secret));
}

fn bearer_and_basic_learn_the_same(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let bearer = portal.api(&token.secret, "/api/v1/me").with(200).json();
    for username in ["ada", "ADA"] {
        let basic = portal.request("GET", "/api/v1/me").basic(username, &token.secret).send().with(200).json();
        assert_eq!(basic, bearer);
    }
}

fn the_head_is_the_head_of_the_same_answer(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let get = portal.api(&token.secret, "/api/v1/me").with(200);
    let head = portal.request("HEAD", "/api/v1/me").bearer(&token.secret).send().with(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-type"), get.header("content-type"));
    let head = portal.request("HEAD", "/api/v1/me").send().with(401);
    assert!(head.body.is_empty());
}

fn a_token_without_expiry_and_permission_is_a_good_one(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.permissions = Permissions::default();
        wish.expires_at = None;
    });
    let me = portal.api(&token.secret, "/api/v1/me").with(200).json();
    assert_eq!(me["expires_at"], json!(null));
    assert_eq!(me["permissions"], json!({"repositories": "none", "account": "none", "administration": "none"}));
}

fn selected_repositories_are_those_that_can_still_be_seen(portal: Portal) {
    let ids: Vec<_> = ["alpha", "beta", "gamma"].map(|name| portal.repository(name)).to_vec();
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    for id in &ids {
        ada.grant(*id, Permission::Read);
    }
    let selected = RepositorySelection::Selected(vec![ids[1], ids[0]]);
    let token = portal.token(&ada, |wish| wish.repositories = selected);
    let names = || portal.api(&token.secret, "/api/v1/me").with(200).json()["repositories"].clone();
    assert_eq!(names(), json!({"selection": "selected", "names": ["alpha", "beta"]}));
    portal.sql("DELETE FROM repositories WHERE name = 'alpha'");
    assert_eq!(names(), json!({"selection": "selected", "names": ["beta"]}));
    ada.ungrant();
    assert_eq!(names(), json!({"selection": "selected", "names": []}));
}

fn a_new_name_is_told_at_once(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    ada.sign_in().post(&token.page("name"), &[("name", "cd")]).with(303);
    assert_eq!(portal.api(&token.secret, "/api/v1/me").json()["name"], "cd");
}
