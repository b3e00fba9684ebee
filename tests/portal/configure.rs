//! The Configure tab: the repository's token, masked, shown on demand, and renewed.

use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::form::Form;
use crate::support::{Browser, PASSWORD, Portal, User, at_once, on_both, rounds};

on_both![
    the_tab_asks_for_both_privileges,
    the_masked_page_does_not_hold_the_token,
    show_is_an_event_and_shows_the_token_once,
    a_look_that_is_none_does_not_use_up_the_show,
    show_needs_a_password_entered_lately,
    a_policy_lets_tokens_be_shown_only_once,
    a_sealed_token_opens_in_its_own_row_only,
    the_confirmation_names_the_callers_of_the_token_and_the_graces,
    at_once_the_old_token_fails_at_the_next_check,
    with_a_grace_the_old_token_works_until_its_moment_and_not_a_second_longer,
    a_shorter_grace_ends_older_tokens_too,
    graces_that_are_not_offered_are_refused,
    the_second_of_two_is_told_who_was_first,
    pressing_ok_twice_makes_one_token,
    twenty_from_pages_of_their_own_make_one_token,
    twenty_from_one_page_make_one_token,
    what_was_to_be_shown_is_not_shown_once_it_was_replaced,
    renewing_needs_a_password_entered_lately,
    a_right_that_goes_in_mid_session_is_gone_at_the_next_request,
    a_stranger_changes_nothing,
];

const CONFIGURE: &str = "/repositories/alpha/configure";

fn manager<'p>(portal: &'p Portal, name: &'static str) -> (User<'p>, Browser<'p>) {
    let user = portal.user_with(name, "repository-manager");
    let browser = user.sign_in();
    (user, browser)
}

#[track_caller]
fn confirmation(browser: &Browser<'_>) -> Form {
    browser.page("/repositories/alpha/token/new").form("OK")
}

fn show(browser: &Browser<'_>) -> Option<String> {
    let answer = browser.submit(&browser.page(CONFIGURE).form("Show My Authentication Token"));
    browser.follow(answer).secret()
}

/// Lets the window of the password entry pass, but not the session.
fn lapse(portal: &Portal, browser: &Browser<'_>) {
    portal.advance(20 * 60);
    browser.open("/profile").with(200);
    portal.flush();
    portal.advance(15 * 60);
}

fn the_tab_asks_for_both_privileges(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.role("view", &[Privilege::ViewRepositories]);
    portal.role("manage", &[Privilege::RepositoryManagement]);
    portal.role("none", &[]);
    for (name, role, grant, status, missing) in [
        ("viewer", "view", None, 403, "Repository Management"),
        ("manager", "manage", None, 403, "View Repositories"),
        ("reader", "none", Some(Permission::Read), 403, "Repository Management"),
        ("writer", "none", Some(Permission::Write), 403, "Repository Management"),
        ("nobody", "none", None, 404, "nothing here"),
    ] {
        let user = portal.user_with(name, role);
        if let Some(permission) = grant {
            user.grant(alpha, permission);
        }
        let browser = user.sign_in();
        for path in [CONFIGURE, "/repositories/alpha/token/new", "/repositories/alpha/deletion"] {
            browser.open(path).with(status).page().says(missing);
        }
        for path in ["token", "token/reveal", "deletion"] {
            browser.post(&format!("/repositories/alpha/{path}"), &[("", ""); 0]).with(status);
        }
        if status == 403 {
            let overview = browser.page("/repositories/alpha");
            assert_eq!(overview.link("Configure"), None, "{name}");
            assert_eq!(overview.link("Access").is_some(), role == "manage", "{name}");
        }
    }
    let both = portal.user_with("both", "view");
    both.add_role("manage");
    both.sign_in().open(CONFIGURE).with(200);
}

fn the_masked_page_does_not_hold_the_token(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    let page = ada.page(CONFIGURE);
    page.does_not_say(&token).does_not_say(&token[10..]);
    let value = |id: &str| page.all(&format!("input#{id}"))[0].attr("value").expect("a value").to_owned();
    assert_eq!(value("username"), "alpha");
    assert!(value("token").starts_with(&token[..10]) && value("token").ends_with('•'), "{}", value("token"));
    assert!(value("base-url").ends_with("/api/v1/repositories/alpha"));
    page.says("by ada").says("Not used yet.");
    portal.request("GET", "/api/v1/repositories/alpha").basic("alpha", &token).send().with(200);
    portal.flush();
    ada.page(CONFIGURE).says("Last used 21 Nov 2026, 14:06 UTC");
}

fn show_is_an_event_and_shows_the_token_once(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let (bob, _) = manager(&portal, "bob");
    let token = ada.create_repository("alpha");
    // Whoever holds both privileges gets it back, not only its maker.
    let bob = bob.sign_in();
    let looks = || portal.actions().iter().filter(|action| *action == "repository_token.revealed").count();
    assert_eq!(looks(), 0);
    let answer = bob.submit(&bob.page(CONFIGURE).form("Show My Authentication Token"));
    assert_eq!((answer.location(), looks()), (CONFIGURE, 1));
    ada.page(CONFIGURE).does_not_say(&token);
    let page = bob.page(CONFIGURE);
    assert_eq!(page.secret().as_deref(), Some(token.as_str()));
    assert_eq!(page.answer.header("cache-control"), Some("no-store"));
    assert!(page.answer.cookie(&portal.cookies().navigation).is_some());
    bob.page(CONFIGURE).does_not_say(&token);
    // What nobody comes to see is not shown later.
    bob.submit(&bob.page(CONFIGURE).form("Show My Authentication Token")).with(303);
    portal.advance(5 * 60);
    bob.page(CONFIGURE).does_not_say(&token);
    bob.page("/repositories/alpha/activity").says("saw the token").does_not_say(&token);
}

fn a_look_that_is_none_does_not_use_up_the_show(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    ada.submit(&ada.page(CONFIGURE).form("Show My Authentication Token")).with(303);
    ada.send(ada.request("HEAD", CONFIGURE)).with(200);
    let prefetch = ada.send(ada.request("GET", CONFIGURE).header("sec-purpose", "prefetch;prerender"));
    prefetch.page().does_not_say(&token);
    let mut shown = at_once(10, |_| ada.clone().page(CONFIGURE).secret());
    shown.retain(Option::is_some);
    assert_eq!(shown, [Some(token)], "one of ten looks shows it");
}

fn show_needs_a_password_entered_lately(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    lapse(&portal, &ada);
    let page = ada.refused(&ada.page(CONFIGURE).form("Show My Authentication Token"));
    page.error_at("Password");
    ada.refused(&page.form("Show").fill("Password", "wrong")).error_at("Password");
    ada.page(CONFIGURE).does_not_say(&token);
    let answer = ada.submit(&page.form("Show").fill("Password", PASSWORD));
    assert_eq!(ada.follow(answer).secret(), Some(token));
}

fn a_policy_lets_tokens_be_shown_only_once(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let before = ada.create_repository("alpha");
    let form = ada.page(CONFIGURE).form("Show My Authentication Token");
    portal.set_policy("repository_tokens_shown_once", "true");
    let page = ada.page(CONFIGURE);
    assert!(page.find_form("Show My Authentication Token").is_none());
    page.says("a policy lets it be shown only once");
    ada.submit(&form).with(409).page().says("A policy of this portal");
    let page = ada.follow(ada.submit(&confirmation(&ada)));
    page.says("You will not be able to see this token again.");
    let after = page.secret().expect("a new one is shown, once");
    assert!(portal.accepts(&after) && !portal.accepts(&before));
    let sealed = portal.dump()["repository_tokens"].concat();
    assert!(sealed.matches("NULL").count() >= 4, "neither of the two lies sealed: {sealed}");
    // What was promised to be shown once stays so when the policy goes.
    portal.set_policy("repository_tokens_shown_once", "false");
    ada.page(CONFIGURE).says("It can no longer be shown");
    ada.submit(&form).with(409);
}

fn a_sealed_token_opens_in_its_own_row_only(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    ada.create_repository("alpha");
    let beta = ada.create_repository("beta");
    portal.sql(
        "UPDATE repository_tokens SET sealed = (SELECT t.sealed FROM repository_tokens t JOIN repositories r ON r.id = t.repository_id WHERE r.name = 'beta')
         WHERE repository_id = (SELECT id FROM repositories WHERE name = 'alpha')",
    );
    let refused = ada.submit(&ada.page(CONFIGURE).form("Show My Authentication Token")).with(500);
    refused.page().does_not_say(&beta);
    ada.page(CONFIGURE).does_not_say(&beta);
    assert!(portal.accepts(&beta), "a check needs no sealed value");
    // A renewal mends it.
    let renewed = ada.generate_new("alpha", "at once");
    assert_eq!(show(&ada), Some(renewed));
}

fn the_confirmation_names_the_callers_of_the_token_and_the_graces(portal: Portal) {
    let (user, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    let own = portal.token(&user, |_| {});
    let call = |secret: &str, agent: &str, address: &str| {
        let request = portal.request("GET", "/api/v1/repositories/alpha").bearer(secret);
        request.header("user-agent", agent).at(address).send().with(200);
    };
    let page = ada.page("/repositories/alpha/token/new");
    page.says("The old token is nullified.").says("may break").says("Nothing has used this token");
    call(&token, "ci/7", "198.51.100.7");
    call(&token, "ci/7", "198.51.100.7");
    call(&own.secret, "somebody/1", "198.51.100.9");
    portal.flush();
    let page = ada.page("/repositories/alpha/token/new");
    let rows = page.rows();
    assert_eq!(rows.len(), 1, "those who use API tokens do not break: {rows:?}");
    assert_eq!(
        (rows[0].cell("Address"), rows[0].cell("User agent"), rows[0].cell("Uses")),
        ("198.51.100.7", "ci/7", "2")
    );
    let offered = page.form("OK").choices("Old token stops working");
    let offered: Vec<_> = offered.iter().map(|(label, on)| (label.as_str(), *on)).collect();
    assert_eq!(
        offered,
        [("at once", true), ("after 1 hour", false), ("after 24 hours", false), ("after 7 days", false)]
    );
    assert_eq!(page.link("Cancel").as_deref(), Some(CONFIGURE));
    assert_eq!(ada.page("/repositories/alpha").rows().len(), 2, "the overview has those with any token");
    portal.advance(31 * 86_400);
    let ada = user.sign_in();
    ada.page("/repositories/alpha/token/new").says("Nothing has used this token");
}

fn at_once_the_old_token_fails_at_the_next_check(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let old = ada.create_repository("alpha");
    let answer = ada.submit(&confirmation(&ada));
    assert_eq!(answer.location(), CONFIGURE);
    assert!(!portal.accepts(&old));
    let page = ada.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("A new token was generated for “alpha”."));
    let new = page.secret().expect("it is shown");
    assert!(new != old && portal.accepts(&new));
    ada.page("/repositories/alpha/activity").says("generated a new token").says("old token stopped working at once");
}

fn with_a_grace_the_old_token_works_until_its_moment_and_not_a_second_longer(portal: Portal) {
    let (user, ada) = manager(&portal, "ada");
    let mut old = ada.create_repository("alpha");
    for (label, seconds) in [("after 1 hour", 3_600), ("after 24 hours", 86_400), ("after 7 days", 604_800)] {
        let ada = user.sign_in();
        let new = ada.generate_new("alpha", label);
        ada.page(CONFIGURE).says("still works until").says(&old[..10]).says("It was never used.");
        portal.advance(seconds - 1);
        assert!(portal.accepts(&old) && portal.accepts(&new), "{label}");
        portal.advance(1);
        assert!(!portal.accepts(&old) && portal.accepts(&new), "{label}");
        user.sign_in().page(CONFIGURE).does_not_say("still works until");
        old = new;
    }
    portal.advance(40 * 86_400);
    portal.prune();
    assert_eq!(portal.count("repository_tokens"), 1, "what ended long ago is forgotten");
    assert!(portal.accepts(&old));
}

fn a_shorter_grace_ends_older_tokens_too(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let first = ada.create_repository("alpha");
    let second = ada.generate_new("alpha", "after 7 days");
    let third = ada.generate_new("alpha", "after 1 hour");
    for token in [&first, &second, &third] {
        assert!(portal.accepts(token));
    }
    portal.advance(3_600);
    assert!(!portal.accepts(&first) && !portal.accepts(&second) && portal.accepts(&third));
}

fn graces_that_are_not_offered_are_refused(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let old = ada.create_repository("alpha");
    portal.set_policy("graces", "[\"now\",\"24h\"]");
    let form = confirmation(&ada);
    assert_eq!(form.choices("Old token stops working").len(), 2);
    for grace in ["", "1h", "7d", "99d", "0", "now 24h", "NOW"] {
        let page = ada.refused(&form.clone().tampered("grace", grace));
        assert_eq!(page.error_at("Old token stops working"), "Choose when the old token stops working.");
    }
    for (name, value) in [("replaces", "x"), ("replaces", ""), ("nonce", "short")] {
        ada.submit(&form.clone().tampered(name, value)).with(400);
    }
    ada.submit(&form.clone().and("grace", "now")).with(400);
    ada.submit(&form.and("admin", "1")).with(400);
    assert!(portal.accepts(&old));
}

fn the_second_of_two_is_told_who_was_first(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let (_, bob) = manager(&portal, "bob");
    ada.create_repository("alpha");
    let (first, second) = (confirmation(&ada), confirmation(&bob));
    let new = ada.follow(ada.submit(&first)).secret().expect("it is shown");
    let page = portal.unchanged("the second", || bob.submit(&second)).with(409).page();
    page.says("ada generated a new token at 21 Nov 2026, 14:06 UTC");
    assert_eq!(page.link("Back to Configure").as_deref(), Some(CONFIGURE));
    assert!(portal.accepts(&new));
}

fn pressing_ok_twice_makes_one_token(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    ada.create_repository("alpha");
    let form = confirmation(&ada);
    let new = ada.follow(ada.submit(&form)).secret().expect("it is shown");
    portal.unchanged("the second press", || ada.submit(&form)).with(303);
    assert!(portal.accepts(&new));
    assert_eq!(ada.page(CONFIGURE).secret(), None);
}

/// The tokens in force, and those that still work.
fn current(portal: &Portal) -> (usize, usize) {
    use diesel::prelude::*;
    use tokenhouse::storage::schema::repository_tokens as t;
    portal.read(|connection| {
        let all: Vec<Option<i64>> = t::table.select(t::valid_until).load(connection)?;
        Ok((all.iter().filter(|end| end.is_none()).count(), all.len()))
    })
}

fn twenty_from_pages_of_their_own_make_one_token(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    ada.create_repository("alpha");
    for round in 0..rounds() {
        let forms: Vec<Form> = (0..20).map(|_| confirmation(&ada)).collect();
        let answers = at_once(20, |number| ada.clone().submit(&forms[number]));
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");
        let told = answers.into_iter().filter(|answer| answer.status == 409);
        told.for_each(|answer| {
            answer.page().says("ada generated a new token at");
        });
        assert_eq!(current(&portal), (1, round + 2));
        let new = ada.page(CONFIGURE).secret().expect("the new one is shown");
        assert!(portal.accepts(&new));
    }
}

fn twenty_from_one_page_make_one_token(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    ada.create_repository("alpha");
    for round in 0..rounds() {
        let form = confirmation(&ada);
        let places = at_once(20, |_| ada.clone().submit(&form).location().to_owned());
        assert!(places.iter().all(|place| place == CONFIGURE), "{places:?}");
        assert_eq!(current(&portal), (1, round + 2));
        assert!(portal.accepts(&ada.page(CONFIGURE).secret().expect("it is shown")));
    }
}

fn what_was_to_be_shown_is_not_shown_once_it_was_replaced(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let (_, bob) = manager(&portal, "bob");
    let old = ada.create_repository("alpha");
    bob.submit(&bob.page(CONFIGURE).form("Show My Authentication Token")).with(303);
    let new = ada.generate_new("alpha", "after 1 hour");
    let page = bob.page(CONFIGURE);
    assert_eq!(page.secret(), None);
    page.does_not_say(&old).does_not_say(&new);
}

fn renewing_needs_a_password_entered_lately(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let old = ada.create_repository("alpha");
    let form = confirmation(&ada).choose("Old token stops working", "after 1 hour");
    lapse(&portal, &ada);
    let back = ada.open("/repositories/alpha/token/new").location().to_owned();
    assert_eq!(back, "/reauthenticate?next=%2Frepositories%2Falpha%2Ftoken%2Fnew");
    let page = ada.refused(&form);
    page.error_at("Password");
    assert_eq!(page.form("OK").chosen("Old token stops working"), "after 1 hour");
    assert!(portal.accepts(&old));
    let new = ada.follow(ada.submit(&page.form("OK").fill("Password", PASSWORD))).secret().expect("it is shown");
    assert!(portal.accepts(&new) && portal.accepts(&old));
}

fn a_right_that_goes_in_mid_session_is_gone_at_the_next_request(portal: Portal) {
    let (user, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    let (renewal, show) = (confirmation(&ada), ada.page(CONFIGURE).form("Show My Authentication Token"));
    ada.submit(&show).with(303);
    user.strip();
    user.add_role("developer");
    ada.open(CONFIGURE).with(403).page().does_not_say(&token);
    ada.submit(&renewal).with(403);
    ada.submit(&show).with(403);
    ada.open("/repositories/alpha").with(200);
    user.strip();
    ada.open("/repositories/alpha").with(404);
    ada.submit(&renewal).with(404);
    user.add_role("repository-manager");
    assert_eq!(ada.page(CONFIGURE).secret(), Some(token.clone()), "the right is back, and the look was not used");
    user.disable();
    assert!(ada.open(CONFIGURE).location().starts_with("/login"));
    ada.submit(&renewal).with(401);
    ada.submit(&show).with(401);
    assert!(portal.accepts(&token), "a repository's token is nobody's in person");
}

fn a_stranger_changes_nothing(portal: Portal) {
    let (_, ada) = manager(&portal, "ada");
    let token = ada.create_repository("alpha");
    let form = confirmation(&ada);
    portal.unchanged("a cross-site request", || {
        for site in ["cross-site", "same-site"] {
            let request = ada.foreign_request("POST", &form.action).header("sec-fetch-site", site);
            ada.send(request.form(&form.fields())).with(403);
            let request = ada.foreign_request("POST", "/repositories/alpha/token/reveal");
            ada.send(request.header("sec-fetch-site", site).form(&[("", ""); 0])).with(403);
        }
        portal.visitor().submit(&form).with(401);
        portal.request("POST", &form.action).by_own_page().bearer(&token).form(&form.fields()).send().with(401);
    });
}
