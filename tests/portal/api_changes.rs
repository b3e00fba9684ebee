//! Repositories, their tokens and their grants, changed over the API.

use serde_json::{Value, json};
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::api_tokens::{detail, refused, send};
use crate::support::{Answer, Portal, Token, User, at_once, on_both, rounds};

on_both![
    token_and_deletion_of_repository_require_both_privileges,
    grant_to_oneself_returns_422,
    whoever_lacks_the_privilege_is_told_which,
    a_privilege_taken_away_counts_at_the_next_request,
    a_repositorys_token_changes_nothing_but_itself,
    a_token_with_selected_repositories_stays_within_them,
    what_is_not_reached_is_not_there,
    a_repository_is_made_with_its_token,
    a_repository_that_breaks_a_rule_is_not_made,
    a_description_is_changed,
    a_repository_is_deleted_with_its_token,
    a_search_finds_words_and_follows_its_pages,
    a_repositorys_token_renews_itself,
    a_manager_renews_the_token_that_is_named,
    twenty_renewals_of_one_token_make_exactly_one,
    what_is_known_of_a_token_is_not_the_token,
    grants_are_given_changed_and_taken_away,
    a_grant_for_nobody_is_not_given,
    the_list_of_grants_comes_in_pages,
    callers_are_listed,
];

fn writing<'p>(portal: &'p Portal, owner: &User<'p>) -> Token {
    portal.token(owner, |wish| wish.permissions.repositories = Permission::Write)
}

/// A repository manager's token.
fn manager(portal: &Portal) -> Token {
    writing(portal, &portal.user_with("mia", "repository-manager"))
}

/// Every change of the repository `alpha`, and one that makes another.
fn changes(name: &str) -> Vec<(&'static str, String, Value)> {
    let path = format!("/api/v1/repositories/{name}");
    vec![
        ("PATCH", path.clone(), json!({"description": "x"})),
        ("POST", format!("{path}/token"), Value::Null),
        ("PUT", format!("{path}/grants/eve"), json!({"permission": "read"})),
        ("DELETE", format!("{path}/grants/eve"), Value::Null),
        ("DELETE", path, Value::Null),
    ]
}

fn create(portal: &Portal, secret: &str, name: &str) -> Answer {
    send(portal, "POST", "/api/v1/repositories", secret, json!({"name": name}))
}

fn whoever_lacks_the_privilege_is_told_which(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.user("mia");
    let ada = portal.user("ada");
    ada.grant(alpha, Permission::Write);
    let token = writing(&portal, &ada);
    let sentence = "This needs the privilege Repository Management, which the owner of the token does not hold. Ask an administrator for it.";
    portal.unchanged("a token of an owner without the privilege", || {
        for (method, path, body) in changes("alpha") {
            assert_eq!(detail(send(&portal, method, &path, &token.secret, body), 403), sentence, "{method} {path}");
        }
        assert_eq!(detail(create(&portal, &token.secret, "beta"), 403), sentence);
        for path in ["/api/v1/repositories/alpha/grants", "/api/v1/repositories/alpha/token"] {
            assert_eq!(detail(portal.api(&token.secret, path), 403), sentence);
        }
    });
}

fn a_privilege_taken_away_counts_at_the_next_request(portal: Portal) {
    portal.repository("alpha");
    let mia = portal.user_with("mia", "repository-manager");
    let token = writing(&portal, &mia);
    create(&portal, &token.secret, "beta").with(201);
    mia.strip();
    mia.add_role("developer");
    create(&portal, &token.secret, "gamma").with(403);
    mia.strip();
    create(&portal, &token.secret, "gamma").with(401);
    assert_eq!(portal.count("repositories"), 2);
}

fn a_repositorys_token_changes_nothing_but_itself(portal: Portal) {
    let secret = portal.user_with("mia", "repository-manager").sign_in().create_repository("alpha");
    portal.unchanged("a repository's token", || {
        for (method, path, body) in changes("alpha").into_iter().filter(|(_, path, _)| !path.ends_with("/token")) {
            let sentence = "This takes an API token of a user. The token is of another kind.";
            assert_eq!(detail(send(&portal, method, &path, &secret, body), 403), sentence, "{method} {path}");
        }
        create(&portal, &secret, "beta").with(403);
        portal.api(&secret, "/api/v1/repositories/alpha/grants").with(403);
    });
}

fn a_token_with_selected_repositories_stays_within_them(portal: Portal) {
    let (alpha, _) = (portal.repository("alpha"), portal.repository("beta"));
    portal.user("eve");
    let mia = portal.user_with("mia", "repository-manager");
    let token = portal.token(&mia, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.repositories = RepositorySelection::Selected(vec![alpha]);
    });
    portal.unchanged("what it does not reach", || {
        for (method, path, body) in changes("beta") {
            send(&portal, method, &path, &token.secret, body).with(404);
        }
        let sentence = "The token is limited to selected repositories, so it creates none.";
        assert_eq!(detail(create(&portal, &token.secret, "gamma"), 403), sentence);
    });
    for (method, path, body) in changes("alpha") {
        let answer = send(&portal, method, &path, &token.secret, body);
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
}

fn what_is_not_reached_is_not_there(portal: Portal) {
    portal.repository("alpha");
    portal.role("managing", &[Privilege::ApiAccess]);
    let token = writing(&portal, &portal.user_with("mia", "managing"));
    for name in ["alpha", "missing", "ALPHA", "%20alpha", "a%2Fb", "new", "%00"] {
        for (method, path, body) in changes(name) {
            let answer = send(&portal, method, &path, &token.secret, body);
            assert_eq!(detail(answer, 404), "There is nothing here, or nothing that you may see.", "{method} {path}");
        }
    }
}

fn a_repository_is_made_with_its_token(portal: Portal) {
    let token = manager(&portal);
    let body = json!({"name": "alpha", "description": " Everything "});
    let answer = send(&portal, "POST", "/api/v1/repositories", &token.secret, body).with(201);
    let url = format!("http://{}/api/v1/repositories/alpha", portal.address);
    assert_eq!(answer.header("location"), Some(&*url));
    let made = answer.json();
    let secret = made["token"].as_str().expect("a token");
    let expected = json!({
        "name": "alpha", "description": "Everything", "permission": "write",
        "created_at": "2026-11-21T14:06:40Z", "url": url, "token": secret,
    });
    assert_eq!(made, expected);
    portal.request("GET", "/api/v1/repositories/alpha").basic("alpha", secret).send().with(200);
    assert!(!portal.api(&token.secret, "/api/v1/repositories/alpha").with(200).text().contains("thr_"));
    let events = portal.dump()["events"].clone();
    let created = events.iter().find(|line| line.contains("repository.created")).expect("an event");
    assert!(created.contains("mia with token “ci”") && created.contains(&token.id.to_string()), "{created}");
}

fn a_repository_that_breaks_a_rule_is_not_made(portal: Portal) {
    let token = manager(&portal);
    create(&portal, &token.secret, "alpha").with(201);
    detail(create(&portal, &token.secret, "alpha"), 409);
    for name in ["", "new", "Alpha", "a/b", "a--b", "ä"] {
        assert!(refused(create(&portal, &token.secret, name)).starts_with("name: "), "{name}");
    }
    let both = json!({"name": "X", "description": "x".repeat(301)});
    let problem = send(&portal, "POST", "/api/v1/repositories", &token.secret, both).with(422).json();
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "all at once: {problem}");
    assert_eq!(portal.count("repositories"), 1);
}

fn a_description_is_changed(portal: Portal) {
    portal.repository("alpha");
    let token = manager(&portal);
    let path = "/api/v1/repositories/alpha";
    let before = portal.api(&token.secret, path).header("etag").expect("a tag").to_owned();
    let changed = send(&portal, "PATCH", path, &token.secret, json!({"description": "Ä"})).with(200);
    assert_eq!(changed.json()["description"], "Ä");
    let request = portal.request("GET", path).bearer(&token.secret).header("if-none-match", &before);
    assert_eq!(request.send().with(200).json(), changed.json());
    assert!(refused(send(&portal, "PATCH", path, &token.secret, json!({"name": "beta"}))).starts_with("name: "));
}

fn a_repository_is_deleted_with_its_token(portal: Portal) {
    let token = manager(&portal);
    let made = create(&portal, &token.secret, "alpha").with(201).json();
    send(&portal, "DELETE", "/api/v1/repositories/alpha", &token.secret, Value::Null).with(204);
    send(&portal, "DELETE", "/api/v1/repositories/alpha", &token.secret, Value::Null).with(404);
    assert!(!portal.accepts(made["token"].as_str().unwrap()));
}

fn a_search_finds_words_and_follows_its_pages(portal: Portal) {
    for name in ["pay-one", "pay-two", "other", "pay-three"] {
        portal.repository(name);
    }
    let token = manager(&portal);
    let names = |path: &str| {
        let page = portal.api(&token.secret, path).with(200).json();
        let names = page["repositories"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(names("/api/v1/repositories?q=PAY+t"), (vec!["pay-three".into(), "pay-two".into()], None));
    let (first, next) = names("/api/v1/repositories?q=pay%20all&limit=2");
    assert_eq!(first, ["pay-one", "pay-three"]);
    let next = next.expect("another page");
    let next = next.strip_prefix(&format!("http://{}", portal.address)).expect("an absolute address");
    assert_eq!(names(next), (vec!["pay-two".into()], None));
    for (query, count) in [("%25", 0), ("_", 0), ("nothing", 0), ("%00", 4), ("", 4)] {
        assert_eq!(names(&format!("/api/v1/repositories?q={query}")).0.len(), count, "{query}");
    }
    let own = portal.user_with("root", "administrator").sign_in().create_repository("alpha");
    for (query, count) in [("alp", 1), ("pay", 0)] {
        let list = portal.api(&own, &format!("/api/v1/repositories?q={query}")).with(200).json();
        assert_eq!(list["repositories"].as_array().map(Vec::len), Some(count), "{query}");
    }
}

fn a_repositorys_token_renews_itself(portal: Portal) {
    let first = portal.user_with("mia", "repository-manager").sign_in().create_repository("alpha");
    let path = "/api/v1/repositories/alpha/token";
    let answer = send(&portal, "POST", path, &first, json!({"grace": "1h"})).with(201);
    let renewed = answer.json();
    let second = renewed["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        (&renewed["username"], &renewed["old_token_ends_at"]),
        (&json!("alpha"), &json!("2026-11-21T15:06:40Z"))
    );
    assert!(portal.accepts(&first) && portal.accepts(&second));
    // Whoever still has the old one does not push the new one out.
    let again = detail(send(&portal, "POST", path, &first, Value::Null), 409);
    assert!(again.starts_with("repository “alpha” generated the present token at 21 Nov 2026, 14:06 UTC"), "{again}");
    // Not by naming it either.
    let present = portal.api(&first, path).with(200).json()["id"].clone();
    detail(send(&portal, "POST", path, &first, json!({"replaces": present, "grace": "now"})), 409);
    assert!(portal.accepts(&second));
    send(&portal, "POST", path, &second, Value::Null).with(201);
    assert!(!portal.accepts(&second));
    send(&portal, "POST", path, &second, Value::Null).with(401);
    let events = portal.dump()["events"].clone();
    assert!(events.iter().any(|line| line.contains("repository_token.rotated") && line.contains("alpha")));
}

fn a_manager_renews_the_token_that_is_named(portal: Portal) {
    let token = manager(&portal);
    let made = create(&portal, &token.secret, "alpha").with(201).json();
    let path = "/api/v1/repositories/alpha/token";
    let post = |body| send(&portal, "POST", path, &token.secret, body);
    let present = portal.api(&token.secret, path).with(200).json()["id"].clone();
    assert_eq!(refused(post(json!({"replaces": "x"}))), "replaces: This must be the id of a token.");
    let renewed = post(json!({"replaces": present})).with(201).json();
    assert!(!portal.accepts(made["token"].as_str().unwrap()));
    assert!(detail(post(json!({"replaces": present})), 409).starts_with("mia with token “ci” generated"));
    post(json!({"replaces": renewed["id"], "grace": "24h"})).with(201);
    assert!(portal.accepts(renewed["token"].as_str().unwrap()));
    post(Value::Null).with(201);
}

fn twenty_renewals_of_one_token_make_exactly_one(portal: Portal) {
    let mut secret = portal.user_with("mia", "repository-manager").sign_in().create_repository("alpha");
    for round in 0..rounds() {
        let body = if round % 2 == 0 { json!({"grace": "24h"}) } else { Value::Null };
        let answers = at_once(20, |_| send(&portal, "POST", "/api/v1/repositories/alpha/token", &secret, body.clone()));
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|answer| [401, 409].contains(&answer.status)), "{lost:?}");
        secret = won[0].json()["token"].as_str().unwrap().to_owned();
        assert!(portal.accepts(&secret));
    }
}

fn what_is_known_of_a_token_is_not_the_token(portal: Portal) {
    let token = manager(&portal);
    let secret = create(&portal, &token.secret, "alpha").with(201).json()["token"].as_str().unwrap().to_owned();
    let path = "/api/v1/repositories/alpha/token";
    send(&portal, "POST", path, &token.secret, json!({"grace": "7d"})).with(201);
    for asking in [&token.secret, &secret] {
        let answer = portal.api(asking, path).with(200);
        let known = answer.json();
        assert_eq!(known["created_by"], "mia with token “ci”");
        assert_eq!(known["replaced"][0]["hint"], format!("{}…", &secret[..10]));
        assert_eq!(known["replaced"][0]["ends_at"], "2026-11-28T14:06:40Z");
        assert!(!answer.text().contains(&secret[..20]));
    }
}

fn grants_are_given_changed_and_taken_away(portal: Portal) {
    portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let (token, ada) = (manager(&portal), portal.user_with("ada", "api"));
    let hers = writing(&portal, &ada);
    let path = "/api/v1/repositories/alpha/grants/ada";
    let put = |permission: &str| send(&portal, "PUT", path, &token.secret, json!({"permission": permission}));
    portal.api(&hers.secret, "/api/v1/repositories/alpha").with(404);
    let given = put("read").with(201);
    assert_eq!(given.header("location"), Some(&*format!("http://{}{path}", portal.address)));
    let expected = json!({
        "username": "ada", "display_name": "ada of Tokenhouse", "permission": "read", "created_at": "2026-11-21T14:06:40Z",
    });
    assert_eq!(given.json(), expected);
    let right = || portal.api(&hers.secret, "/api/v1/repositories/alpha").with(200).json()["permission"].clone();
    assert_eq!(right(), "read");
    put("read").with(200);
    assert_eq!((put("write").with(200).json()["permission"].clone(), right()), (json!("write"), json!("write")));
    let list = portal.api(&token.secret, "/api/v1/repositories/alpha/grants").with(200).json();
    assert_eq!((list["grants"].as_array().map(Vec::len), &list["next"]), (Some(1), &Value::Null));
    for _ in 0..2 {
        send(&portal, "DELETE", path, &token.secret, Value::Null).with(204);
        portal.api(&hers.secret, "/api/v1/repositories/alpha").with(404);
    }
    let grants = portal.actions().into_iter().filter(|action| action.starts_with("grant."));
    assert_eq!(grants.collect::<Vec<_>>(), ["grant.removed", "grant.set", "grant.set"]);
}

fn a_grant_for_nobody_is_not_given(portal: Portal) {
    portal.repository("alpha");
    let token = manager(&portal);
    let put = |name: &str, body| {
        send(&portal, "PUT", &format!("/api/v1/repositories/alpha/grants/{name}"), &token.secret, body)
    };
    for name in ["nobody", "MIA", "%20mia", "a%2Fb", "%00"] {
        put(name, json!({"permission": "read"})).with(404);
    }
    for permission in ["none", "Read", "", "admin"] {
        let sentence = "permission: Must be “read” or “write”.";
        assert_eq!(refused(put("mia", json!({"permission": permission}))), sentence, "{permission}");
    }
    assert_eq!(portal.count("grants"), 0);
}

fn the_list_of_grants_comes_in_pages(portal: Portal) {
    let alpha = portal.repository("alpha");
    let token = manager(&portal);
    for name in ["eve", "ada", "bob"] {
        portal.user(name).grant(alpha, Permission::Read);
    }
    let page = |query: &str| {
        let list = portal.api(&token.secret, &format!("/api/v1/repositories/alpha/grants?{query}")).with(200).json();
        let names = list["grants"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), list["next"].as_str().map(|next| next.split('?').nth(1).unwrap().to_owned()))
    };
    let (first, next) = page("limit=2");
    assert_eq!((first, next.as_deref()), (vec!["ada".into(), "bob".into()], Some("limit=2&after=bob")));
    assert_eq!(page(&next.unwrap()), (vec!["eve".to_owned()], None));
}

fn callers_are_listed(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {});
    for _ in 0..2 {
        let request = portal.request("GET", "/api/v1/repositories/alpha").bearer(&token.secret);
        request.header("user-agent", "test/1").send().with(200);
    }
    portal.flush();
    let callers = portal.api(&token.secret, "/api/v1/repositories/alpha/callers").with(200).json();
    let expected = json!({
        "address": "127.0.0.1", "user_agent": "test/1", "uses": 2,
        "first_used_at": "2026-11-21T14:06:40Z", "last_used_at": "2026-11-21T14:06:40Z",
    });
    assert_eq!(callers["callers"], json!([expected]));
    let days = callers["uses_per_day"].as_array().expect("days");
    assert_eq!((days.len(), &days[29]), (30, &json!(2)));
}

fn token_and_deletion_of_repository_require_both_privileges(portal: Portal) {
    portal.repository("alpha");
    portal.role("manager", &[Privilege::ApiAccess, Privilege::RepositoryManagement]);
    let mia = portal.user_with("mia", "manager");
    let token = portal.token(&mia, |wish| wish.permissions.repositories = Permission::Write);
    let ask = |method: &str, path: &str, body| send(&portal, method, path, &token.secret, body);
    portal.unchanged("without View Repositories", || {
        for (method, path) in [
            ("GET", "/api/v1/repositories/alpha/token"),
            ("POST", "/api/v1/repositories/alpha/token"),
            ("DELETE", "/api/v1/repositories/alpha"),
        ] {
            let sentence = detail(ask(method, path, Value::Null), 403);
            assert!(sentence.starts_with("This needs the privilege View Repositories,"), "{method} {path}: {sentence}");
        }
    });
    ask("PATCH", "/api/v1/repositories/alpha", json!({"description": "x"})).with(200);
    let made = ask("POST", "/api/v1/repositories", json!({"name": "beta"})).with(201);
    assert!(made.json().get("token").is_none() && !made.text().contains("thr_"), "{made:?}");
    mia.add_role("viewer");
    let made = ask("POST", "/api/v1/repositories", json!({"name": "gamma"})).with(201).json();
    assert!(made["token"].as_str().is_some_and(|token| portal.accepts(token)), "{made}");
    ask("GET", "/api/v1/repositories/alpha/token", Value::Null).with(200);
    ask("POST", "/api/v1/repositories/alpha/token", Value::Null).with(201);
    ask("DELETE", "/api/v1/repositories/alpha", Value::Null).with(204);
}

fn grant_to_oneself_returns_422(portal: Portal) {
    let alpha = portal.repository("alpha");
    let mia = portal.user_with("mia", "repository-manager");
    let token = portal.token(&mia, |wish| wish.permissions.repositories = Permission::Write);
    let path = "/api/v1/repositories/alpha/grants/mia";
    let refuses = || {
        portal.unchanged("a grant to oneself", || {
            for permission in ["read", "write"] {
                let sentence = refused(send(&portal, "PUT", path, &token.secret, json!({"permission": permission})));
                assert_eq!(
                    sentence,
                    "username: You cannot give access to yourself. With Repository Management you can read and write \
                     every repository."
                );
            }
        });
    };
    refuses();
    mia.grant(alpha, Permission::Read);
    refuses();
    send(&portal, "DELETE", path, &token.secret, Value::Null).with(204);
    assert_eq!(portal.count("grants"), 0);
}
