//! `Idempotency-Key`: a POST that is sent again gets the same answer, and how a client whose answer was lost gets its new secret.

use serde_json::{Value, json};
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::timestamp::{HOUR, MINUTE};
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::api_tokens::detail;
use crate::support::request::basic;
use crate::support::routes::Place;
use crate::support::{Answer, Portal, Token, User, at_once, on_both};

on_both![
    post_with_known_key_returns_the_same_answer_at_every_endpoint,
    post_with_known_key_and_another_request_returns_422,
    key_is_known_for_its_credential_alone_and_for_ten_minutes,
    key_of_another_form_returns_400,
    refused_request_stores_no_answer,
    credential_with_100_answers_gets_429,
    requests_with_one_key_at_once_make_one_change,
    replaced_secret_with_its_key_fetches_the_answer_to_its_rotation_and_nothing_else,
    replaced_repository_token_with_its_key_fetches_the_answer_to_its_rotation,
    first_use_of_the_new_secret_ends_recovery_at_every_endpoint,
    recovery_ends_after_ten_minutes_or_with_the_grace,
    recovery_needs_a_token_and_an_owner_that_are_accepted,
    repository_token_rotated_by_a_user_is_answered_again_after_its_first_use,
    stored_answers_are_sealed,
    recovery_and_its_end_are_the_same_on_every_node,
];

const ROTATION: &str = "/api/v1/tokens/current/rotation";

fn full_token(portal: &Portal, owner: &User<'_>) -> Token {
    portal.token(owner, |wish| {
        wish.permissions = Permissions {
            repositories: Permission::Write,
            account: Permission::Write,
            administration: Permission::Write,
        };
    })
}

fn post(portal: &Portal, path: &str, secret: &str, key: &str, body: &Value) -> Answer {
    let request = portal.request("POST", path).bearer(secret).header("idempotency-key", key);
    if body.is_null() {
        return request.send();
    }
    request.header("content-type", "application/json").body(body.to_string()).send()
}

fn rotate(portal: &Portal, secret: &str, key: &str, grace: &str) -> Answer {
    post(portal, ROTATION, secret, key, &json!({ "grace": grace }))
}

#[track_caller]
fn secret_of(answer: &Answer) -> String {
    answer.clone().with(201).json()["token"].as_str().expect("a secret").to_owned()
}

/// What a client sees of an answer.
fn seen(answer: &Answer) -> (u16, Option<&str>, &[u8]) {
    (answer.status, answer.header("location"), &answer.body)
}

fn post_with_known_key_returns_the_same_answer_at_every_endpoint(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    portal.user("grace");
    portal.repository("alpha");
    let token = full_token(&portal, &root);
    let place = Place::of(&token);
    for route in ROUTES.iter().filter(|route| route.scope == Scope::Api && route.method == "POST") {
        let body = match route.path {
            "/api/v1/repositories" => json!({ "name": "beta" }),
            "/api/v1/users" => json!({ "username": "mia", "display_name": "Mia", "email": "mia@example.org" }),
            "/api/v1/roles" => json!({ "name": "desk", "title": "Desk" }),
            ROTATION => continue,
            _ => Value::Null,
        };
        let path = place.path(route.path);
        let first = post(&portal, &path, &token.secret, route.path, &body);
        assert!((200..300).contains(&first.status), "{first:?}");
        let again = portal.unchanged(route.path, || post(&portal, &path, &token.secret, route.path, &body));
        assert_eq!(seen(&first), seen(&again), "{again:?}");
        assert_eq!(first.header("content-type"), again.header("content-type"));
        assert_eq!(again.header("cache-control"), Some("no-store"));
    }
    let first = rotate(&portal, &token.secret, "last", "now");
    assert_eq!(seen(&first), seen(&rotate(&portal, &token.secret, "last", "now")));
}

fn post_with_known_key_and_another_request_returns_422(portal: Portal) {
    let token = full_token(&portal, &portal.user_with("root", "administrator"));
    let create = |path: &str, body: Value| post(&portal, path, &token.secret, "k1", &body);
    create("/api/v1/repositories", json!({ "name": "alpha" })).with(201);
    portal.unchanged("another request", || {
        let sentence =
            "This Idempotency-Key was used for another request. Nothing was changed. Use a new random key for each change.";
        assert_eq!(detail(create("/api/v1/repositories", json!({ "name": "beta" })), 422), sentence);
        assert_eq!(detail(create("/api/v1/repositories?x=1", json!({ "name": "alpha" })), 422), sentence);
        assert_eq!(detail(create("/api/v1/roles", json!({ "name": "alpha" })), 422), sentence);
    });
}

fn key_is_known_for_its_credential_alone_and_for_ten_minutes(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let (token, other) = (full_token(&portal, &root), portal.token_named(&root, "other"));
    let body = json!({ "name": "alpha" });
    let first = post(&portal, "/api/v1/repositories", &token.secret, "k1", &body);
    post(&portal, "/api/v1/repositories", &other.secret, "k1", &body).with(403);
    portal.advance(10 * MINUTE - 1);
    let quoted = post(&portal, "/api/v1/repositories", &token.secret, "\"k1\"", &body);
    assert_eq!(seen(&first), seen(&quoted));
    portal.advance(1);
    post(&portal, "/api/v1/repositories", &token.secret, "k1", &body).with(409);
    // The key can be used again, whether or not the row was pruned meanwhile.
    post(&portal, "/api/v1/repositories", &token.secret, "k1", &json!({ "name": "beta" })).with(201);
    portal.advance(10 * MINUTE);
    portal.prune();
    assert!(portal.dump()["idempotency_keys"].is_empty());
}

fn key_of_another_form_returns_400(portal: Portal) {
    let token = full_token(&portal, &portal.user_with("root", "administrator"));
    portal.unchanged("a malformed key", || {
        for key in ["", "a b", "\"a", &"x".repeat(65), &token.secret] {
            let answer = post(&portal, "/api/v1/repositories", &token.secret, key, &json!({ "name": "alpha" }));
            assert!(detail(answer, 400).starts_with("Idempotency-Key "), "{key}");
        }
    });
}

fn refused_request_stores_no_answer(portal: Portal) {
    let token = full_token(&portal, &portal.user_with("root", "administrator"));
    portal.unchanged("a refused request", || {
        post(&portal, "/api/v1/repositories", &token.secret, "k1", &json!({ "name": "-" })).with(422);
        post(&portal, "/api/v1/repositories", &token.secret, "k1", &Value::Null).with(415);
        portal.request("POST", "/api/v1/repositories").header("idempotency-key", "k1").send().with(401);
    });
    post(&portal, "/api/v1/repositories", &token.secret, "k1", &json!({ "name": "alpha" })).with(201);
}

fn credential_with_100_answers_gets_429(portal: Portal) {
    let token = full_token(&portal, &portal.user_with("root", "administrator"));
    portal.user("grace");
    let sign_out = |number: usize| {
        post(&portal, "/api/v1/users/grace/sign-out", &token.secret, &format!("key-{number}"), &Value::Null)
    };
    for number in 0..100 {
        sign_out(number).with(200);
    }
    portal.advance(60);
    let answer = sign_out(100);
    assert_eq!(answer.header("retry-after"), Some("540"));
    assert!(detail(answer, 429).starts_with("This token has 100 stored answers"));
    sign_out(99).with(200);
    assert_eq!(portal.dump()["idempotency_keys"].len(), 100);
    portal.advance(540);
    sign_out(100).with(200);
    assert_eq!(portal.dump()["idempotency_keys"].len(), 1);
}

fn requests_with_one_key_at_once_make_one_change(portal: Portal) {
    let token = full_token(&portal, &portal.user("ada"));
    let answers = at_once(12, |_| rotate(&portal, &token.secret, "k1", "now"));
    let secrets: Vec<String> =
        answers.iter().filter(|answer| answer.status == 201).map(|answer| secret_of(answer)).collect();
    assert!(!secrets.is_empty());
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
        assert!(detail(answer.clone(), 409).contains("still running"));
    }
    let last = secret_of(&rotate(&portal, &token.secret, "k1", "now"));
    assert!(secrets.iter().all(|secret| *secret == last) && portal.accepts(&last));
    assert_eq!(portal.dump()["api_token_secrets"].len(), 2);
}

fn replaced_secret_with_its_key_fetches_the_answer_to_its_rotation_and_nothing_else(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let old = full_token(&portal, &root).secret;
    let created = json!({ "name": "alpha" });
    post(&portal, "/api/v1/repositories", &old, "k0", &created).with(201);
    let first = rotate(&portal, &old, "k1", "now");
    assert!(!portal.accepts(&old));
    portal.unchanged("a replaced secret", || {
        for request in [
            rotate(&portal, &old, "k2", "now"),
            portal.request("POST", ROTATION).bearer(&old).send(),
            // An answer of before the rotation.
            post(&portal, "/api/v1/repositories", &old, "k0", &created),
            post(&portal, "/api/v1/repositories", &old, "k3", &json!({ "name": "beta" })),
            portal.request("GET", "/api/v1/me").bearer(&old).header("idempotency-key", "k1").send(),
            portal.request("DELETE", "/api/v1/tokens/current").bearer(&old).header("idempotency-key", "k1").send(),
            portal
                .request("POST", ROTATION)
                .header("authorization", basic("grace", &old))
                .header("idempotency-key", "k1")
                .send(),
        ] {
            request.with(401);
        }
        post(&portal, "/api/v1/repositories", &old, "k1", &created).with(422);
        rotate(&portal, &old, "k1", "1h").with(422);
        for _ in 0..3 {
            assert_eq!(seen(&first), seen(&rotate(&portal, &old, "k1", "now")));
        }
    });
    assert!(portal.accepts(&secret_of(&first)));
}

fn replaced_repository_token_with_its_key_fetches_the_answer_to_its_rotation(portal: Portal) {
    let old = portal.user_with("root", "administrator").sign_in().create_repository("alpha");
    let renew = |secret: &str, key: &str| {
        post(&portal, "/api/v1/repositories/alpha/token", secret, key, &json!({ "grace": "now" }))
    };
    let first = renew(&old, "k1");
    assert!(!portal.accepts(&old));
    renew(&old, "k2").with(401);
    assert_eq!(seen(&first), seen(&renew(&old, "k1")));
    assert!(portal.accepts(&secret_of(&first)));
    renew(&old, "k1").with(401);
}

fn first_use_of_the_new_secret_ends_recovery_at_every_endpoint(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    portal.repository("alpha");
    let (_, service) = portal.service("gateway");
    let uses: [&dyn Fn(&str); 6] = [
        &|secret| drop(portal.api(secret, "/api/v1/me").with(200)),
        &|secret| {
            let request = portal.request("GET", "/auth/forward/alpha").bearer(secret);
            request.header("x-forwarded-method", "GET").send().with(200);
        },
        &|secret| drop(portal.api(secret, "/oci/token?service=registry").with(200)),
        &|secret| drop(portal.introspect(&service, secret).with(200)),
        &|secret| drop(rotate(&portal, secret, "next", "1h").with(201)),
        &|secret| drop(portal.api(secret, "/api/v1/users/missing")),
    ];
    for (number, first_use) in uses.iter().enumerate() {
        for grace in ["now", "1h"] {
            let name = format!("token {number} {grace}");
            let old = portal.token(&root, |wish| {
                wish.name = tokenhouse::domain::name::TokenName::parse(&name).expect("a name");
                wish.permissions.account = Permission::Write;
            });
            let new = secret_of(&rotate(&portal, &old.secret, "k1", grace));
            assert_eq!(secret_of(&rotate(&portal, &old.secret, "k1", grace)), new);
            first_use(&new);
            let refused = rotate(&portal, &old.secret, "k1", grace);
            assert!([401, 403, 409].contains(&refused.status), "use {number}: {refused:?}");
        }
    }
}

fn recovery_ends_after_ten_minutes_or_with_the_grace(portal: Portal) {
    let ada = portal.user("ada");
    let old = full_token(&portal, &ada).secret;
    let first = rotate(&portal, &old, "k1", "now");
    portal.advance(10 * MINUTE - 1);
    assert_eq!(seen(&first), seen(&rotate(&portal, &old, "k1", "now")));
    portal.advance(1);
    rotate(&portal, &old, "k1", "now").with(401);
    let old = secret_of(&first);
    let first = rotate(&portal, &old, "k1", "1h");
    portal.advance(HOUR - 1);
    portal.prune();
    assert_eq!(seen(&first), seen(&rotate(&portal, &old, "k1", "1h")));
    portal.advance(1);
    rotate(&portal, &old, "k1", "1h").with(401);
    assert!(portal.accepts(&secret_of(&first)));
}

fn recovery_needs_a_token_and_an_owner_that_are_accepted(portal: Portal) {
    let (ada, eve, mia) = (portal.user("ada"), portal.user("eve"), portal.user("mia"));
    let [of_ada, of_eve, of_mia] = [&ada, &eve, &mia].map(|user| full_token(&portal, user));
    let other = portal.token(&mia, |wish| {
        wish.name = tokenhouse::domain::name::TokenName::parse("other").expect("a name");
        wish.permissions.account = Permission::Write;
    });
    let mut new = Vec::new();
    for token in [&of_ada, &of_eve, &of_mia, &other] {
        new.push(secret_of(&rotate(&portal, &token.secret, "k1", "now")));
    }
    portal.revoke(&of_ada);
    eve.disable();
    portal.disable(&of_mia);
    portal.revoke_held(&new[3]);
    for token in [&of_ada, &of_eve, &of_mia, &other] {
        rotate(&portal, &token.secret, "k1", "now").with(401);
    }
}

fn repository_token_rotated_by_a_user_is_answered_again_after_its_first_use(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    root.sign_in().create_repository("alpha");
    let token = full_token(&portal, &root);
    let renew = || post(&portal, "/api/v1/repositories/alpha/token", &token.secret, "k1", &Value::Null);
    let first = renew();
    assert!(portal.accepts(&secret_of(&first)));
    assert_eq!(seen(&first), seen(&renew()), "a client that asks again must not rotate again");
}

fn stored_answers_are_sealed(portal: Portal) {
    let token = full_token(&portal, &portal.user_with("root", "administrator"));
    let repository =
        secret_of(&post(&portal, "/api/v1/repositories", &token.secret, "k1", &json!({ "name": "alpha" })));
    let new = secret_of(&rotate(&portal, &token.secret, "k2", "now"));
    let stored = portal.dump()["idempotency_keys"].join("\n").to_lowercase();
    assert_eq!(stored.lines().count(), 2);
    for secret in [&repository, &new] {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!stored.contains(&secret.to_lowercase()) && !stored.contains(&hex), "{stored}");
    }
    // An answer that was moved to another row does not open.
    portal.sql("UPDATE idempotency_keys SET key = 'k3' WHERE key = 'k2'");
    rotate(&portal, &token.secret, "k3", "now").with(409);
}

fn recovery_and_its_end_are_the_same_on_every_node(portal: Portal) {
    if portal.database.is_sqlite() {
        return;
    }
    let other = portal.beside();
    let old = full_token(&portal, &portal.user("ada")).secret;
    let first = rotate(&portal, &old, "k1", "now");
    assert_eq!(seen(&first), seen(&rotate(&other, &old, "k1", "now")));
    assert!(other.accepts(&secret_of(&first)));
    rotate(&portal, &old, "k1", "now").with(401);
    // Both nodes at once: one change.
    let token = secret_of(&first);
    let answers = at_once(8, |number| rotate(if number % 2 == 0 { &portal } else { &other }, &token, "k2", "now"));
    let secrets: Vec<String> = answers.iter().filter(|answer| answer.status == 201).map(secret_of).collect();
    let last = secret_of(&rotate(&other, &token, "k2", "now"));
    assert!(secrets.iter().all(|secret| *secret == last) && portal.accepts(&last));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert!([409, 503].contains(&answer.status), "{answer:?}");
    }
}
