//! The tabs Access, Overview and Activity; the description, and the end of a repository.

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::id::{ApiTokenId, RepositoryId};
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::{Browser, PASSWORD, Page, Portal, at_once, on_both};

on_both![
    grants_to_unknown_users_and_odd_permissions_are_refused,
    a_grant_holds_at_the_next_check_and_ends_with_its_removal,
    grant_to_oneself_is_refused_with_what_was_typed,
    only_managers_give_access,
    two_who_give_at_once_leave_one_grant,
    two_managers_who_give_to_each_other_do_not_wait_for_ever,
    the_tab_lists_the_api_tokens_that_can_reach_the_repository,
    long_lists_of_users_and_tokens_have_further_pages,
    tokens_that_reach_nothing_are_passed_over_a_thousand_at_a_time,
    the_overview_tells_of_use_with_any_token,
    activity_has_every_event_newest_first,
    a_description_is_changed_by_managers_alone,
    deleting_asks_for_the_name,
    a_deleted_repository_is_gone_with_its_token_and_leaves_its_events,
    two_who_delete_at_once_delete_once,
];

const ACCESS: &str = "/repositories/alpha/access";

fn manager(portal: &Portal) -> Browser<'_> {
    portal.user_with("ada", "repository-manager").sign_in()
}

#[track_caller]
fn give(browser: &Browser<'_>, username: &str, access: &str) -> Page {
    let form = browser.page(ACCESS).form("Add user").fill("Username", username).choose("Access", access);
    browser.follow(browser.submit(&form))
}

fn grants_to_unknown_users_and_odd_permissions_are_refused(portal: Portal) {
    portal.repository("alpha");
    let ada = manager(&portal);
    let form = ada.page(ACCESS).form("Add user").choose("Access", "Read and write");
    for (username, sentence) in
        [("nobody", "There is no user “nobody”."), ("", "Username must be"), ("a b", "Username must be")]
    {
        let page = ada.refused(&form.clone().fill("Username", username));
        assert!(page.error_at("Username").starts_with(sentence), "{username}");
        assert_eq!(page.form("Add user").value("username"), username);
        assert_eq!(page.form("Add user").chosen("Access"), "Read and write");
    }
    for permission in ["", "none", "admin", "Read"] {
        let page = ada.refused(&form.clone().fill("Username", "ada").tampered("permission", permission));
        assert_eq!(page.error_at("Access"), "Choose what the user may do.");
    }
    let eve = portal.user("eve");
    for (path, status) in [
        (format!("{ACCESS}/{}", eve.id), 404),
        (format!("{ACCESS}/nobody"), 404),
        (format!("{ACCESS}/1"), 404),
        (format!("/repositories/omega/access/{}", eve.id), 404),
    ] {
        ada.post(&path, &[("permission", "read")]).with(status);
    }
    assert_eq!(portal.count("grants"), 0);
}

fn a_grant_holds_at_the_next_check_and_ends_with_its_removal(portal: Portal) {
    portal.repository("alpha");
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = manager(&portal);
    let eve = portal.user_with("eve", "api");
    let token = portal.token(&eve, |wish| wish.permissions.repositories = Permission::Write);
    let right = || {
        let answer = portal.api(&token.secret, "/api/v1/repositories/alpha");
        (answer.status == 200).then(|| answer.json()["permission"].as_str().expect("a permission").to_owned())
    };
    assert_eq!(right(), None);
    let page = give(&ada, "EVE", "Read");
    assert_eq!(page.notice().as_deref(), Some("eve now has access to “alpha”: Read."));
    assert_eq!(right().as_deref(), Some("read"));
    let browser = eve.sign_in();
    browser.page("/repositories/alpha").says("Read");
    browser.open(ACCESS).with(403);
    let row = ada.page(ACCESS).form("Save access of eve").tampered("permission", "write");
    ada.submit(&row).with(303);
    assert_eq!(right().as_deref(), Some("write"));
    ada.submit(&ada.page(ACCESS).form("Save access of eve").tampered("permission", "all")).with(400);
    portal.unchanged("giving what is there", || give(&ada, "eve", "Read and write"));
    let removal = ada.page(ACCESS).form("Remove access of eve");
    let page = ada.follow(ada.submit(&removal));
    assert_eq!(page.notice().as_deref(), Some("The access of eve to “alpha” was removed."));
    assert_eq!(right(), None);
    browser.open("/repositories/alpha").with(404);
    portal.unchanged("removing what is gone", || ada.submit(&removal)).with(303);
    ada.submit(&row).with(404);
    let told: Vec<_> = portal.actions().into_iter().filter(|action| action.starts_with("grant")).collect();
    assert_eq!(told, ["grant.removed", "grant.set", "grant.set"]);
    ada.page("/repositories/alpha/activity").says("eve: Read and write, was Read");
}

fn grant_to_oneself_is_refused_with_what_was_typed(portal: Portal) {
    let alpha = portal.repository("alpha");
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let sentence =
        "You cannot give access to yourself. With Repository Management you can read and write every repository.";
    let form = browser.page(ACCESS).form("Add user").fill("Username", "ADA").choose("Access", "Read and write");
    let page = portal.unchanged("a grant to oneself", || browser.refused(&form));
    assert_eq!(page.error_at("Username"), sentence);
    assert_eq!(page.form("Add user").value("username"), "ADA");
    assert_eq!(page.form("Add user").chosen("Access"), "Read and write");
    // One from before can be taken away, and not raised.
    ada.grant(alpha, Permission::Read);
    let row = browser.page(ACCESS).form("Save access of ada").tampered("permission", "write");
    let page = portal.unchanged("a larger grant to oneself", || browser.refused(&row));
    assert_eq!(page.error_at("Username"), sentence);
    browser.submit(&browser.page(ACCESS).form("Remove access of ada")).with(303);
    assert_eq!(portal.count("grants"), 0);
}

fn only_managers_give_access(portal: Portal) {
    let alpha = portal.repository("alpha");
    let (eve, bob) = (portal.user("eve"), portal.user("bob"));
    eve.grant(alpha, Permission::Write);
    let browser = eve.sign_in();
    browser.open(ACCESS).with(403).page().says("Repository Management");
    browser.post(ACCESS, &[("username", "bob"), ("permission", "read")]).with(403);
    browser.post(&format!("{ACCESS}/{}", bob.id), &[("permission", "read")]).with(403);
    browser.post(&format!("{ACCESS}/{}/removal", eve.id), &[("", ""); 0]).with(403);
    assert_eq!(portal.count("grants"), 1);
}

fn two_who_give_at_once_leave_one_grant(portal: Portal) {
    portal.repository("alpha");
    let ada = manager(&portal);
    portal.user("eve");
    let form = ada.page(ACCESS).form("Add user").fill("Username", "eve");
    let statuses = at_once(20, |number| {
        let access = if number % 2 == 0 { "Read" } else { "Read and write" };
        ada.clone().submit(&form.clone().choose("Access", access)).status
    });
    assert_eq!(statuses, [303; 20]);
    assert_eq!(portal.count("grants"), 1);
}

fn two_managers_who_give_to_each_other_do_not_wait_for_ever(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    let (ada, bob) = (manager(&portal), portal.user_with("bob", "repository-manager").sign_in());
    for _ in 0..5 {
        let statuses = at_once(8, |number| {
            let (browser, other) = if number % 2 == 0 { (&ada, "bob") } else { (&bob, "ada") };
            let repository = if number % 4 < 2 { "alpha" } else { "beta" };
            let permission = if number < 4 { "read" } else { "write" };
            let fields = [("username", other), ("permission", permission)];
            browser.clone().post(&format!("/repositories/{repository}/access"), &fields).status
        });
        assert_eq!(statuses, [303; 8]);
    }
    assert_eq!(portal.count("grants"), 4);
}

/// "owner/name: right" of each API token listed.
fn reaching(page: &Page) -> Vec<String> {
    let cells = page.texts("h2 ~ table:last-of-type tbody th, h2 ~ table:last-of-type tbody td");
    cells.chunks(6).map(|row| format!("{}/{}: {}", row[0], row[1], row[3])).collect()
}

fn the_tab_lists_the_api_tokens_that_can_reach_the_repository(portal: Portal) {
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    let ada = manager(&portal);
    assert_eq!(ada.page(ACCESS).rows().len(), 0);
    portal.role("api", &[Privilege::ApiAccess]);
    let (dev, lone, granted) =
        (portal.user("dev"), portal.user_with("lone", "api"), portal.user_with("granted", "api"));
    granted.grant(alpha, Permission::Read);
    let named = |name: &str| TokenName::parse(name).expect("a name");
    let make = |owner, name: &str, permission: Permission, selection: RepositorySelection| {
        portal.token(owner, |wish| {
            wish.name = named(name);
            wish.permissions.repositories = permission;
            wish.repositories = selection;
        })
    };
    let all = || RepositorySelection::All;
    make(&dev, "reads", Permission::Write, all());
    make(&dev, "nothing", Permission::None, all());
    make(&dev, "elsewhere", Permission::Read, RepositorySelection::Selected(vec![beta]));
    make(&dev, "here", Permission::Read, RepositorySelection::Selected(vec![alpha, beta]));
    make(&lone, "alone", Permission::Write, all());
    make(&granted, "by-grant", Permission::Write, all());
    let (disabled, revoked) =
        (make(&dev, "disabled", Permission::Read, all()), make(&dev, "revoked", Permission::Read, all()));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    portal.token(&lone, |wish| {
        wish.name = named("expired");
        wish.expires_at = Some(portal.later(0));
    });
    assert_eq!(reaching(&ada.page(ACCESS)), ["granted/by-grant: Read", "dev/here: Read", "dev/reads: Read"]);
    dev.disable();
    granted.ungrant();
    ada.page(ACCESS).says("No API token can reach this repository at this moment.");
}

fn long_lists_of_users_and_tokens_have_further_pages(portal: Portal) {
    let alpha = portal.repository("alpha");
    let ada = manager(&portal);
    let dev = portal.user("dev");
    for number in 0..30 {
        portal.token_named(&dev, &format!("t{number:02}"));
        portal.user(String::leak(format!("u{number:02}"))).grant(alpha, Permission::Read);
    }
    // Passed over, however many of the newest they are.
    portal.role("api", &[Privilege::ApiAccess]);
    let lone = portal.user_with("lone", "api");
    (0..15).for_each(|number| drop(portal.token_named(&lone, &format!("t{number:02}"))));
    let page = ada.page(ACCESS);
    let users = |page: &Page| page.texts("td[data-label=Username]").len();
    assert_eq!((users(&page), reaching(&page).len()), (25, 10));
    let second = ada.page(&page.link("More users").expect("there are more"));
    assert_eq!(users(&second), 5);
    assert_eq!(second.link("More users"), None);
    let tokens = ada.page(&page.link("More tokens").expect("there are more"));
    assert_eq!(reaching(&tokens).len(), 10);
    assert_eq!(reaching(&tokens)[0], "dev/t19: Read");
    let first = "1";
    let beyond = ada.page(&format!("{ACCESS}?page=9&tokens={first}"));
    beyond.says("There are no more users").says("There are no more tokens");
    ada.page(&format!("{ACCESS}?page=-1&tokens=x"));
}

fn tokens_that_reach_nothing_are_passed_over_a_thousand_at_a_time(portal: Portal) {
    portal.repository("alpha");
    let ada = manager(&portal);
    portal.token_named(&portal.user("dev"), "old");
    portal.role("api", &[Privilege::ApiAccess]);
    let idle = portal.token_named(&portal.user_with("lone", "api"), "idle");
    portal.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
         INSERT INTO api_tokens (id, user_id, name, name_key, hint, secret_number, repositories_permission, account_permission,
             administration_permission, repository_selection, created_at)
         SELECT 9223372036854770000 + i, user_id, name || i, name_key || i,
             hint, secret_number, repositories_permission, account_permission, administration_permission, repository_selection,
             created_at FROM api_tokens, n WHERE id = '{}'",
        idle.id
    ));
    let page = ada.page(ACCESS);
    page.says("None of the tokens looked at can reach this repository at this moment; there are older ones.");
    let older = ada.page(&page.link("More tokens").expect("there are more"));
    assert_eq!(reaching(&older), ["dev/old: Read"]);
    assert_eq!(older.link("More tokens"), None);
}

fn the_overview_tells_of_use_with_any_token(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let token = browser.create_repository("alpha");
    browser.create_repository("beta");
    let own = portal.token(&ada, |_| {});
    browser.page("/repositories/alpha").says("Not used in the last 30 days.").says("Nothing has used this repository");
    for secret in [&token, &own.secret, &own.secret] {
        let request = portal.request("GET", "/api/v1/repositories/alpha").bearer(secret);
        request.header("user-agent", "ci/7").send().with(200);
    }
    portal.api(&own.secret, "/api/v1/repositories").with(200);
    portal.api(&own.secret, "/api/v1/me").with(200);
    portal.flush();
    let page = browser.page("/repositories/alpha");
    page.says("Used 3 times on 1 of the last 30 days.");
    assert_eq!(page.rows()[0].cell("Uses"), "3");
    assert!(browser.page("/repositories").rows()[0].cell("Last used").starts_with("21 Nov 2026"));
    browser.page("/repositories/beta").says("Not used in the last 30 days.");
    browser.page(&own.path()).says("Used 4 times on 1 of the last 30 days.");
    let form = browser.page("/repositories/alpha/deletion").form("Delete repository");
    browser.submit(&form.fill("Name of the repository", "alpha")).with(303);
    // What the token did there is its history.
    browser.page(&own.path()).says("Used 4 times on 1 of the last 30 days.");
}

fn activity_has_every_event_newest_first(portal: Portal) {
    let ada = manager(&portal);
    ada.create_repository("alpha");
    for number in 0..30 {
        ada.post("/repositories/alpha/description", &[("description", format!("number {number}"))]).with(303);
    }
    let page = ada.page("/repositories/alpha/activity");
    let rows = page.rows();
    assert_eq!(rows.len(), 25);
    assert!(rows[0].cell("What").contains("was “number 28”"), "{:?}", rows[0]);
    assert_eq!((rows[0].cell("Who"), rows[0].cell("From")), ("ada", "127.0.0.1"));
    let older = ada.page(&page.link("Older").expect("there are more"));
    assert_eq!(older.rows().len(), 6);
    assert_eq!(older.rows()[5].cell("What"), "created the repository");
    assert_eq!(older.link("Older"), None);
    assert_eq!(older.link("Newest").as_deref(), Some("/repositories/alpha/activity"));
    ada.page("/repositories/alpha/activity?before=x");
}

fn a_description_is_changed_by_managers_alone(portal: Portal) {
    let ada = manager(&portal);
    ada.create_repository("alpha");
    let form = ada.page("/repositories/alpha/description").form("Save description");
    let page = ada.refused(&form.clone().fill("Description (optional)", &"x".repeat(301)));
    page.error_at("Description (optional)");
    let answer = ada.submit(&form.clone().fill("Description (optional)", "<b>All</b> & “more”"));
    assert_eq!(answer.location(), "/repositories/alpha/configure");
    ada.follow(answer).says("<b>All</b> & “more”").says("The description of “alpha” was changed.");
    assert_eq!(ada.page("/repositories?q=MORE").rows().len(), 1);
    portal.unchanged("the same once more", || {
        ada.submit(&form.fill("Description (optional)", "<b>All</b> & “more”")).with(303);
    });
    let eve = portal.user("eve").sign_in();
    eve.open("/repositories/alpha/description").with(403);
    eve.post("/repositories/alpha/description", &[("description", "x")]).with(403);
}

fn deleting_asks_for_the_name(portal: Portal) {
    let ada = manager(&portal);
    let token = ada.create_repository("alpha");
    let form = ada.page("/repositories/alpha/deletion").form("Delete repository");
    for typed in ["", "Alpha", "alph", "alpha2", "beta"] {
        let page = ada.refused(&form.clone().fill("Name of the repository", typed));
        assert!(page.error_at("Name of the repository").contains("Type “alpha” to delete it."), "{typed}");
    }
    portal.advance(29 * 60);
    ada.open("/profile").with(200);
    portal.flush();
    portal.advance(60);
    let page = ada.refused(&form.fill("Name of the repository", "alpha"));
    page.error_at("Password");
    assert!(portal.accepts(&token));
    let answer = ada.submit(&page.form("Delete repository").fill("Password", PASSWORD));
    assert_eq!(ada.follow(answer).notice().as_deref(), Some("Repository “alpha” was deleted."));
    assert!(!portal.accepts(&token));
}

fn a_deleted_repository_is_gone_with_its_token_and_leaves_its_events(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let token = browser.create_repository("alpha");
    let alpha = portal.read(|connection| {
        use diesel::prelude::*;
        use tokenhouse::storage::schema::repositories;
        Ok(repositories::table.select(repositories::id).get_result::<RepositoryId>(connection)?)
    });
    let id = alpha;
    portal.user("eve").grant(id, Permission::Read);
    let only = portal.token(&ada, |wish| wish.repositories = RepositorySelection::Selected(vec![id]));
    portal.api(&only.secret, "/api/v1/repositories/alpha").with(200);
    portal.api(&token, "/api/v1/me").with(200);
    portal.flush();
    browser.submit(&browser.page("/repositories/alpha/configure").form("Show My Authentication Token")).with(303);
    // Uses that were counted but not yet written when the repository goes.
    portal.api(&token, "/api/v1/me").with(200);
    portal.api(&only.secret, "/api/v1/repositories/alpha").with(200);
    let form = browser.page("/repositories/alpha/deletion").form("Delete repository");
    browser.submit(&form.clone().fill("Name of the repository", "alpha")).with(303);
    portal.flush();
    for table in ["repositories", "repository_tokens", "grants", "api_token_repositories", "reveals"] {
        assert_eq!(portal.count(table), 0, "{table}");
    }
    let counted: Vec<ApiTokenId> = portal.read(|connection| {
        use diesel::prelude::*;
        use tokenhouse::storage::schema::token_clients;
        Ok(token_clients::table.select(token_clients::token_id).distinct().load(connection)?)
    });
    assert_eq!(counted, [only.id], "what the API token did there stays with the API token alone");
    for table in ["repository_clients", "repository_other_clients", "daily_usage"] {
        assert_eq!(portal.count(table), 0, "{table}");
    }
    browser.submit(&form.fill("Name of the repository", "alpha")).with(404);
    browser.open("/repositories/alpha").with(404);
    portal.api(&only.secret, "/api/v1/repositories/alpha").with(404);
    assert!(portal.accepts(&only.secret), "the API token goes on, and reaches nothing");
    browser.page(&only.path()).says("none of which you can access");
    assert!(portal.actions().contains(&"repository.deleted".to_owned()));
    // The name is free, and what comes next has nothing of the former.
    let again = browser.create_repository("alpha");
    assert_ne!(again, token);
    assert_eq!(browser.page("/repositories/alpha/activity").rows().len(), 1);
}

fn two_who_delete_at_once_delete_once(portal: Portal) {
    let ada = manager(&portal);
    ada.create_repository("alpha");
    let form = ada.page("/repositories/alpha/deletion").form("Delete repository");
    let form = form.fill("Name of the repository", "alpha");
    let renewal = ada.page("/repositories/alpha/token/new").form("OK");
    let statuses = at_once(10, |number| ada.clone().submit(if number % 2 == 0 { &form } else { &renewal }).status);
    assert_eq!(statuses.iter().step_by(2).filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [303, 404].contains(status)), "{statuses:?}");
    assert_eq!((portal.count("repositories"), portal.count("repository_tokens")), (0, 0));
    let deleted = portal.actions().iter().filter(|action| *action == "repository.deleted").count();
    assert_eq!(deleted, 1);
}
