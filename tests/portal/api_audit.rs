//! `/api/v1/audit`: what happened, by a token of somebody with *View Audit Log*.

use serde_json::{Value, json};
use tokenhouse::domain::event::{Action, Actor, NewEvent};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::randomness;
use tokenhouse::storage::events;

use crate::api_administration::administering;
use crate::api_tokens::{detail, send};
use crate::support::portal::START;
use crate::support::{Portal, Token, on_both};

on_both![
    nobody_changes_the_log,
    a_filter_that_is_not_understood_is_an_error,
    what_did_not_happen_is_an_empty_page,
    an_event_is_told_in_full,
    a_long_log_comes_in_pages_newest_first,
    each_filter_picks_its_own_and_they_add_up,
    what_somebody_did_with_a_token_is_theirs,
    no_answer_has_a_secret,
];

const AUDIT: &str = "/api/v1/audit";

fn auditor(portal: &Portal) -> Token {
    portal.role("auditor", &[Privilege::ApiAccess, Privilege::ViewAuditLog]);
    administering(portal, &portal.user_with("olga", "auditor"), Permission::Read)
}

/// Details of the events on a page, and the query of the next.
fn page(portal: &Portal, token: &Token, query: &str) -> (Vec<String>, Option<String>) {
    let list = portal.api(&token.secret, &format!("{AUDIT}?{query}")).with(200).json();
    let details =
        list["events"].as_array().expect("events").iter().map(|one| one["detail"].as_str().unwrap().to_owned());
    (details.collect(), list["next"].as_str().map(|next| next.split('?').nth(1).unwrap().to_owned()))
}

/// Something that happened so many seconds after the start, to be told apart by its detail.
fn happened(portal: &Portal, seconds: i64, action: Action, (kind, id, name): (&'static str, &str, &str), detail: &str) {
    let event = NewEvent {
        actor: Actor::Shell,
        action,
        subject_kind: kind,
        subject_id: id.into(),
        subject_name: name.into(),
        detail: detail.into(),
    };
    let now = Timestamp::from_unix(START + seconds);
    portal.write(move |connection| events::append(connection, &event, now, &mut randomness::system()));
}

const ALPHA: (&str, &str, &str) = ("repository", "117000000000000001", "alpha");
const BETA: (&str, &str, &str) = ("repository", "117000000000000002", "beta");

fn nobody_changes_the_log(portal: Portal) {
    let token = administering(&portal, &portal.user_with("root", "administrator"), Permission::Write);
    portal.unchanged("the log", || {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            send(&portal, method, AUDIT, &token.secret, Value::Null).with(405);
        }
    });
}

fn a_filter_that_is_not_understood_is_an_error(portal: Portal) {
    let token = auditor(&portal);
    for (query, name) in [
        ("action=user.exploded", "action"),
        ("action=%00", "action"),
        ("actor=-", "actor"),
        ("actor=%00", "actor"),
        ("subject=alpha", "subject"),
        ("subject=repository:", "subject"),
        ("subject=:alpha", "subject"),
        ("subject=Repository:alpha", "subject"),
        ("subject=repository:%00", "subject"),
        ("since=yesterday", "since"),
        ("until=2026-11-21", "until"),
        ("since=2026-11-21T14:06:40", "since"),
        ("after=01", "after"),
        ("limit=101", "limit"),
    ] {
        let sentence = detail(portal.api(&token.secret, &format!("{AUDIT}?{query}")), 400);
        assert!(sentence.starts_with(&format!("“{name}” must be ")), "{query}: {sentence}");
    }
    for query in ["q=x", "actor=ada&actor=bob", "order=asc"] {
        portal.api(&token.secret, &format!("{AUDIT}?{query}")).with(400);
    }
}

fn what_did_not_happen_is_an_empty_page(portal: Portal) {
    let token = auditor(&portal);
    for query in [
        "actor=nobody",
        "actor=1",
        "actor=117000000000000001",
        "subject=unicorn:x",
        "action=key.forgotten",
        "since=2030-01-01T00:00:00Z",
        "until=1969-01-01T00:00:00Z",
        "since=9999-12-31T23:59:59Z",
        "since=2026-11-21T15:00:00Z&until=2026-11-21T14:00:00Z",
    ] {
        assert_eq!(page(&portal, &token, query), (Vec::new(), None), "{query}");
    }
}

fn an_event_is_told_in_full(portal: Portal) {
    let token = auditor(&portal);
    let root = portal.user_with("root", "administrator");
    let administers = administering(&portal, &root, Permission::Write);
    let user = json!({"username": "eve", "display_name": "Eve", "email": "eve@example.org", "roles": ["viewer"]});
    let made = send(&portal, "POST", "/api/v1/users", &administers.secret, user).with(201).json();
    let list = portal.api(&token.secret, &format!("{AUDIT}?limit=1")).with(200).json();
    let event = list["events"][0].clone();
    let expected = json!({
        "id": event["id"], "at": "2026-11-21T14:06:40Z", "action": "user.created",
        "actor": {
            "kind": "api_token", "id": root.id.to_string(), "name": "root with token “ci”",
            "token": administers.id.to_string(),
        },
        "address": "127.0.0.1",
        "subject": {"kind": "user", "id": made["id"], "name": "eve"},
        "detail": "Viewer",
    });
    assert_eq!(event, expected);
    portal.visitor().try_sign_in("eve", "not it").with(401);
    let list = portal.api(&token.secret, &format!("{AUDIT}?action=session.sign_in_failed")).with(200).json();
    let nobody = json!({"kind": "anonymous", "id": null, "name": null, "token": null});
    assert_eq!(list["events"][0]["actor"], nobody, "{list}");
}

fn a_long_log_comes_in_pages_newest_first(portal: Portal) {
    let token = auditor(&portal);
    // Within one second, and over several.
    for number in 0..30 {
        happened(&portal, 10 + number / 10, Action::RepositoryDescribed, ALPHA, &number.to_string());
    }
    let (mut seen, mut query) = (Vec::new(), Some("limit=7&subject=repository:alpha".to_owned()));
    while let Some(asked) = query {
        let (details, next) = page(&portal, &token, &asked);
        assert!(details.len() == 7 || next.is_none());
        seen.extend(details);
        query = next;
        // What happens meanwhile is newer than every page.
        happened(&portal, 60, Action::RepositoryDescribed, ALPHA, "later");
    }
    assert_eq!(seen, (0..30).rev().map(|number| number.to_string()).collect::<Vec<_>>());
}

fn each_filter_picks_its_own_and_they_add_up(portal: Portal) {
    let token = auditor(&portal);
    happened(&portal, 10, Action::RepositoryCreated, ALPHA, "alpha made");
    happened(&portal, 20, Action::RepositoryCreated, BETA, "beta made");
    happened(&portal, 30, Action::RepositoryDescribed, ALPHA, "alpha described");
    happened(&portal, 40, Action::RepositoryDeleted, ALPHA, "alpha deleted");
    // Another thing of the same name, later.
    happened(&portal, 50, Action::RepositoryCreated, ("repository", "117000000000000003", "alpha"), "again");
    let at = |seconds: i64| Timestamp::from_unix(START + seconds).for_machines();
    for (query, expected) in [
        ("action=repository.created".to_owned(), vec!["again", "beta made", "alpha made"]),
        ("subject=repository:alpha".into(), vec!["again", "alpha deleted", "alpha described", "alpha made"]),
        (format!("subject=repository:{}", ALPHA.1), vec!["alpha deleted", "alpha described", "alpha made"]),
        ("subject=repository:alpha&action=repository.created".into(), vec!["again", "alpha made"]),
        (format!("since={}&until={}", at(20), at(40)), vec!["alpha described", "beta made"]),
        (format!("since={}", at(40)), vec!["again", "alpha deleted"]),
        (format!("until={}&action=repository.created", at(21)), vec!["beta made", "alpha made"]),
        (format!("since={}&subject=repository:alpha", at(41)), vec!["again"]),
        (
            "since=2026-11-21T15:07:00.5%2B01:00&until=2026-11-21T14:07:11Z&action=repository.described".into(),
            vec!["alpha described"],
        ),
    ] {
        assert_eq!(page(&portal, &token, &query).0, expected, "{query}");
    }
}

fn what_somebody_did_with_a_token_is_theirs(portal: Portal) {
    let token = auditor(&portal);
    let root = portal.user_with("root", "administrator");
    let administers = administering(&portal, &root, Permission::Write);
    let browser = root.sign_in();
    send(&portal, "PATCH", "/api/v1/policies", &administers.secret, json!({"max_api_tokens": 9})).with(200);
    let secret = browser.create_repository("alpha");
    send(&portal, "POST", "/api/v1/repositories/alpha/token", &secret, Value::Null).with(201);
    let actions = |query: &str| {
        let list = portal.api(&token.secret, &format!("{AUDIT}?{query}")).with(200).json();
        let names = list["events"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let by_root = actions("actor=root");
    assert!(
        by_root.contains(&"policies.changed".into()) && by_root.contains(&"repository.created".into()),
        "{by_root:?}"
    );
    assert_eq!(by_root, actions(&format!("actor={}", root.id)));
    assert_eq!(by_root, actions("actor=ROOT"));
    let alpha = portal.api(&token.secret, &format!("{AUDIT}?action=repository_token.rotated")).with(200).json();
    let id = alpha["events"][0]["actor"]["id"].as_str().expect("the repository's id").to_owned();
    assert_eq!(alpha["events"][0]["actor"]["name"], "repository “alpha”", "a user may be called alpha, too");
    assert_eq!(actions(&format!("actor={id}")), ["repository_token.rotated"]);
}

fn no_answer_has_a_secret(portal: Portal) {
    let token = auditor(&portal);
    let administers = administering(&portal, &portal.user_with("root", "administrator"), Permission::Write);
    let user = json!({"username": "eve", "display_name": "Eve", "email": "eve@example.org"});
    send(&portal, "POST", "/api/v1/users", &administers.secret, user).with(201);
    let answer = portal.api(&token.secret, &format!("{AUDIT}?limit=100")).with(200);
    assert!(!answer.text().contains(&administers.secret[..20]));
}
