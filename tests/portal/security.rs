//! `/profile/security`: one's own password, and the sessions that one is signed in with.

use crate::support::{Browser, PASSWORD, Portal, User, at_once, on_both, rounds};

on_both![
    nothing_here_is_for_a_visitor,
    a_session_of_somebody_else_is_not_found,
    a_wrong_current_password_changes_nothing_and_is_an_event,
    refused_new_password_with_right_current_one_changes_nothing,
    new_password_with_wrong_current_one_is_not_checked,
    new_password_in_another_unicode_form_of_the_current_one_is_refused,
    guessing_the_current_password_is_slowed_down,
    a_changed_password_signs_out_everywhere_else,
    a_changed_password_takes_back_the_link,
    a_change_counts_as_an_entry_and_changes_the_cookie,
    a_password_changed_by_two_at_once_is_changed_once,
    every_session_is_listed_with_device_and_address,
    what_is_over_is_not_listed,
    a_session_is_signed_out_by_its_button,
    all_others_are_signed_out_together,
    the_session_that_looks_is_signed_out_as_everywhere,
    a_session_is_ended_while_it_is_in_use,
    a_password_is_not_changed_in_a_session_that_has_ended,
];

const NEW: &str = "sieben Regale voll Moos";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const PAGE: &str = "/profile/security";

/// A browser that says what it is.
fn sign_in_with<'p>(user: &User<'_>, portal: &'p Portal, agent: &str) -> Browser<'p> {
    let browser = portal.visitor();
    let form = [("username", user.username), ("password", PASSWORD), ("next", "/")];
    browser.send(browser.request("POST", "/login").header("user-agent", agent).form(&form)).with(303);
    browser
}

#[track_caller]
fn change(browser: &Browser<'_>, current: &str, new: &str) -> crate::support::Answer {
    let form = browser.page(PAGE).form("Change password");
    browser.submit(&form.fill("Current password", current).fill("New password", new))
}

fn nothing_here_is_for_a_visitor(portal: Portal) {
    let ada = portal.user("ada");
    ada.sign_in();
    let visitor = portal.visitor();
    assert_eq!(visitor.open(PAGE).location(), "/login?next=%2Fprofile%2Fsecurity");
    portal.unchanged("a visitor", || {
        let fields = [("current_password", PASSWORD), ("new_password", NEW)];
        visitor.post("/profile/security/password", &fields).with(401);
        visitor.post("/profile/security/other-sessions/end", &[("", ""); 0]).with(401);
        visitor.post(&format!("/profile/security/sessions/{}/end", ada.session()), &[("", ""); 0]).with(401);
    });
}

fn a_session_of_somebody_else_is_not_found(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    let (browser, other) = (ada.sign_in(), eve.sign_in());
    let taken = ada.session().to_string();
    portal.unchanged("another user", || {
        for id in [&taken, "1", "x", &taken.to_uppercase(), "%ff"] {
            let page = other.post(&format!("/profile/security/sessions/{id}/end"), &[("", ""); 0]).with(404).page();
            assert_eq!(page.heading(), "Not found");
        }
        other.post("/profile/security/other-sessions/end", &[("user", "ada")]).with(400);
        other.post("/profile/security/other-sessions/end", &[("", ""); 0]).with(303);
    });
    other.page(PAGE).does_not_say(&taken);
    assert!(browser.is_signed_in() && other.is_signed_in());
}

fn a_wrong_current_password_changes_nothing_and_is_an_event(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, other) = (ada.sign_in(), ada.sign_in());
    let cookie = browser.session();
    let page = change(&browser, "wrong", NEW).with(422).page();
    assert_eq!(page.error_at("Current password"), "The current password is wrong. Enter both again.");
    let form = page.form("Change password");
    assert_eq!((form.value("current_password").as_str(), form.value("new_password").as_str()), ("", ""));
    page.does_not_say(NEW);
    assert_eq!(portal.actions().last().map(String::as_str), Some("session.signed_in"), "{:?}", portal.actions());
    assert!(portal.actions().contains(&"session.reauthentication_failed".to_owned()));
    assert_eq!(browser.session(), cookie);
    assert!(browser.is_signed_in() && other.is_signed_in());
    portal.visitor().try_sign_in("ada", NEW).with(401);
    portal.visitor().try_sign_in("ada", PASSWORD).with(303);
}

fn refused_new_password_with_right_current_one_changes_nothing(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.unchanged("a password that may not be chosen", || {
        for (new, sentence) in [
            ("", "Password is empty."),
            ("short", "Password is too short."),
            ("корова", "Password is too short."),
            ("password1234", "Password is easy to guess"),
            ("ada of Tokenhouse", "Password is easy to guess"),
            (PASSWORD, "The new password is the current one."),
        ] {
            let page = change(&browser, PASSWORD, new).with(422).page();
            assert!(page.error_at("New password").starts_with(sentence), "{new}: {}", page.error_at("New password"));
            assert_eq!(page.alerts().len(), 2);
        }
        let page = change(&browser, "", "").with(422).page();
        assert_eq!(page.error_at("Current password"), "Enter your current password.");
        assert!(page.error_at("New password").starts_with("Password is empty."));
        let twice = [("current_password", PASSWORD), ("new_password", NEW), ("new_password", NEW)];
        browser.post("/profile/security/password", &twice).with(400);
    });
}

fn new_password_with_wrong_current_one_is_not_checked(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for new in ["short", "password1234"] {
        let page = change(&browser, "wrong", new).with(422).page();
        assert_eq!(page.error_at("Current password"), "The current password is wrong. Enter both again.");
        page.does_not_say("Password is");
    }
}

fn new_password_in_another_unicode_form_of_the_current_one_is_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    change(&browser, PASSWORD, "zwo\u{308}lf blaue Elefanten").with(303);
    let page = change(&browser, "zwo\u{308}lf blaue Elefanten", "zw\u{f6}lf blaue Elefanten").with(422).page();
    assert_eq!(page.error_at("New password"), "The new password is the current one. Choose another.");
    // The password is the same in both forms.
    for form in ["zwo\u{308}lf blaue Elefanten", "zw\u{f6}lf blaue Elefanten"] {
        portal.visitor().try_sign_in("ada", form).with(303);
    }
}

fn guessing_the_current_password_is_slowed_down(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    // Whoever stole the session does not have the cookie of the device.
    browser.forget_cookie(&portal.cookies().device);
    for _ in 0..5 {
        change(&browser, "guess", NEW).with(422);
    }
    let answer = change(&browser, PASSWORD, NEW).with(429);
    assert_eq!(answer.header("retry-after"), Some("1"));
    portal.advance(2);
    change(&browser, PASSWORD, NEW).with(303);
}

fn a_changed_password_signs_out_everywhere_else(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let (browser, others, eve) = (ada.sign_in(), [ada.sign_in(), ada.sign_in()], portal.user("eve").sign_in());
    let answer = change(&browser, PASSWORD, NEW);
    assert_eq!(answer.location(), PAGE);
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("Your password was changed. 2 other sessions were signed out."));
    assert!(others.iter().all(|other| !other.is_signed_in()));
    assert!(browser.is_signed_in() && eve.is_signed_in());
    assert!(portal.accepts(&token.secret), "API tokens go on working");
    assert!(portal.actions().contains(&"user.password_changed".to_owned()));
    portal.visitor().try_sign_in("ada", PASSWORD).with(401);
    portal.visitor().try_sign_in("ada", NEW).with(303);
    let page = browser.follow(change(&browser, NEW, "neun Kisten alter Noten"));
    assert_eq!(page.notice().as_deref(), Some("Your password was changed. 1 other session was signed out."));
}

fn a_changed_password_takes_back_the_link(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    for (user, digest) in [(&ada, "'a'"), (&eve, "'e'")] {
        portal.sql(&format!(
            "INSERT INTO password_links (user_id, made_by, digest, created_at, expires_at) VALUES ('{}', '{}', CAST({digest} AS {}), 1, 9999999999)",
            user.id,
            user.id,
            if portal.database.is_sqlite() { "BLOB" } else { "BYTEA" },
        ));
    }
    let browser = ada.sign_in();
    change(&browser, "wrong", NEW).with(422);
    assert_eq!(portal.count("password_links"), 2);
    change(&browser, PASSWORD, NEW).with(303);
    assert_eq!(portal.count("password_links"), 1, "another user's stays");
}

fn a_change_counts_as_an_entry_and_changes_the_cookie(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.advance(20 * 60);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(10 * 60);
    browser.open("/profile/api-tokens/new").with(303);
    let copy = browser.clone();
    change(&browser, PASSWORD, NEW).with(303);
    browser.page("/profile/api-tokens/new");
    assert_ne!(browser.session(), copy.session());
    assert!(!copy.is_signed_in(), "the former key opens nothing");
    assert_eq!(portal.count("sessions"), 1);
}

fn a_password_changed_by_two_at_once_is_changed_once(portal: Portal) {
    let mut current = PASSWORD.to_owned();
    portal.user("ada");
    for round in 0..rounds() {
        let browsers: Vec<_> = (0..4)
            .map(|_| {
                let browser = portal.visitor();
                browser.try_sign_in("ada", &current).with(303);
                browser
            })
            .collect();
        let new = |number: usize| format!("{NEW} {round} {number}");
        let statuses = at_once(4, |number| {
            let new = new(number);
            let fields = [("current_password", current.as_str()), ("new_password", new.as_str())];
            browsers[number].post("/profile/security/password", &fields).status
        });
        let changed: Vec<_> = (0..4).filter(|&number| statuses[number] == 303).collect();
        assert_eq!(changed.len(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [303, 401, 422].contains(status)), "{statuses:?}");
        for (number, browser) in browsers.iter().enumerate() {
            assert_eq!(browser.is_signed_in(), number == changed[0], "{number} of {statuses:?}");
        }
        current = new(changed[0]);
        portal.advance(60);
    }
    let times = portal.actions().iter().filter(|action| *action == "user.password_changed").count();
    assert_eq!(times, rounds());
}

fn every_session_is_listed_with_device_and_address(portal: Portal) {
    let ada = portal.user("ada");
    let away = portal.visitor().at("203.0.113.7");
    away.try_sign_in("ada", PASSWORD).with(303);
    portal.advance(3 * 60);
    let browser = sign_in_with(&ada, &portal, FIREFOX);
    portal.user("eve").sign_in();
    let page = browser.page(PAGE);
    assert_eq!(page.heading(), "My Profile");
    let cells = |heading: &str| page.rows().iter().map(|row| row.cell(heading).to_owned()).collect::<Vec<_>>();
    assert_eq!(cells("Device"), ["Firefox on Linux", "Unknown browser"]);
    assert_eq!(cells("Address"), ["127.0.0.1", "203.0.113.7"]);
    assert_eq!(cells("Signed in"), ["21 Nov 2026, 14:09 UTC just now", "21 Nov 2026, 14:06 UTC 3 minutes ago"]);
    assert_eq!(cells("Last seen"), ["This session now", "21 Nov 2026, 14:06 UTC 3 minutes ago"]);
    assert_eq!(cells("Actions"), ["Sign out of this session", "Sign out Unknown browser, from 203.0.113.7"]);
    assert!(away.is_signed_in());
    portal.flush();
    assert_eq!(browser.page(PAGE).rows()[1].cell("Last seen"), "21 Nov 2026, 14:09 UTC just now");
}

fn what_is_over_is_not_listed(portal: Portal) {
    let ada = portal.user("ada");
    let idle = ada.sign_in();
    portal.advance(30 * 60 - 1);
    let browser = ada.sign_in();
    assert_eq!(browser.page(PAGE).rows().len(), 2);
    portal.advance(1);
    let page = browser.page(PAGE);
    page.says("You are signed in nowhere else.");
    assert_eq!(page.rows().len(), 1);
    assert!(page.find_form("Sign out all others").is_none());
    let fields: [(&str, &str); 0] = [];
    let answer = browser.post("/profile/security/other-sessions/end", &fields);
    assert_eq!(browser.follow(answer).notice().as_deref(), Some("No other session was signed out."));
    assert!(!idle.is_signed_in());
}

fn a_session_is_signed_out_by_its_button(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, third) = (ada.sign_in(), ada.sign_in());
    portal.advance(20 * 60);
    let other = sign_in_with(&ada, &portal, FIREFOX);
    assert!(browser.is_signed_in() && third.is_signed_in());
    portal.flush();
    // Nobody is asked for a password here, however long ago the last entry is.
    portal.advance(10 * 60);
    let page = browser.page(PAGE);
    let form = page.form("Sign out Firefox on Linux, from 127.0.0.1");
    let answer = browser.submit(&form);
    assert_eq!(answer.location(), PAGE);
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("Firefox on Linux, from 127.0.0.1, was signed out."));
    assert_eq!(page.rows().len(), 2);
    assert!(!other.is_signed_in() && browser.is_signed_in() && third.is_signed_in());
    assert_eq!(portal.actions().iter().filter(|action| *action == "session.ended").count(), 1);
    portal.unchanged("once more", || browser.submit(&form).with(404));
}

fn all_others_are_signed_out_together(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, others) = (ada.sign_in(), [ada.sign_in(), ada.sign_in(), ada.sign_in()]);
    let form = browser.page(PAGE).form("Sign out all others");
    let page = browser.follow(browser.submit(&form));
    assert_eq!(page.notice().as_deref(), Some("3 other sessions were signed out."));
    assert_eq!(page.rows().len(), 1);
    assert!(browser.is_signed_in() && others.iter().all(|other| !other.is_signed_in()));
    assert!(portal.actions().contains(&"user.signed_out_everywhere".to_owned()));
    let before = portal.actions();
    browser.submit(&form).with(303);
    assert_eq!(portal.actions(), before, "where nobody is, nothing happens");
}

fn the_session_that_looks_is_signed_out_as_everywhere(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser.page(PAGE).form("Sign out of this session");
    assert_eq!(form.action, "/logout");
    let path = format!("/profile/security/sessions/{}/end", ada.session());
    let answer = browser.post(&path, &[("", ""); 0]).with(303);
    assert!(browser.follow(answer).heading().contains("Sign in"));
    assert!(!browser.is_signed_in());
    assert_eq!(portal.count("sessions"), 0);
}

fn a_session_is_ended_while_it_is_in_use(portal: Portal) {
    let ada = portal.user("ada");
    for round in 0..rounds() {
        let (browser, victim) = (ada.sign_in(), ada.sign_in());
        let path = format!("/profile/security/sessions/{}/end", ada.session());
        let copies: Vec<_> = (0..5).map(|_| victim.clone()).collect();
        let new = format!("{NEW} {round}");
        at_once(6, |number| match number {
            0 => browser.post(&path, &[("", ""); 0]).status,
            1 | 2 => copies[number - 1].post("/reauthenticate", &[("password", PASSWORD), ("next", "/")]).status,
            3 => {
                let wrong = [("current_password", "wrong"), ("new_password", new.as_str())];
                copies[number - 1].post("/profile/security/password", &wrong).status
            }
            _ => copies[number - 1].open(PAGE).status,
        });
        portal.flush();
        assert!(copies.iter().all(|copy| !copy.is_signed_in()), "what was ended stays ended");
        assert!(browser.is_signed_in());
        assert_eq!(portal.count("sessions"), 1);
        portal.sql("DELETE FROM sessions");
        // So that the wrong passwords of all rounds together do not count as guessing.
        portal.advance(60 * 60);
    }
}

fn a_password_is_not_changed_in_a_session_that_has_ended(portal: Portal) {
    let mut current = PASSWORD.to_owned();
    let ada = portal.user("ada");
    for round in 0..rounds() {
        let [browser, victim] = [portal.visitor(), portal.visitor()];
        browser.try_sign_in("ada", &current).with(303);
        victim.try_sign_in("ada", &current).with(303);
        let path = format!("/profile/security/sessions/{}/end", ada.session());
        let new = format!("{NEW} {round}");
        let fields = [("current_password", current.as_str()), ("new_password", new.as_str())];
        let statuses = at_once(2, |number| match number {
            0 => browser.post(&path, &[("", ""); 0]).status,
            _ => victim.post("/profile/security/password", &fields).status,
        });
        let changed = match statuses[..] {
            [303, 401] => false,
            [401, 303] => true,
            _ => panic!("either came first: {statuses:?}"),
        };
        assert_eq!((browser.is_signed_in(), victim.is_signed_in()), (!changed, changed));
        if changed {
            current = new;
        }
        portal.visitor().try_sign_in("ada", &current).with(303);
    }
}
