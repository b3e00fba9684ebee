//! The Repository API with a repository's own token.

use tokenhouse::domain::permission::Permission;

use crate::support::request::basic;
use crate::support::{Portal, on_both};

on_both![
    the_token_opens_its_own_repository_by_basic_and_by_bearer,
    another_name_is_refused_in_basic,
    no_other_repository_is_there,
    it_says_what_it_is,
    it_opens_no_page,
    an_api_token_does_not_pass_for_a_repository,
    uses_are_counted_for_the_repository,
];

fn the_token_opens_its_own_repository_by_basic_and_by_bearer(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let token = ada.create_repository("alpha");
    for authorization in [basic("alpha", &token), format!("Bearer {token}"), format!("bearer {token}")] {
        for method in ["GET", "HEAD"] {
            let request = portal.request(method, "/api/v1/repositories/alpha");
            request.header("authorization", &authorization).send().with(200);
        }
        let answer = portal.request("GET", "/api/v1/repositories/alpha").header("authorization", &authorization).send();
        let json = answer.json();
        assert_eq!((&json["name"], &json["permission"]), (&"alpha".into(), &"write".into()));
    }
}

fn another_name_is_refused_in_basic(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let token = ada.create_repository("alpha");
    for name in ["", "ada", "ALPHA", "alpha ", "alph", "alpha2", "beta"] {
        for path in ["/api/v1/repositories/alpha", "/api/v1/me"] {
            portal.request("GET", path).basic(name, &token).send().with(401);
        }
    }
}

fn no_other_repository_is_there(portal: Portal) {
    let ada = portal.user_with("ada", "administrator").sign_in();
    let alpha = ada.create_repository("alpha");
    for other in ["beta", "alpha2", "alpha-x", "a"] {
        ada.create_repository(other);
        let path = format!("/api/v1/repositories/{other}");
        let missing = portal.api(&alpha, "/api/v1/repositories/missing").with(404);
        assert_eq!(portal.api(&alpha, &path).with(404).body, missing.body);
        portal.request("GET", &path).basic("alpha", &alpha).send().with(404);
    }
    let list = portal.api(&alpha, "/api/v1/repositories").with(200).json();
    assert_eq!(list["repositories"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["repositories"][0]["name"], "alpha");
    for (after, count) in [("a", 1), ("alpha", 0), ("beta", 0)] {
        let list = portal.api(&alpha, &format!("/api/v1/repositories?after={after}")).with(200).json();
        assert_eq!(list["repositories"].as_array().map(Vec::len), Some(count), "{after}");
    }
}

fn it_says_what_it_is(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let token = ada.create_repository("alpha");
    let me = portal.api(&token, "/api/v1/me").with(200).json();
    assert_eq!(me["kind"], "repository_token");
    assert_eq!((&me["name"], &me["username"]), (&"alpha".into(), &serde_json::Value::Null));
    assert_eq!(
        me["permissions"],
        serde_json::json!({ "repositories": "write", "account": "none", "administration": "none" })
    );
    assert_eq!(me["repositories"], serde_json::json!({ "selection": "selected", "names": ["alpha"] }));
    assert_eq!(me["expires_at"], serde_json::Value::Null);
    ada.generate_new("alpha", "after 1 hour");
    let me = portal.api(&token, "/api/v1/me").with(200).json();
    assert_eq!(me["expires_at"], "2026-11-21T15:06:40Z", "a replaced one says when it ends");
}

fn it_opens_no_page(portal: Portal) {
    let ada = portal.user_with("ada", "administrator").sign_in();
    let token = ada.create_repository("alpha");
    for path in ["/repositories", "/repositories/alpha/configure", "/profile"] {
        let answer = portal.request("GET", path).basic("alpha", &token).send();
        assert!(answer.location().starts_with("/login?next="), "{path}");
    }
    portal.api(&token, &format!("/api/v1/me?token={token}")).with(400);
    ada.open(&format!("/repositories?q={token}")).with(422);
}

fn an_api_token_does_not_pass_for_a_repository(portal: Portal) {
    let alpha = portal.repository("alpha");
    let eve = portal.user("eve");
    eve.grant(alpha, Permission::Write);
    let token = portal.token(&eve, |_| {});
    portal.request("GET", "/api/v1/repositories/alpha").basic("alpha", &token.secret).send().with(401);
    portal.request("GET", "/api/v1/repositories/alpha").basic("eve", &token.secret).send().with(200);
}

fn uses_are_counted_for_the_repository(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let token = ada.create_repository("alpha");
    for second in 0..3 {
        portal.request("GET", "/api/v1/repositories/alpha").basic("alpha", &token).send().with(200);
        portal.advance(second);
    }
    portal.request("GET", "/api/v1/repositories/alpha").basic("beta", &token).send().with(401);
    portal.flush();
    let rows = ada.page("/repositories/alpha/token/new").rows();
    assert_eq!((rows.len(), rows[0].cell("Uses")), (1, "3"));
    ada.page("/repositories/alpha/configure").says("Last used 21 Nov 2026, 14:06 UTC");
}
