//! `/api/v1/services` and `/api/v1/policies`, by a token of somebody with *System Management*.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;

use crate::api_administration::administering;
use crate::api_tokens::{detail, refused, send};
use crate::support::{Answer, Portal, Token, at_once, on_both, rounds};

on_both![
    no_service_is_made_and_no_token_rotated_here,
    an_unknown_service_is_not_there,
    a_service_is_shown_without_its_token,
    the_list_of_services_comes_in_pages_and_is_searched,
    a_deleted_service_is_gone_with_its_token,
    of_many_who_delete_a_service_at_once_one_does,
    policies_that_break_a_rule_are_not_taken,
    policies_are_changed_one_by_one,
    a_policy_holds_at_the_next_request,
    changes_of_different_policies_at_once_all_hold,
];

const SERVICES: &str = "/api/v1/services";
const POLICIES: &str = "/api/v1/policies";

fn root(portal: &Portal) -> Token {
    administering(portal, &portal.user_with("root", "administrator"), Permission::Write)
}

fn patch(portal: &Portal, token: &Token, body: Value) -> Answer {
    send(portal, "PATCH", POLICIES, &token.secret, body)
}

fn no_service_is_made_and_no_token_rotated_here(portal: Portal) {
    let token = root(&portal);
    portal.service("wiki");
    portal.unchanged("a token that would make another", || {
        send(&portal, "POST", SERVICES, &token.secret, json!({"name": "other"})).with(405);
        send(&portal, "POST", &format!("{SERVICES}/wiki/rotation"), &token.secret, Value::Null).with(404);
    });
}

fn an_unknown_service_is_not_there(portal: Portal) {
    let token = root(&portal);
    portal.service("wiki");
    portal.unchanged("nothing", || {
        for name in ["nothing", "WIKI", "%20wiki", "a%2Fb", "%00"] {
            portal.api(&token.secret, &format!("{SERVICES}/{name}")).with(404);
            send(&portal, "DELETE", &format!("{SERVICES}/{name}"), &token.secret, Value::Null).with(404);
        }
    });
    for query in ["sort=name", "limit=0", "after=A", "after=%00"] {
        portal.api(&token.secret, &format!("{SERVICES}?{query}")).with(400);
    }
}

fn a_service_is_shown_without_its_token(portal: Portal) {
    let token = root(&portal);
    let (id, secret) = portal.service("wiki");
    let answer = portal.api(&token.secret, &format!("{SERVICES}/wiki")).with(200);
    let expected = json!({
        "id": id.to_string(), "name": "wiki", "description": "", "hint": format!("{}…", &secret[..10]),
        "created_at": "2026-11-21T14:06:40Z", "created_by": "nobody",
        "token_created_at": "2026-11-21T14:06:40Z", "token_created_by": "nobody",
        "last_used_at": null, "last_used_address": null,
        "url": format!("http://{}/api/v1/services/wiki", portal.address),
    });
    assert_eq!(answer.json(), expected);
    let tag = answer.header("etag").expect("a tag");
    let again = portal.request("GET", &format!("{SERVICES}/wiki")).bearer(&token.secret).header("if-none-match", tag);
    again.send().with(304);
    portal.revoke_held(&secret);
    let cut_off = portal.api(&token.secret, &format!("{SERVICES}/wiki")).with(200);
    assert_eq!(cut_off.json()["token_created_by"], Value::Null);
}

fn the_list_of_services_comes_in_pages_and_is_searched(portal: Portal) {
    let token = root(&portal);
    for name in ["wiki", "registry", "build-one", "build-two"] {
        portal.service(name);
    }
    let page = |query: &str| {
        let list = portal.api(&token.secret, &format!("{SERVICES}?{query}")).with(200).json();
        let names = list["services"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), list["next"].as_str().map(|next| next.split('?').nth(1).unwrap().to_owned()))
    };
    let (first, next) = page("limit=3");
    assert_eq!(first, ["build-one", "build-two", "registry"]);
    assert_eq!(page(&next.unwrap()), (vec!["wiki".to_owned()], None));
    assert_eq!(page("q=BUILD").0, ["build-one", "build-two"]);
    assert_eq!(page("q=%25").0.len(), 0);
}

fn a_deleted_service_is_gone_with_its_token(portal: Portal) {
    let token = root(&portal);
    let (_, secret) = portal.service("wiki");
    portal.introspect(&secret, &token.secret).with(200);
    send(&portal, "DELETE", &format!("{SERVICES}/wiki"), &token.secret, Value::Null).with(204);
    portal.introspect(&secret, &token.secret).with(401);
    send(&portal, "DELETE", &format!("{SERVICES}/wiki"), &token.secret, Value::Null).with(404);
    let events = portal.dump()["events"].clone();
    let deleted = events.iter().find(|line| line.contains("service.deleted")).expect("an event");
    assert!(deleted.contains("root with token “ci”"), "{deleted}");
}

fn of_many_who_delete_a_service_at_once_one_does(portal: Portal) {
    let token = root(&portal);
    for _ in 0..rounds() {
        portal.service("wiki");
        let statuses =
            at_once(8, |_| send(&portal, "DELETE", &format!("{SERVICES}/wiki"), &token.secret, Value::Null).status);
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [204, 404].contains(status)), "{statuses:?}");
    }
}

fn policies_that_break_a_rule_are_not_taken(portal: Portal) {
    let token = root(&portal);
    portal.unchanged("wrong policies", || {
        for (body, field) in [
            (json!({"max_lifetime_days": 0}), "max_lifetime_days"),
            (json!({"max_lifetime_days": -1}), "max_lifetime_days"),
            (json!({"max_lifetime_days": 3651}), "max_lifetime_days"),
            (json!({"max_lifetime_days": 1.5}), "max_lifetime_days"),
            (json!({"max_lifetime_days": "90"}), "max_lifetime_days"),
            (json!({"max_lifetime_days": 9_223_372_036_854_775_808_u64}), "max_lifetime_days"),
            (json!({"max_api_tokens": 101}), "max_api_tokens"),
            (json!({"no_expiry_allowed": "yes"}), "no_expiry_allowed"),
            (json!({"graces": []}), "graces"),
            (json!({"graces": ["now", "2h"]}), "graces"),
            (json!({"graces": "now"}), "graces"),
            (json!({"revision": 1}), "revision"),
        ] {
            let sentence = refused(patch(&portal, &token, body.clone()));
            assert!(sentence.starts_with(&format!("{field}: ")), "{body}: {sentence}");
        }
        let number = refused(patch(&portal, &token, json!({"max_api_tokens": "many"})));
        assert_eq!(number, "max_api_tokens: Must be a whole number.");
        let both = patch(&portal, &token, json!({"max_api_tokens": 0, "graces": []})).with(422).json();
        assert_eq!(both["errors"].as_array().map(Vec::len), Some(2), "all at once: {both}");
        assert_eq!(detail(patch(&portal, &token, json!([])), 400), "The body must be a JSON object.");
    });
}

fn policies_are_changed_one_by_one(portal: Portal) {
    let token = root(&portal);
    let mut expected = json!({
        "max_lifetime_days": null, "no_expiry_allowed": true, "max_api_tokens": null,
        "graces": ["now", "1h", "24h", "7d"], "repository_tokens_shown_once": false,
    });
    let before = portal.api(&token.secret, POLICIES).with(200);
    assert_eq!(before.json(), expected);
    for (field, value) in [
        ("max_lifetime_days", json!(90)),
        ("no_expiry_allowed", json!(false)),
        ("max_api_tokens", json!(100)),
        ("repository_tokens_shown_once", json!(true)),
        ("graces", json!(["now", "24h"])),
        ("max_lifetime_days", json!(null)),
    ] {
        expected[field] = value.clone();
        assert_eq!(patch(&portal, &token, json!({field: value})).with(200).json(), expected);
    }
    assert_eq!(patch(&portal, &token, json!({"graces": ["24h", "now", "24h"]})).with(200).json(), expected);
    portal.unchanged("what is so already", || {
        assert_eq!(patch(&portal, &token, json!({})).with(200).json(), expected);
        assert_eq!(patch(&portal, &token, expected.clone()).with(200).json(), expected);
    });
    let after = portal.api(&token.secret, POLICIES).with(200);
    assert!(after.header("etag").is_some() && after.header("etag") != before.header("etag"));
    assert_eq!(portal.actions().iter().filter(|action| *action == "policies.changed").count(), 6);
}

fn a_policy_holds_at_the_next_request(portal: Portal) {
    let ada = portal.user("ada");
    let hers = portal.token(&ada, |wish| wish.permissions.account = Permission::Write);
    patch(&portal, &root(&portal), json!({"graces": ["24h"]})).with(200);
    let path = "/api/v1/tokens/current/rotation";
    assert!(refused(send(&portal, "POST", path, &hers.secret, json!({"grace": "now"}))).starts_with("grace: "));
    send(&portal, "POST", path, &hers.secret, Value::Null).with(201);
}

fn changes_of_different_policies_at_once_all_hold(portal: Portal) {
    let token = root(&portal);
    for round in 0..rounds() {
        let bodies = [
            json!({"max_lifetime_days": 10 + round}),
            json!({"max_api_tokens": 10 + round % 50}),
            json!({"no_expiry_allowed": round % 2 == 0}),
        ];
        let statuses = at_once(3, |number| patch(&portal, &token, bodies[number].clone()).status);
        assert_eq!(statuses, [200, 200, 200]);
        let policies = portal.api(&token.secret, POLICIES).with(200).json();
        for (field, body) in ["max_lifetime_days", "max_api_tokens", "no_expiry_allowed"].iter().zip(&bodies) {
            assert_eq!(policies[field], body[field], "{policies}");
        }
    }
}
