//! `/api/v1/repositories`: what a token reaches, judged at each request.

use serde_json::{Value, json};
use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;

use crate::support::{Portal, Token, on_both};

on_both![
    who_shows_nothing_learns_nothing,
    a_token_without_the_permission_is_told_which_it_needs,
    what_cannot_be_seen_is_answered_as_what_is_not_there,
    a_name_that_cannot_be_one_is_not_found,
    a_bad_page_is_refused,
    another_method_is_told_the_right_one,
    an_unknown_door_is_not_found,
    a_repository_is_told_with_the_right_on_it,
    the_right_is_the_lesser_of_token_and_owner,
    a_privilege_taken_away_counts_at_the_next_request,
    a_grant_taken_away_counts_at_the_next_request,
    selected_repositories_are_a_limit_and_no_grant,
    all_repositories_include_later_ones_and_selected_ones_do_not,
    the_pages_are_in_order_and_complete,
    a_page_stays_right_while_repositories_come_and_go,
    addresses_come_from_the_public_address,
];

fn names(portal: &Portal, token: &Token) -> Vec<String> {
    let answer = portal.api(&token.secret, "/api/v1/repositories").with(200).json();
    let repositories = answer["repositories"].as_array().expect("a list");
    repositories.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

fn right(portal: &Portal, token: &Token, name: &str) -> Option<String> {
    let answer = portal.api(&token.secret, &format!("/api/v1/repositories/{name}"));
    match answer.status {
        200 => answer.json()["permission"].as_str().map(str::to_owned),
        404 => None,
        _ => panic!("{answer:?}"),
    }
}

fn writing(portal: &Portal, owner: &crate::support::User<'_>) -> Token {
    portal.token(owner, |wish| wish.permissions.repositories = Permission::Write)
}

fn who_shows_nothing_learns_nothing(portal: Portal) {
    portal.repository("alpha");
    for path in [
        "/api/v1/repositories",
        "/api/v1/repositories/alpha",
        "/api/v1/repositories/nowhere",
        "/api/v1/repositories?limit=x",
    ] {
        let answer = portal.request("GET", path).send().with(401);
        assert_eq!(
            answer.json()["detail"],
            "The credentials are missing or not accepted. Send the token as Bearer or Basic."
        );
    }
}

fn a_token_without_the_permission_is_told_which_it_needs(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.permissions = Permissions { account: Permission::Write, ..Permissions::default() };
    });
    for path in ["/api/v1/repositories", "/api/v1/repositories/alpha", "/api/v1/repositories/nowhere"] {
        let answer = portal.api(&token.secret, path).with(403);
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"Tokenhouse\", error=\"insufficient_scope\", scope=\"repositories:read\"")
        );
        assert_eq!(
            answer.json(),
            json!({
                "type": "about:blank",
                "title": "Forbidden",
                "status": 403,
                "detail": "The token needs the permission Repositories: Read.",
            })
        );
    }
}

fn what_cannot_be_seen_is_answered_as_what_is_not_there(portal: Portal) {
    portal.repository("hidden");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    let token = writing(&portal, &ada);
    let [hidden, missing] = ["hidden", "nowher"].map(|name| {
        let answer = portal.api(&token.secret, &format!("/api/v1/repositories/{name}")).with(404);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        answer.json()
    });
    assert_eq!(hidden, missing);
    assert_eq!(names(&portal, &token), [""; 0]);
}

fn a_name_that_cannot_be_one_is_not_found(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {});
    for name in
        ["ALPHA", "new", "a..b", "-a", "%20", "alpha%2F", "%61lpha%00", "%00", "%ff", "..", "%2e%2e", &"a".repeat(101)]
    {
        let answer = portal.api(&token.secret, &format!("/api/v1/repositories/{name}")).with(404);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{name}");
        assert_eq!(answer.json()["status"], 404);
    }
    assert_eq!(right(&portal, &token, "%61lpha").as_deref(), Some("read"), "an address may be spelled so");
}

fn a_bad_page_is_refused(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {});
    for query in [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=1.5",
        "limit=x",
        "limit=99999999999999999999",
        "limit=5&limit=5",
        "limit=5&page=2",
        "offset=0",
        "after=%ff",
        "after=a&after=b",
        "access_token=x",
    ] {
        let answer = portal.api(&token.secret, &format!("/api/v1/repositories?{query}")).with(400);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{query}");
    }
    for query in ["after=%00", "after=a%00b"] {
        let answer = portal.api(&token.secret, &format!("/api/v1/repositories?{query}"));
        assert!(answer.status < 500, "{answer:?}");
    }
    let detail = portal.api(&token.secret, "/api/v1/repositories?limit=x").json()["detail"].clone();
    assert_eq!(detail, "“limit” must be a whole number from 1 to 100.");
}

fn another_method_is_told_the_right_one(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    for (path, allowed) in [
        ("/api/v1/me", "GET, HEAD"),
        ("/api/v1/repositories", "GET, HEAD, POST"),
        ("/api/v1/repositories/alpha", "GET, HEAD, PATCH, DELETE"),
        ("/api/v1/repositories/alpha/grants/ada", "PUT, DELETE"),
    ] {
        let others = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
        for method in others.into_iter().filter(|method| !allowed.contains(method)) {
            let answer = portal.request(method, path).bearer(&token.secret).send().with(405);
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

fn an_unknown_door_is_not_found(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    for path in ["/api/", "/api/v1", "/api/v1/", "/api/v1/me/", "/api/v2/me", "/api/v1/Me", "/api/v1//me"] {
        for request in [portal.request("GET", path), portal.request("GET", path).bearer(&token.secret)] {
            let answer = request.send().with(404);
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        }
    }
}

fn a_repository_is_told_with_the_right_on_it(portal: Portal) {
    portal.repository("alpha");
    let token = portal.token(&portal.user("ada"), |_| {});
    let expected = json!({
        "name": "alpha",
        "description": "All of alpha",
        "permission": "read",
        "created_at": "2026-11-21T14:06:40Z",
        "url": format!("http://{}/api/v1/repositories/alpha", portal.address),
    });
    assert_eq!(portal.api(&token.secret, "/api/v1/repositories/alpha").with(200).json(), expected);
    let list = portal.api(&token.secret, "/api/v1/repositories").with(200);
    assert_eq!(list.json(), json!({"repositories": [expected], "next": null}));
    assert_eq!(list.header("content-type"), Some("application/json"));
}

fn the_right_is_the_lesser_of_token_and_owner(portal: Portal) {
    let id = portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    portal.role("viewing", &[Privilege::ApiAccess, Privilege::ViewRepositories]);
    portal.role("managing", &[Privilege::ApiAccess, Privilege::RepositoryManagement]);
    let users = [
        ("nobody", "api", None, [None, None]),
        ("grantedr", "api", Some(Permission::Read), [Some("read"), Some("read")]),
        ("grantedw", "api", Some(Permission::Write), [Some("read"), Some("write")]),
        ("viewer", "viewing", None, [Some("read"), Some("read")]),
        ("viewerw", "viewing", Some(Permission::Write), [Some("read"), Some("write")]),
        ("manager", "managing", None, [Some("read"), Some("write")]),
        ("managerr", "managing", Some(Permission::Read), [Some("read"), Some("write")]),
    ];
    for (username, role, grant, [by_reading, by_writing]) in users {
        let user = portal.user_with(username, role);
        if let Some(permission) = grant {
            user.grant(id, permission);
        }
        let reads = portal.token_named(&user, "reads");
        let writes = writing(&portal, &user);
        assert_eq!(right(&portal, &reads, "alpha").as_deref(), by_reading, "{username}");
        assert_eq!(right(&portal, &writes, "alpha").as_deref(), by_writing, "{username}");
        for (token, expected) in [(reads, by_reading), (writes, by_writing)] {
            let list = portal.api(&token.secret, "/api/v1/repositories").with(200).json();
            assert_eq!(list["repositories"][0]["permission"].as_str(), expected, "{username}");
        }
    }
}

fn a_privilege_taken_away_counts_at_the_next_request(portal: Portal) {
    portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "repository-manager");
    let token = writing(&portal, &ada);
    assert_eq!(right(&portal, &token, "alpha").as_deref(), Some("write"));
    ada.strip();
    ada.add_role("developer");
    assert_eq!(right(&portal, &token, "alpha").as_deref(), Some("read"));
    ada.strip();
    ada.add_role("api");
    assert_eq!(right(&portal, &token, "alpha"), None);
    assert_eq!(names(&portal, &token), [""; 0]);
    ada.strip();
    portal.api(&token.secret, "/api/v1/repositories/alpha").with(401);
    ada.add_role("repository-manager");
    assert_eq!(right(&portal, &token, "alpha").as_deref(), Some("write"), "nothing was lost for ever");
}

fn a_grant_taken_away_counts_at_the_next_request(portal: Portal) {
    let id = portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    let token = writing(&portal, &ada);
    for (grant, expected) in [(Permission::Write, "write"), (Permission::Read, "read")] {
        ada.grant(id, grant);
        assert_eq!(right(&portal, &token, "alpha").as_deref(), Some(expected));
    }
    ada.ungrant();
    assert_eq!(right(&portal, &token, "alpha"), None);
    assert_eq!(names(&portal, &token), [""; 0]);
}

fn selected_repositories_are_a_limit_and_no_grant(portal: Portal) {
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    portal.repository("gamma");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    ada.grant(alpha, Permission::Write);
    let token = portal.token(&ada, |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.repositories = RepositorySelection::Selected(vec![alpha, beta]);
    });
    assert_eq!(names(&portal, &token), ["alpha"]);
    assert_eq!(right(&portal, &token, "beta"), None, "selected, but its owner sees it no more");
    ada.add_role("repository-manager");
    assert_eq!(names(&portal, &token), ["alpha", "beta"]);
    assert_eq!(right(&portal, &token, "gamma"), None, "its owner sees it, but it is not selected");
    portal.sql("DELETE FROM repositories WHERE name <> 'gamma'");
    assert_eq!(names(&portal, &token), [""; 0], "nothing selected is left, which is not everything");
    assert_eq!(right(&portal, &token, "gamma"), None);
    portal.repository("alpha");
    assert_eq!(right(&portal, &token, "alpha"), None, "another repository of the same name is another one");
}

fn all_repositories_include_later_ones_and_selected_ones_do_not(portal: Portal) {
    let alpha = portal.repository("alpha");
    let ada = portal.user("ada");
    let all = portal.token_named(&ada, "all");
    let selected = portal.token(&ada, |wish| wish.repositories = RepositorySelection::Selected(vec![alpha]));
    portal.repository("beta");
    assert_eq!(names(&portal, &all), ["alpha", "beta"]);
    assert_eq!(names(&portal, &selected), ["alpha"]);
}

/// Follows `next` from page to page; the size of each page, and all names.
fn walk(portal: &Portal, token: &Token, query: &str) -> (Vec<usize>, Vec<String>) {
    let start = format!("http://{}", portal.address);
    let (mut sizes, mut all, mut path) = (Vec::new(), Vec::new(), format!("/api/v1/repositories{query}"));
    loop {
        let page = portal.api(&token.secret, &path).with(200).json();
        let names: Vec<String> = page["repositories"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect();
        sizes.push(names.len());
        all.extend(names);
        match &page["next"] {
            Value::Null => return (sizes, all),
            Value::String(next) => path = next.strip_prefix(&start).expect("our own address").to_owned(),
            other => panic!("{other}"),
        }
    }
}

fn the_pages_are_in_order_and_complete(portal: Portal) {
    let mut names: Vec<String> = (0..53).map(|number| format!("r{}-{number}", number % 7)).collect();
    names.extend(["a.b".into(), "a-b".into(), "a_b".into(), "a0".into(), "ab".into(), "a".into(), "0".into()]);
    for name in &names {
        portal.repository(name);
    }
    names.sort();
    let token = portal.token(&portal.user("ada"), |_| {});
    assert_eq!(walk(&portal, &token, ""), (vec![25, 25, 10], names.clone()));
    assert_eq!(walk(&portal, &token, "?limit=60"), (vec![60], names.clone()));
    assert_eq!(walk(&portal, &token, "?limit=30"), (vec![30, 30], names.clone()));
    assert_eq!(walk(&portal, &token, "?limit=7&after=").1, names);
    assert_eq!(walk(&portal, &token, "?after=zzz"), (vec![0], vec![]));
    assert_eq!(walk(&portal, &token, "?after=r6").1.len(), 7);
}

fn a_page_stays_right_while_repositories_come_and_go(portal: Portal) {
    for name in ["b", "c", "d", "e"] {
        portal.repository(name);
    }
    let token = portal.token(&portal.user("ada"), |_| {});
    let page = portal.api(&token.secret, "/api/v1/repositories?limit=2").json();
    let next = page["next"].as_str().expect("a next page").split(&portal.host()).nth(1).expect("a path").to_owned();
    portal.sql("DELETE FROM repositories WHERE name = 'c'");
    portal.repository("a");
    let page = portal.api(&token.secret, &next).json();
    let names: Vec<_> =
        page["repositories"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["d", "e"]);
}

fn addresses_come_from_the_public_address(portal: Portal) {
    for name in ["alpha", "beta"] {
        portal.repository(name);
    }
    let secret = portal.token(&portal.user("ada"), |_| {}).secret;
    let portal = portal.restarted(crate::support::portal::https);
    let request = portal.request("GET", "/api/v1/repositories?limit=1").bearer(&secret);
    let answer =
        request.header("host", "evil.example").header("x-forwarded-host", "evil.example").send().with(200).json();
    assert_eq!(answer["repositories"][0]["url"], "https://tokens.example.org/api/v1/repositories/alpha");
    assert_eq!(answer["next"], "https://tokens.example.org/api/v1/repositories?limit=1&after=alpha");
}
