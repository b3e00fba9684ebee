//! `/api/v1/tokens`: the owner's tokens, by one of them.

use serde_json::{Value, json};
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;

use crate::support::{Answer, Portal, Token, User, at_once, on_both, rounds};

on_both![
    a_repositorys_token_and_a_token_without_the_permission_get_nowhere,
    reading_is_not_writing,
    anothers_token_is_not_there,
    a_body_is_read_strictly,
    a_taken_name_is_a_conflict,
    the_list_is_complete_and_has_no_secret,
    a_long_list_comes_in_pages,
    a_token_is_renamed_and_the_event_names_the_token_that_did_it,
    a_revoked_token_opens_nothing_at_once,
    a_token_can_revoke_itself,
    a_token_rotates_itself_and_is_told_once,
    a_grace_lets_the_old_secret_live_on_but_not_rotate_again,
    replaced_secret_cannot_rename_revoke_or_rotate_its_token,
    replaced_secret_ends_only_itself,
    a_policy_limits_the_graces,
    twenty_rotations_at_once_make_exactly_one_secret,
    an_owner_without_the_right_ends_it,
    an_answer_that_is_known_is_not_sent_again,
];

fn account<'p>(portal: &'p Portal, owner: &User<'p>, permission: Permission) -> Token {
    portal.token(owner, |wish| {
        wish.permissions = Permissions { account: permission, ..Permissions::default() };
    })
}

pub fn send(portal: &Portal, method: &str, path: &str, secret: &str, body: Value) -> Answer {
    let request = portal.request(method, path).bearer(secret);
    if body.is_null() {
        return request.send();
    }
    request.header("content-type", "application/json").body(body.to_string()).send()
}

/// The sentence of a problem of this status.
#[track_caller]
pub fn detail(answer: Answer, status: u16) -> String {
    let problem = answer.with(status).json();
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().expect("a sentence").to_owned()
}

/// The one field that was refused, and why.
#[track_caller]
pub fn refused(answer: Answer) -> String {
    let problem = answer.with(422).json();
    let errors = problem["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{errors:?}");
    format!("{}: {}", errors[0]["field"].as_str().unwrap(), errors[0]["detail"].as_str().unwrap())
}

fn a_repositorys_token_and_a_token_without_the_permission_get_nowhere(portal: Portal) {
    let secret = portal.user_with("root", "administrator").sign_in().create_repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for secret in [&secret, &token.secret] {
        for (method, path, missing) in [
            ("GET", "/api/v1/tokens", "Read"),
            ("GET", "/api/v1/tokens/current", "Read"),
            ("DELETE", "/api/v1/tokens/current", "Read and write"),
            ("POST", "/api/v1/tokens/current/rotation", "Read and write"),
            ("DELETE", &format!("/api/v1/tokens/{}", token.id), "Read and write"),
        ] {
            let answer = send(&portal, method, path, secret, Value::Null);
            let scope = if missing == "Read" { "account:read" } else { "account:write" };
            let header = answer.header("www-authenticate").expect("a challenge").to_owned();
            assert!(header.contains("error=\"insufficient_scope\"") && header.contains(scope), "{header}");
            assert_eq!(detail(answer, 403), format!("The token needs the permission Account: {missing}."));
        }
    }
    assert!(portal.accepts(&token.secret));
}

fn reading_is_not_writing(portal: Portal) {
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Read);
    let own = format!("/api/v1/tokens/{}", token.id);
    portal.unchanged("a token that reads", || {
        send(&portal, "PATCH", &own, &token.secret, json!({"name": "x"})).with(403);
        send(&portal, "DELETE", &own, &token.secret, Value::Null).with(403);
        send(&portal, "DELETE", "/api/v1/tokens/current", &token.secret, Value::Null).with(403);
        send(&portal, "POST", "/api/v1/tokens/current/rotation", &token.secret, Value::Null).with(403);
    });
    // None is made here, and none but the one that asks is rotated.
    send(&portal, "POST", "/api/v1/tokens", &token.secret, json!({"name": "x"})).with(405);
    send(&portal, "POST", &format!("{own}/rotation"), &token.secret, Value::Null).with(404);
}

fn anothers_token_is_not_there(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    let (token, hers) = (account(&portal, &ada, Permission::Write), portal.token(&eve, |_| {}));
    let missing = "1";
    let upper = hers.id.to_string().to_uppercase();
    portal.unchanged("another's token", || {
        for id in [&hers.id.to_string(), missing, &upper, "x", "%00", "current%2F", "..%2Fme"] {
            let path = format!("/api/v1/tokens/{id}");
            for (method, body) in [("GET", Value::Null), ("PATCH", json!({"name": "x"})), ("DELETE", Value::Null)] {
                let answer = send(&portal, method, &path, &token.secret, body);
                assert_eq!(detail(answer, 404), "There is nothing here, or nothing that you may see.", "{method} {id}");
            }
        }
    });
    assert!(portal.accepts(&hers.secret));
}

fn a_body_is_read_strictly(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    let path = format!("/api/v1/tokens/{}", token.id);
    let patch = |content_type: &str, body: &[u8]| {
        let request = portal.request("PATCH", &path).bearer(&token.secret);
        request.header("content-type", content_type).body(body).send()
    };
    portal.unchanged("a body that is refused", || {
        for other in ["text/json", "application/x-www-form-urlencoded", "application/merge-patch+json", ""] {
            detail(patch(other, b"{\"name\":\"x\"}"), 415);
        }
        portal.request("PATCH", &path).bearer(&token.secret).body("{\"name\":\"x\"}").send().with(415);
        let json = |body: &str| patch("application/json", body.as_bytes());
        for body in ["", "{", "null", "[\"x\"]", "\"x\"", "{\"name\":\"x\"}}", "{'name':'x'}", "name=x"] {
            detail(json(body), 400);
        }
        detail(patch("application/json", b"{\"name\":\"\xff\"}"), 400);
        assert_eq!(refused(json("{\"nam\":\"x\"}")), "nam: There is no such field here.");
        assert_eq!(refused(json("{\"name\":\"x\",\"id\":1}")), "id: There is no such field here.");
        assert_eq!(refused(json("{}")), "name: This field is missing.");
        assert_eq!(refused(json("{\"name\":1}")), "name: Must be a string.");
        assert_eq!(refused(json("{\"name\":null}")), "name: Must be a string.");
        assert_eq!(refused(json("{\"name\":\"x\",\"name\":\"y\"}")), "name: This field is there more than once.");
        assert_eq!(refused(json("{\"name\":\"  \"}")), "name: Name is empty. Enter 1 to 100 characters.");
        assert!(refused(json(&format!("{{\"name\":\"{}\"}}", "x".repeat(101)))).contains("101 characters"));
        assert!(refused(json("{\"name\":\"a\\u0000b\"}")).contains("control"));
        detail(json(&format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024))), 413);
        // What came in the wrong place is not repeated.
        let answer = json("{\"thp_AbCdEf\":1}").with(422);
        assert!(answer.text().ends_with("}\n"));
    });
    patch("application/json; charset=utf-8", b" {\"name\": \"y\"}\n").with(200);
}

fn a_taken_name_is_a_conflict(portal: Portal) {
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Write);
    let other = portal.token_named(&ada, "deploy");
    let path = format!("/api/v1/tokens/{}", other.id);
    detail(send(&portal, "PATCH", &path, &token.secret, json!({"name": "CI"})), 409);
    portal.revoke(&other);
    detail(send(&portal, "PATCH", &path, &token.secret, json!({"name": "other"})), 409);
}

fn the_list_is_complete_and_has_no_secret(portal: Portal) {
    let alpha = portal.repository("alpha");
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Read);
    let selected = portal.token(&ada, |wish| {
        wish.name = tokenhouse::domain::name::TokenName::parse("selected").unwrap();
        wish.repositories = RepositorySelection::Selected(vec![alpha]);
        wish.expires_at = None;
    });
    let (disabled, revoked) = (portal.token_named(&ada, "disabled"), portal.token_named(&ada, "revoked"));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    portal.token(&portal.user("eve"), |_| {});
    let answer = portal.api(&token.secret, "/api/v1/tokens").with(200);
    assert!(!answer.text().contains(&token.secret) && answer.text().ends_with("}\n"));
    let list = answer.json();
    let tokens = list["tokens"].as_array().expect("tokens");
    let names: Vec<_> = tokens.iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!((names, &list["next"]), (vec!["disabled", "selected", "ci"], &Value::Null));
    assert_eq!(tokens[0]["status"], "disabled");
    assert_eq!(
        tokens[1],
        json!({
            "id": selected.id.to_string(),
            "name": "selected",
            "hint": format!("{}…", &selected.secret[..10]),
            "status": "active",
            "permissions": {"repositories": "read", "account": "none", "administration": "none"},
            "repositories": {"selection": "selected", "names": ["alpha"]},
            "created_at": "2026-11-21T14:06:40Z",
            "expires_at": null,
            "last_used_at": null,
            "last_used_address": null,
            "url": format!("http://{}/api/v1/tokens/{}", portal.address, selected.id),
        })
    );
    assert_eq!(tokens[2]["repositories"], json!({"selection": "all"}));
    portal.flush();
    let own = portal.api(&token.secret, "/api/v1/tokens/current").with(200).json();
    assert_eq!((&own["id"], &own["last_used_address"]), (&json!(token.id.to_string()), &json!("127.0.0.1")));
}

fn a_long_list_comes_in_pages(portal: Portal) {
    portal.set_policy("max_api_tokens", "100");
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Read);
    for number in 0..6 {
        portal.token_named(&ada, &format!("t{number}"));
    }
    let (mut path, mut names) = ("/api/v1/tokens?limit=3".to_owned(), Vec::new());
    loop {
        let page = portal.api(&token.secret, &path).with(200).json();
        names.extend(page["tokens"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = next.strip_prefix(&format!("http://{}", portal.address)).expect("an absolute address").to_owned();
    }
    assert_eq!(names, ["t5", "t4", "t3", "t2", "t1", "t0", "ci"]);
    for query in ["limit=0", "limit=101", "limit=x", "limit=%2B1", "limit=1&limit=2", "after=x", "page=2"] {
        portal.api(&token.secret, &format!("/api/v1/tokens?{query}")).with(400);
    }
}

fn a_token_is_renamed_and_the_event_names_the_token_that_did_it(portal: Portal) {
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Write);
    let other = portal.token_named(&ada, "deploy");
    let path = format!("/api/v1/tokens/{}", other.id);
    let answer = send(&portal, "PATCH", &path, &token.secret, json!({"name": " Überall "})).with(200);
    assert_eq!(answer.json()["name"], "Überall");
    assert_eq!(portal.api(&token.secret, &path).with(200).json()["name"], "Überall");
    let events = portal.dump()["events"].clone();
    let renamed = events.iter().find(|line| line.contains("api_token.renamed")).expect("an event");
    for part in ["ada with token “ci”", "was “deploy”", &token.id.to_string(), "127.0.0.1"] {
        assert!(renamed.contains(part), "{part}: {renamed}");
    }
}

fn a_revoked_token_opens_nothing_at_once(portal: Portal) {
    let ada = portal.user("ada");
    let token = account(&portal, &ada, Permission::Write);
    let other = portal.token_named(&ada, "deploy");
    let path = format!("/api/v1/tokens/{}", other.id);
    for _ in 0..2 {
        let answer = send(&portal, "DELETE", &path, &token.secret, Value::Null).with(204);
        assert!(answer.body.is_empty());
        assert!(!portal.accepts(&other.secret));
    }
    assert_eq!(portal.api(&token.secret, &path).with(200).json()["status"], "revoked");
    assert_eq!(portal.actions().iter().filter(|action| *action == "api_token.revoked").count(), 1);
}

fn a_token_can_revoke_itself(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    send(&portal, "DELETE", "/api/v1/tokens/current", &token.secret, Value::Null).with(204);
    send(&portal, "DELETE", "/api/v1/tokens/current", &token.secret, Value::Null).with(401);
}

fn a_token_rotates_itself_and_is_told_once(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    portal.advance(86_400);
    let rotation = "/api/v1/tokens/current/rotation";
    let answer = send(&portal, "POST", rotation, &token.secret, Value::Null).with(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("location"), Some(&*format!("http://{}/api/v1/tokens/current", portal.address)));
    let rotated = answer.json();
    let secret = rotated["token"].as_str().expect("a secret");
    assert!(portal.accepts(secret) && !portal.accepts(&token.secret));
    assert_eq!(
        rotated,
        json!({
            "token": secret,
            "id": token.id.to_string(),
            "name": "ci",
            "username": "ada",
            // 90 days as before, counted from now.
            "expires_at": "2027-02-20T14:06:40Z",
            "old_token_ends_at": "2026-11-22T14:06:40Z",
        })
    );
    for path in ["/api/v1/tokens", "/api/v1/tokens/current", "/api/v1/me"] {
        assert!(!portal.api(secret, path).with(200).text().contains(&secret[10..]), "{path}");
    }
}

fn a_grace_lets_the_old_secret_live_on_but_not_rotate_again(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    let rotation = "/api/v1/tokens/current/rotation";
    let rotated = send(&portal, "POST", rotation, &token.secret, json!({"grace": "1h"})).with(201).json();
    assert_eq!(rotated["old_token_ends_at"], "2026-11-21T15:06:40Z");
    portal.advance(3_599);
    assert!(portal.accepts(&token.secret));
    let again = send(&portal, "POST", rotation, &token.secret, Value::Null);
    assert_eq!(detail(again, 409), "This token was rotated before. Use the new one.");
    portal.advance(1);
    send(&portal, "POST", rotation, &token.secret, Value::Null).with(401);
    assert!(portal.accepts(rotated["token"].as_str().unwrap()));
}

/// The token, and its new secret; the old one works for another hour.
fn rotated<'p>(portal: &'p Portal, owner: &User<'p>) -> (Token, String) {
    let token = account(portal, owner, Permission::Write);
    let path = "/api/v1/tokens/current/rotation";
    let answer = send(portal, "POST", path, &token.secret, json!({"grace": "1h"})).with(201);
    let fresh = answer.json()["token"].as_str().expect("a token").to_owned();
    (token, fresh)
}

fn replaced_secret_cannot_rename_revoke_or_rotate_its_token(portal: Portal) {
    let ada = portal.user("ada");
    let (token, fresh) = rotated(&portal, &ada);
    let own = format!("/api/v1/tokens/{}", token.id);
    portal.unchanged("a replaced secret", || {
        for (method, path, body) in [
            ("PATCH", own.as_str(), json!({"name": "x"})),
            ("DELETE", &own, Value::Null),
            ("POST", "/api/v1/tokens/current/rotation", json!({"grace": "1h"})),
        ] {
            let answer = send(&portal, method, path, &token.secret, body);
            assert_eq!(detail(answer, 409), "This token was rotated before. Use the new one.", "{method} {path}");
        }
    });
    // What it could do before, it can do.
    assert!(portal.accepts(&token.secret));
    send(&portal, "GET", "/api/v1/tokens", &token.secret, Value::Null).with(200);
    let other = portal.token_named(&ada, "other");
    send(&portal, "DELETE", &format!("/api/v1/tokens/{}", other.id), &token.secret, Value::Null).with(204);
    send(&portal, "PATCH", &own, &fresh, json!({"name": "x"})).with(200);
}

fn replaced_secret_ends_only_itself(portal: Portal) {
    let ada = portal.user("ada");
    let (token, fresh) = rotated(&portal, &ada);
    send(&portal, "DELETE", "/api/v1/tokens/current", &token.secret, Value::Null).with(204);
    assert!(!portal.accepts(&token.secret) && portal.accepts(&fresh));
    assert!(portal.actions().contains(&"api_token.replaced_secret_revoked".to_owned()));
    send(&portal, "DELETE", "/api/v1/tokens/current", &token.secret, Value::Null).with(401);
    send(&portal, "DELETE", "/api/v1/tokens/current", &fresh, Value::Null).with(204);
    assert!(!portal.accepts(&fresh));
}

fn a_policy_limits_the_graces(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    let rotation = "/api/v1/tokens/current/rotation";
    let rotate = |body| send(&portal, "POST", rotation, &token.secret, body);
    portal.set_policy("graces", "[\"1h\",\"24h\"]");
    for other in ["now", "7d", "1H", "", "at once"] {
        let sentence = "grace: Choose when the old token stops working: 1h or 24h.";
        assert_eq!(refused(rotate(json!({"grace": other}))), sentence, "{other}");
    }
    assert_eq!(refused(rotate(json!({"grace": 1}))), "grace: Must be a string.");
    assert_eq!(refused(rotate(json!({"name": "x"}))), "name: There is no such field here.");
    let rotated = rotate(json!({"grace": null})).with(201).json();
    assert_eq!(rotated["old_token_ends_at"], "2026-11-21T15:06:40Z", "the first that is offered");
}

fn twenty_rotations_at_once_make_exactly_one_secret(portal: Portal) {
    let mut secret = account(&portal, &portal.user("ada"), Permission::Write).secret;
    for round in 0..rounds() {
        let body = if round % 2 == 0 { json!({"grace": "24h"}) } else { Value::Null };
        let ask = |_| send(&portal, "POST", "/api/v1/tokens/current/rotation", &secret, body.clone());
        let answers = at_once(20, ask);
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|answer| [401, 409].contains(&answer.status)), "{lost:?}");
        secret = won[0].json()["token"].as_str().unwrap().to_owned();
        assert!(portal.accepts(&secret));
        assert_eq!(portal.count("api_token_secrets"), round + 2);
    }
}

fn an_owner_without_the_right_ends_it(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    let tokens = [account(&portal, &ada, Permission::Write), account(&portal, &eve, Permission::Write)];
    portal.role("views", &[Privilege::ViewRepositories]);
    ada.disable();
    eve.strip();
    eve.add_role("views");
    for token in &tokens {
        for (method, path) in [
            ("GET", "/api/v1/tokens"),
            ("DELETE", "/api/v1/tokens/current"),
            ("POST", "/api/v1/tokens/current/rotation"),
        ] {
            send(&portal, method, path, &token.secret, Value::Null).with(401);
        }
    }
}

fn an_answer_that_is_known_is_not_sent_again(portal: Portal) {
    let token = account(&portal, &portal.user("ada"), Permission::Write);
    for path in ["/api/v1/me", "/api/v1/tokens/current", &format!("/api/v1/tokens/{}", token.id)] {
        let ask = |known: &str| portal.request("GET", path).bearer(&token.secret).header("if-none-match", known).send();
        let first = portal.api(&token.secret, path).with(200);
        let tag = first.header("etag").expect("a tag");
        let known = ask(tag).with(304);
        assert!(known.body.is_empty() && known.header("etag") == Some(tag) && known.header("content-type").is_none());
        ask("\"other\"").with(200);
        portal.request("GET", path).header("if-none-match", tag).send().with(401);
    }
    let tag = portal.api(&token.secret, "/api/v1/me").header("etag").unwrap().to_owned();
    let path = format!("/api/v1/tokens/{}", token.id);
    send(&portal, "PATCH", &path, &token.secret, json!({"name": "other"})).with(200);
    portal.request("GET", "/api/v1/me").bearer(&token.secret).header("if-none-match", &tag).send().with(200);
}
