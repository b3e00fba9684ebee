//! Denied authorization is an event, at most once a minute for the same actor, action and object.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;

use crate::api_administration::administering;
use crate::api_tokens::send;
use crate::support::{Portal, on_both};

on_both![
    denied_page_is_an_event_once_a_minute,
    denied_token_is_an_event_with_the_token_that_asked,
    denied_forward_auth_is_an_event,
    refusals_without_denied_authorization_are_no_events,
    denial_is_listed_in_audit_log_and_does_not_repeat_tokens,
];

/// The events of denials, after those that wait were written.
fn denials(portal: &Portal) -> Vec<String> {
    portal.flush();
    let events = portal.dump()["events"].clone();
    events.into_iter().filter(|line| line.contains("authorization.denied")).collect()
}

fn denied_page_is_an_event_once_a_minute(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    for _ in 0..5 {
        browser.open("/admin/users").with(403);
    }
    let told = denials(&portal);
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [&ada.id.to_string(), "/admin/users", "GET: This needs the privilege User Management", "127.0.0.1"] {
        assert!(told[0].contains(part), "{part} in {told:?}");
    }
    // Another action, another object, another actor.
    browser.post("/admin/users", &[("", ""); 0]).with(403);
    browser.open("/admin/policies").with(403);
    portal.user("eve").sign_in().open("/admin/users").with(403);
    assert_eq!(denials(&portal).len(), 4);
    portal.advance(59);
    browser.open("/admin/users").with(403);
    assert_eq!(denials(&portal).len(), 4);
    portal.advance(1);
    browser.open("/admin/users").with(403);
    assert_eq!(denials(&portal).len(), 5);
    for number in 0..100 {
        browser.open(&format!("/admin/users/{number}")).with(403);
    }
    assert_eq!(denials(&portal).len(), 5 + 56, "of one actor 60 an hour");
}

fn denied_token_is_an_event_with_the_token_that_asked(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for _ in 0..3 {
        send(&portal, "DELETE", "/api/v1/repositories/alpha", &token.secret, Value::Null).with(403);
    }
    let told = denials(&portal);
    assert_eq!(told.len(), 1, "{told:?}");
    let sentence = "DELETE: The token needs the permission Repositories: Read and write.";
    for part in [&token.id.to_string(), "/api/v1/repositories/alpha", sentence, "ada with token “ci”"] {
        assert!(told[0].contains(part), "{part} in {told:?}");
    }
    // The privilege of the owner, and a rule about the user who is changed.
    let root = administering(&portal, &portal.user_with("root", "administrator"), Permission::Write);
    let of_ada = administering(&portal, &portal.user("eve"), Permission::Write);
    send(&portal, "GET", "/api/v1/users", &of_ada.secret, Value::Null).with(403);
    send(&portal, "PATCH", "/api/v1/users/root", &root.secret, json!({"display_name": "x"})).with(403);
    let (_, service) = portal.service("wiki");
    send(&portal, "GET", "/api/v1/users", &service, Value::Null).with(403);
    assert_eq!(denials(&portal).len(), 4);
}

fn denied_forward_auth_is_an_event(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {});
    let ask = |path: &str, method: &str| {
        portal.request("GET", path).bearer(&token.secret).header("x-original-method", method).send()
    };
    ask("/auth/nginx/alpha", "GET").with(200);
    for _ in 0..3 {
        ask("/auth/nginx/alpha", "POST").with(403);
        ask("/auth/nginx/omega", "GET").with(403);
    }
    let told = denials(&portal);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|line| line.contains("/auth/nginx/omega")), "{told:?}");
}

fn refusals_without_denied_authorization_are_no_events(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, token) = (ada.sign_in(), portal.token(&ada, |_| {}));
    let cross = browser.foreign_request("POST", "/admin/users").header("sec-fetch-site", "cross-site");
    cross.form(&[("", ""); 0]).send().with(403);
    let plain = |request: crate::support::request::Request<'_>| {
        request.header("x-forwarded-for", "203.0.113.5").header("x-forwarded-proto", "http").send().with(403)
    };
    plain(portal.request("GET", "/api/v1/users").bearer(&token.secret));
    plain(browser.request("GET", "/admin/users"));
    portal.request("GET", "/api/v1/users").send().with(401);
    portal.visitor().open("/admin/users").with(303);
    browser.open("/repositories/nothing").with(404);
    assert_eq!(denials(&portal), [""; 0]);
}

fn denial_is_listed_in_audit_log_and_does_not_repeat_tokens(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let (auditor, browser) = (administering(&portal, &root, Permission::Read), portal.user("ada").sign_in());
    browser.open("/admin/policies?next=%2Fx").with(403);
    let token = portal.token_named(&root, "other");
    portal.request("GET", &format!("/auth/nginx/{}", token.secret)).bearer(&token.secret).send().with(403);
    portal.flush();
    let answer = portal.api(&auditor.secret, "/api/v1/audit?action=authorization.denied").with(200);
    assert!(!answer.text().contains(&token.secret), "{answer:?}");
    let list = answer.json();
    let events = list["events"].as_array().expect("events");
    assert_eq!(events.len(), 2, "{list}");
    assert_eq!(events[1]["subject"], json!({"kind": "address", "id": "/admin/policies", "name": "/admin/policies"}));
    assert_eq!(events[1]["actor"]["name"], "ada");
    let query = "/api/v1/audit?subject=address:%2Fadmin%2Fpolicies";
    assert_eq!(portal.api(&auditor.secret, query).with(200).json()["events"].as_array().map(Vec::len), Some(1));
}
