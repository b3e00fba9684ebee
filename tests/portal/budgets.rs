//! How many changes a user and a token can make in an hour, and what removes the rows that repeated requests leave.

use serde_json::{Value, json};
use tokenhouse::auth::budgets::{BudgetLimits, BudgetOwner, ChangeKind};
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privileges;
use tokenhouse::domain::timestamp::DAY;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::api_tokens::{detail, send};
use crate::support::routes::Place;
use crate::support::{Portal, Token, User, on_both};

on_both![
    token_that_renames_itself_too_often_gets_429_until_the_hour_has_passed,
    token_that_rotates_itself_too_often_gets_429,
    user_that_creates_too_many_tokens_gets_429_and_a_page,
    refused_changes_cost_nothing,
    token_out_of_budget_leaves_its_owner_able_to_revoke_it,
    manager_can_create_more_repositories_than_the_flag_allows,
    every_route_that_changes_something_is_limited,
    failed_sign_ins_leave_few_events,
    ended_secrets_and_revoked_tokens_are_removed_after_30_days,
];

fn limited(portal: Portal) -> Portal {
    portal.restarted(|config| {
        config.budgets = BudgetLimits { token_creations: 2, rotations: 2, writes: 3 };
    })
}

fn account_token(portal: &Portal, owner: &User<'_>) -> Token {
    portal.token(owner, |wish| {
        wish.permissions = Permissions {
            repositories: Permission::Write,
            account: Permission::Write,
            administration: Permission::Write,
        };
    })
}

fn rename(portal: &Portal, token: &Token, name: &str) -> crate::support::Answer {
    send(portal, "PATCH", &format!("/api/v1/tokens/{}", token.id), &token.secret, json!({ "name": name }))
}

fn events(portal: &Portal) -> usize {
    portal.dump()["events"].len()
}

fn token_that_renames_itself_too_often_gets_429_until_the_hour_has_passed(portal: Portal) {
    let portal = limited(portal);
    let ada = portal.user("ada");
    let (token, second) = (account_token(&portal, &ada), portal.token_named(&ada, "second"));
    for name in ["a", "b", "c"] {
        rename(&portal, &token, name).with(200);
    }
    let before = events(&portal);
    portal.advance(60);
    let answer = rename(&portal, &token, "d");
    assert_eq!(answer.header("retry-after"), Some("3540"));
    assert_eq!(
        detail(answer, 429),
        "Too many changes within an hour. Nothing was changed. Wait 59 minutes and try again."
    );
    assert_eq!(events(&portal), before);
    assert!(portal.accepts(&token.secret) && portal.accepts(&second.secret), "checks are not limited");
    portal.advance(3_540);
    rename(&portal, &token, "d").with(200);
}

fn token_that_rotates_itself_too_often_gets_429(portal: Portal) {
    let portal = limited(portal);
    let mut secret = account_token(&portal, &portal.user("ada")).secret;
    for _ in 0..2 {
        let answer = send(&portal, "POST", "/api/v1/tokens/current/rotation", &secret, json!({"grace": "now"}));
        secret = answer.with(201).json()["token"].as_str().expect("a secret").to_owned();
    }
    send(&portal, "POST", "/api/v1/tokens/current/rotation", &secret, json!({"grace": "now"})).with(429);
    assert!(portal.accepts(&secret));
    // A repository's token keeps its budget over its rotations too.
    let mut secret = portal.user_with("root", "administrator").sign_in().create_repository("alpha");
    let path = "/api/v1/repositories/alpha/token";
    for _ in 0..2 {
        let answer = send(&portal, "POST", path, &secret, json!({"grace": "now"}));
        secret = answer.with(201).json()["token"].as_str().expect("a secret").to_owned();
    }
    send(&portal, "POST", path, &secret, json!({"grace": "now"})).with(429);
    assert!(portal.accepts(&secret));
}

fn user_that_creates_too_many_tokens_gets_429_and_a_page(portal: Portal) {
    let portal = limited(portal);
    let browser = portal.user("ada").sign_in();
    for name in ["one", "two"] {
        browser.create(&browser.token_form(name));
    }
    let answer = browser.submit(&browser.token_form("three")).with(429);
    assert_eq!(answer.header("retry-after"), Some("3600"));
    answer.page().says("Too many changes within an hour.");
}

fn refused_changes_cost_nothing(portal: Portal) {
    let portal = limited(portal);
    let token = account_token(&portal, &portal.user("ada"));
    for _ in 0..10 {
        rename(&portal, &token, "").with(422);
        send(&portal, "PATCH", "/api/v1/policies", &token.secret, json!({})).with(403);
    }
    for name in ["a", "b", "c"] {
        rename(&portal, &token, name).with(200);
    }
    rename(&portal, &token, "d").with(429);
}

fn token_out_of_budget_leaves_its_owner_able_to_revoke_it(portal: Portal) {
    let portal = limited(portal);
    let ada = portal.user("ada");
    let token = account_token(&portal, &ada);
    for name in ["a", "b", "c"] {
        rename(&portal, &token, name).with(200);
    }
    rename(&portal, &token, "d").with(429);
    let browser = ada.sign_in();
    for name in ["e", "f", "g"] {
        let form = browser.page(&token.page("name")).form("Rename").fill("Name", name);
        browser.submit(&form).with(303);
    }
    let form = browser.page(&token.page("name")).form("Rename").fill("Name", "h");
    browser.submit(&form).with(429);
    // What ends something has a budget of its own.
    let form = browser.page(&token.page("revocation")).form("Revoke token");
    browser.submit(&form).with(303);
    assert!(!portal.accepts(&token.secret));
}

fn manager_can_create_more_repositories_than_the_flag_allows(portal: Portal) {
    let portal = limited(portal);
    let root = portal.user_with("root", "administrator");
    let token = account_token(&portal, &root);
    for number in 0..10 {
        let body = json!({ "name": format!("r{number}") });
        send(&portal, "POST", "/api/v1/repositories", &token.secret, body).with(201);
    }
}

/// Uses up all budgets of an owner.
fn exhaust(portal: &Portal, owner: BudgetOwner) {
    for kind in [ChangeKind::TokenCreation, ChangeKind::Rotation, ChangeKind::Write, ChangeKind::Ending] {
        while portal.shared.budgets.charge(owner, kind, Privileges::NONE, portal.now()).is_ok() {}
    }
}

fn every_route_that_changes_something_is_limited(portal: Portal) {
    let (ada, grace) = (portal.user("ada"), portal.user("grace"));
    portal.repository("alpha");
    let (token, browser) = (account_token(&portal, &ada), ada.sign_in());
    let place = Place::of(&token);
    exhaust(&portal, BudgetOwner::User(ada.id));
    exhaust(&portal, BudgetOwner::TokensOf(ada.id));
    // Who is not signed in is limited otherwise, and signing out is always possible.
    let free = ["/setup", "/login", "/logout", "/set-password"];
    let mut tried = 0;
    for route in ROUTES.iter().filter(|route| route.method != "GET" && !free.contains(&route.path)) {
        let path = place.path(route.path);
        let answer = match route.scope {
            Scope::Pages => browser.send(browser.request(route.method, &path).form::<&str, &str>(&[])),
            Scope::Api => send(&portal, route.method, &path, &token.secret, Value::Null),
            Scope::Forward | Scope::OAuth | Scope::Oci | Scope::Open => continue,
        };
        assert_eq!(answer.status, 429, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
    // Another user is not concerned.
    let other = grace.sign_in();
    other.create(&other.token_form("mine"));
    browser.post::<&str, &str>("/logout", &[]).with(303);
}

fn failed_sign_ins_leave_few_events(portal: Portal) {
    let visitor = portal.visitor();
    for number in 0..40_u8 {
        // Each from a place of its own, so that throttling refuses none of them.
        let place = portal.visitor().at(&format!("198.51.100.{number}"));
        place.try_sign_in(&format!("nobody{number}"), "not this one").with(401);
        let near = portal.visitor().at(&format!("2001:db8::{number:x}"));
        near.try_sign_in(&format!("somebody{number}"), "not this one");
    }
    let stored = events(&portal);
    assert!(stored <= 60, "{stored} events");
    let near = portal.dump()["events"].iter().filter(|line| line.contains("2001:db8::")).count();
    assert_eq!(near, 5, "one network of addresses leaves 5 events in a minute");
    portal.advance(60);
    visitor.try_sign_in("nobody", "not this one").with(401);
    assert_eq!(events(&portal), stored + 1);
}

fn ended_secrets_and_revoked_tokens_are_removed_after_30_days(portal: Portal) {
    let ada = portal.user("ada");
    let (rotated, revoked) = (account_token(&portal, &ada), portal.token_named(&ada, "revoked"));
    let answer = send(&portal, "POST", "/api/v1/tokens/current/rotation", &rotated.secret, json!({"grace": "now"}));
    let current = answer.with(201).json()["token"].as_str().expect("a secret").to_owned();
    portal.revoke(&revoked);
    let rows = || (portal.dump()["api_token_secrets"].len(), portal.dump()["api_tokens"].len());
    portal.advance(30 * DAY);
    portal.prune();
    assert_eq!(rows(), (3, 2));
    portal.advance(1);
    portal.prune();
    assert_eq!(rows(), (1, 1));
    assert!(portal.accepts(&current));
    let name = TokenName::parse("again").expect("a name");
    portal.token(&ada, |wish| wish.name = name);
}
