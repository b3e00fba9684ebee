//! `/reauthenticate`, and the Password field inside of sensitive forms.

use crate::support::{Browser, PASSWORD, Portal, on_both};

on_both![
    a_sensitive_form_leads_to_the_password_and_back,
    a_sensitive_form_sent_too_late_comes_back_with_all_that_was_typed,
    a_wrong_password_changes_nothing_and_is_an_event,
    a_right_password_beside_a_wrong_field_is_asked_for_again,
    an_entry_changes_the_cookie_and_ends_its_copies,
    entries_count_as_tries_to_guess,
    another_users_password_is_wrong,
    the_way_back_leads_to_own_pages_only,
    what_is_not_sensitive_asks_for_no_password,
    rotating_and_enabling_ask_for_the_password_too,
    a_refusal_after_the_entry_leaves_one_signed_in,
    thirty_minutes_are_thirty_minutes,
];

/// A signed-in browser whose password entry is too long ago.
fn stale<'p>(portal: &'p Portal, username: &'static str) -> Browser<'p> {
    let browser = portal.user(username).sign_in();
    let _ = age(&browser);
    browser
}

fn age<'b, 'p>(browser: &'b Browser<'p>) -> &'b Browser<'p> {
    let portal = browser.portal;
    portal.flush();
    portal.advance(20 * 60);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(10 * 60);
    browser
}

fn a_sensitive_form_leads_to_the_password_and_back(portal: Portal) {
    let browser = stale(&portal, "ada");
    let wanted = "/profile/api-tokens/new?name=K%C3%B6ln&expiry=30";
    let page = browser.follow(browser.open(wanted)).with(200);
    assert_eq!(page.heading(), "Confirm your password");
    page.says("You are signed in as ada");
    let answer = browser.submit(&page.form("Continue").fill("Password", PASSWORD));
    assert_eq!(answer.location(), wanted);
    let form = browser.follow(answer).with(200).form("Create Token");
    assert_eq!((form.value("name").as_str(), form.chosen("Expiry date").as_str()), ("Köln", "30 days"));
    assert!(!form.has_field("Password"));
    assert_eq!(portal.actions().last().map(String::as_str), Some("session.reauthenticated"));
}

fn a_sensitive_form_sent_too_late_comes_back_with_all_that_was_typed(portal: Portal) {
    let ada = portal.user("ada");
    for name in ["alpha", "beta"] {
        portal.repository(name);
    }
    let browser = ada.sign_in();
    let form = browser
        .token_form("Köln <1>")
        .choose("Expiry date", "Custom date")
        .fill("Last day", "2027-01-31")
        .choose("Repositories", "Read and write")
        .choose("Account", "Read")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "beta");
    age(&browser);
    let page = portal.unchanged("a stale form", || browser.refused(&form));
    assert_eq!(page.error_at("Password"), "Enter your password to go on.");
    let again = page.form("Create Token");
    let without_password: Vec<_> = again.fields().into_iter().filter(|(name, _)| name != "password").collect();
    assert_eq!(without_password, form.fields());
    let (path, secret) = browser.create(&again.fill("Password", PASSWORD));
    assert!(portal.accepts(&secret));
    let details = browser.page(&path);
    assert_eq!(details.heading(), "Köln <1>");
    assert_eq!(details.definition("Repositories"), "beta");
}

fn a_wrong_password_changes_nothing_and_is_an_event(portal: Portal) {
    let browser = stale(&portal, "ada");
    let before = (portal.count("sessions"), browser.session());
    let page = browser.follow(browser.open("/profile/api-tokens/new"));
    let page = browser.refused(&page.form("Continue").fill("Password", "wrong"));
    assert_eq!(page.error_at("Password"), "The password is wrong. Enter it again.");
    assert_eq!(page.form("Continue").value("password"), "");
    assert_eq!(page.form("Continue").value("next"), "/profile/api-tokens/new");
    let page = browser.refused(&page.form("Continue"));
    assert_eq!(page.error_at("Password"), "Enter your password to go on.");
    browser.open("/profile/api-tokens/new").with(303);
    assert_eq!((portal.count("sessions"), browser.session()), before);
    assert_eq!(portal.actions(), ["session.signed_in", "session.reauthentication_failed"]);
}

fn a_right_password_beside_a_wrong_field_is_asked_for_again(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser.token_form("");
    age(&browser);
    let page = portal.unchanged("a stale and wrong form", || browser.refused(&form.clone().and("password", PASSWORD)));
    assert!(page.error_at("Name").starts_with("Name is empty."));
    let form = page.form("Create Token");
    assert!(form.has_field("Password"));
    assert_eq!(form.value("password"), "");
    page.does_not_say(PASSWORD);
    browser.create(&form.fill("Name", "ci").fill("Password", PASSWORD));
}

fn an_entry_changes_the_cookie_and_ends_its_copies(portal: Portal) {
    let browser = stale(&portal, "ada");
    let copy = browser.clone();
    browser.reauthenticate();
    assert_ne!(browser.session(), copy.session());
    assert!(browser.is_signed_in());
    assert!(!copy.is_signed_in());
    browser.page("/profile/api-tokens/new");
    assert_eq!(portal.count("sessions"), 1);
}

fn entries_count_as_tries_to_guess(portal: Portal) {
    let browser = stale(&portal, "ada");
    // Whoever stole the session does not have the cookie of the device.
    browser.forget_cookie(&portal.cookies().device);
    for _ in 0..5 {
        browser.post("/reauthenticate", &[("password", "guess"), ("next", "/")]).with(422);
    }
    let answer = browser.post("/reauthenticate", &[("password", PASSWORD), ("next", "/")]).with(429);
    assert_eq!(answer.header("retry-after"), Some("1"));
}

fn another_users_password_is_wrong(portal: Portal) {
    let browser = stale(&portal, "ada");
    portal.user("eve");
    portal.sql(
        "UPDATE users SET password_hash = '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA' WHERE username = 'ada'",
    );
    browser.post("/reauthenticate", &[("password", PASSWORD), ("next", "/")]).with(422);
}

fn the_way_back_leads_to_own_pages_only(portal: Portal) {
    let browser = stale(&portal, "ada");
    for next in ["https://evil.example/", "//evil.example", "/reauthenticate", "/login", "/api/v1/me"] {
        let answer = browser.post("/reauthenticate", &[("password", PASSWORD), ("next", next)]);
        assert_eq!(answer.location(), "/", "{next}");
    }
}

fn what_is_not_sensitive_asks_for_no_password(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    age(&browser);
    for path in ["/profile", "/profile/api-tokens", &token.path(), &token.page("name"), &token.page("revocation")] {
        browser.page(path);
    }
    browser.submit(&browser.page(&token.page("name")).form("Rename").fill("Name", "cd")).with(303);
    browser.submit(&browser.page(&token.page("disablement")).form("Disable token")).with(303);
    browser.submit(&browser.page(&token.page("revocation")).form("Revoke token")).with(303);
}

fn rotating_and_enabling_ask_for_the_password_too(portal: Portal) {
    let ada = portal.user("ada");
    let (rotated, enabled) = (portal.token_named(&ada, "rotated"), portal.token_named(&ada, "enabled"));
    portal.disable(&enabled);
    let browser = ada.sign_in();
    for (token, page, button) in [(&rotated, "rotation", "Rotate token"), (&enabled, "enablement", "Enable token")] {
        let mut form = browser.page(&token.page(page)).form(button);
        if page == "rotation" {
            form = form.choose("Old token stops working", "after 24 hours");
        }
        age(&browser);
        let location = browser.open(&token.page(page)).location().to_owned();
        assert!(location.starts_with("/reauthenticate?next="), "{location}");
        let refused = portal.unchanged("a stale form", || browser.refused(&form));
        assert_eq!(refused.error_at("Password"), "Enter your password to go on.");
        let again = refused.form(button);
        let kept: Vec<_> = again.fields().into_iter().filter(|(name, _)| name != "password").collect();
        assert_eq!(kept, form.fields());
        let refused = browser.refused(&again.clone().fill("Password", "wrong"));
        assert_eq!(refused.error_at("Password"), "The password is wrong. Enter it again.");
        let copy = browser.clone();
        browser.submit(&again.fill("Password", PASSWORD)).with(303);
        assert!(browser.is_signed_in() && !copy.is_signed_in());
    }
    assert!(portal.accepts(&enabled.secret));
}

fn a_refusal_after_the_entry_leaves_one_signed_in(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    portal.disable(&token);
    age(&browser);
    browser.submit(&form.and("password", PASSWORD)).with(409);
    assert!(browser.is_signed_in());
    browser.page("/profile/api-tokens/new");
}

fn thirty_minutes_are_thirty_minutes(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.advance(20 * 60);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(10 * 60 - 1);
    browser.page("/profile/api-tokens/new");
    portal.advance(1);
    browser.open("/profile/api-tokens/new").with(303);
}
