//! `/admin/policies`: the limits for all tokens.

use tokenhouse::domain::privilege::Privilege;

use crate::support::{Browser, PASSWORD, Portal, at_once, on_both};

on_both![
    policies_are_for_system_managers_only,
    every_wrong_field_is_told_and_nothing_is_saved,
    nothing_and_nonsense_in_the_choices_is_refused,
    a_form_sent_too_late_comes_back_with_all_that_was_typed,
    a_privilege_taken_away_in_mid_session_counts,
    what_is_saved_is_shown_again_and_is_an_event,
    saving_what_holds_already_changes_nothing,
    policies_hold_for_what_is_made_from_now_on,
    of_two_at_once_the_later_one_wins_whole,
];

const PAGE: &str = "/admin/policies";
const SAVE: &str = "Save policies";
const LIFETIME: &str = "Maximum lifetime of API tokens";
const MOST: &str = "Most API tokens of a user";
const GRACES: &str = "Old token stops working";

/// A browser of somebody who may set policies, and nothing else.
fn manager<'p>(portal: &'p Portal, username: &'static str) -> Browser<'p> {
    portal.role(username, &[Privilege::SystemManagement]);
    portal.user_with(username, username).sign_in()
}

/// The graces that are ticked.
fn ticked(form: &crate::support::form::Form) -> Vec<String> {
    form.choices(GRACES).into_iter().filter(|(_, on)| *on).map(|(label, _)| label).collect()
}

fn policies_are_for_system_managers_only(portal: Portal) {
    let manager = manager(&portal, "sys");
    let form = manager.page(PAGE).form(SAVE).fill(LIFETIME, "30");
    portal.role(
        "all-but-system",
        &Privilege::ALL.into_iter().filter(|one| *one != Privilege::SystemManagement).collect::<Vec<_>>(),
    );
    let others = portal.user_with("eve", "all-but-system").sign_in();
    let visitor = portal.visitor();
    portal.unchanged("somebody else", || {
        others.open(PAGE).with(403).page().says("This needs the privilege System Management");
        others.submit(&form).with(403);
        visitor.open(PAGE).with(303);
        visitor.submit(&form).with(401);
    });
    assert_eq!(others.page("/profile").link("Policies"), None);
    let page = manager.page("/profile");
    let first = page.link("Administration").expect("a part of Administration is theirs");
    assert_eq!(first, "/admin/services", "it is all of Administration that this user sees, with this page");
    assert_eq!(manager.page(&first).link("Policies").as_deref(), Some(PAGE));
}

fn every_wrong_field_is_told_and_nothing_is_saved(portal: Portal) {
    let browser = manager(&portal, "sys");
    let form = browser.page(PAGE).form(SAVE);
    for (lifetime, most) in
        [("0", "0"), ("3651", "101"), ("-1", "+1"), ("1.5", "many"), ("99999999999999999999", "1 2")]
    {
        let typed = form.clone().fill(LIFETIME, lifetime).fill(MOST, most).without("graces");
        let page = portal.unchanged("wrong fields", || browser.refused(&typed));
        assert!(page.error_at(LIFETIME).starts_with("Maximum lifetime must be a whole number of days from 1 to 3650."));
        assert!(page.error_at(MOST).starts_with("Most API tokens must be a whole number from 1 to 100."));
        assert!(page.error_at(GRACES).starts_with("Choose at least one moment"));
        let again = page.form(SAVE);
        assert_eq!(
            (again.value("max_lifetime_days").as_str(), again.value("max_api_tokens").as_str()),
            (lifetime, most)
        );
        assert!(ticked(&again).is_empty());
    }
}

fn nothing_and_nonsense_in_the_choices_is_refused(portal: Portal) {
    let browser = manager(&portal, "sys");
    let form = browser.page(PAGE).form(SAVE);
    for (field, label) in [
        ("no_expiry_allowed", "API tokens without expiry"),
        ("graces", GRACES),
        ("repository_tokens", "Repository tokens"),
    ] {
        for typed in
            [form.clone().without(field), form.clone().tampered(field, "maybe"), form.clone().tampered(field, "")]
        {
            let page = portal.unchanged("nonsense", || browser.refused(&typed));
            assert!(page.error_at(label).starts_with("Choose "), "{label}");
        }
    }
    portal.unchanged("doubled and unknown fields", || {
        browser.submit(&form.clone().and("no_expiry_allowed", "no")).with(400);
        browser.submit(&form.clone().and("revision", "1")).with(400);
        browser.refused(&form.clone().and("graces", "30d"));
    });
}

fn a_form_sent_too_late_comes_back_with_all_that_was_typed(portal: Portal) {
    let browser = manager(&portal, "sys");
    let form = browser.page(PAGE).form(SAVE);
    assert!(!form.has_field("Password"));
    portal.advance(20 * 60);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(10 * 60);
    assert!(browser.page(PAGE).form(SAVE).has_field("Password"), "looking needs no password, saving does");
    let typed = form.fill(LIFETIME, "90").choose("Repository tokens", "Are shown only once").without("graces");
    let typed = typed.and("graces", "7d").and("graces", "now");
    let page = portal.unchanged("a stale form", || browser.refused(&typed));
    assert_eq!(page.error_at("Password"), "Enter your password to go on.");
    let again = page.form(SAVE);
    assert_eq!((again.value("max_lifetime_days").as_str(), again.value("repository_tokens").as_str()), ("90", "once"));
    assert_eq!(ticked(&again), ["at once", "after 7 days"]);
    let page = browser.refused(&again.clone().fill("Password", "wrong"));
    assert_eq!(page.error_at("Password"), "The password is wrong. Enter it again.");
    browser.submit(&again.fill("Password", PASSWORD)).with(303);
    assert_eq!(browser.page(PAGE).form(SAVE).value("max_lifetime_days"), "90");
}

fn a_privilege_taken_away_in_mid_session_counts(portal: Portal) {
    let browser = manager(&portal, "sys");
    let form = browser.page(PAGE).form(SAVE).fill(LIFETIME, "30");
    portal.sql("DELETE FROM user_roles");
    portal.unchanged("without the privilege", || browser.submit(&form).with(403));
}

fn what_is_saved_is_shown_again_and_is_an_event(portal: Portal) {
    let browser = manager(&portal, "sys");
    let page = browser.page(PAGE);
    assert_eq!(page.heading(), "Administration");
    let form = page.form(SAVE);
    assert_eq!((form.value("max_lifetime_days").as_str(), form.value("max_api_tokens").as_str()), ("", ""));
    assert_eq!(form.chosen("API tokens without expiry"), "Allowed");
    assert_eq!(ticked(&form), ["at once", "after 1 hour", "after 24 hours", "after 7 days"]);
    assert_eq!(form.chosen("Repository tokens"), "Can be shown again");
    let form = form
        .fill(LIFETIME, " 365 ")
        .choose("API tokens without expiry", "Not allowed")
        .fill(MOST, "3")
        .without("graces")
        .and("graces", "24h")
        .and("graces", "now")
        .choose("Repository tokens", "Are shown only once");
    let answer = browser.submit(&form);
    assert_eq!(answer.location(), PAGE);
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("The policies were saved."));
    let form = page.form(SAVE);
    assert_eq!((form.value("max_lifetime_days").as_str(), form.value("max_api_tokens").as_str()), ("365", "3"));
    assert_eq!(form.chosen("API tokens without expiry"), "Not allowed");
    assert_eq!(ticked(&form), ["at once", "after 24 hours"], "in their own order");
    assert_eq!(form.chosen("Repository tokens"), "Are shown only once");
    let events =
        portal.dump()["events"].iter().filter(|row| row.contains("policies.changed")).cloned().collect::<Vec<_>>();
    assert_eq!(events.len(), 1);
    for words in [
        "maximum lifetime: 365 days, was none",
        "without expiry: not allowed, was allowed",
        "most API tokens: 3, was the program",
        "repository tokens: shown once, was shown again",
    ] {
        assert!(events[0].contains(words), "{words} is not in {events:?}");
    }
}

fn saving_what_holds_already_changes_nothing(portal: Portal) {
    let browser = manager(&portal, "sys");
    let form = browser.page(PAGE).form(SAVE);
    let answer = portal.unchanged("the same", || browser.submit(&form));
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("The policies were like this already; nothing was changed."));
}

fn policies_hold_for_what_is_made_from_now_on(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = None);
    let (browser, manager) = (ada.sign_in(), manager(&portal, "sys"));
    let form = manager.page(PAGE).form(SAVE).fill(LIFETIME, "30").fill(MOST, "1").without("graces").and("graces", "1h");
    manager.submit(&form).with(303);
    assert!(portal.accepts(&token.secret));
    assert_eq!(browser.page(&token.path()).definition("Expires"), "Never", "until it is rotated or recreated");
    let rotation = browser.page(&token.page("rotation")).form("Rotate token");
    assert_eq!(rotation.choices(GRACES), [("after 1 hour".to_owned(), true)]);
    let page = browser.page("/profile/api-tokens");
    page.says("1 of 1 tokens");
    browser.submit(&rotation).with(303);
    browser.page(&token.path());
    assert!(browser.page(&token.path()).definition("Expires").contains("21 Dec 2026"));
    manager.submit(&form.fill(MOST, "")).with(303);
    let expiries = browser.page("/profile/api-tokens/new").form("Create Token").choices("Expiry date");
    assert!(!expiries.iter().any(|(label, _)| label == "No expiry" || label == "60 days"), "{expiries:?}");
}

fn of_two_at_once_the_later_one_wins_whole(portal: Portal) {
    let (sys, root) = (manager(&portal, "sys"), manager(&portal, "root"));
    let forms = [&sys, &root].map(|browser| browser.page(PAGE).form(SAVE));
    let forms =
        [forms[0].clone().fill(LIFETIME, "30").fill(MOST, "3"), forms[1].clone().fill(LIFETIME, "60").fill(MOST, "6")];
    let statuses = at_once(2, |number| [&sys, &root][number].submit(&forms[number]).status);
    assert_eq!(statuses, [303, 303]);
    let form = sys.page(PAGE).form(SAVE);
    let saved = (form.value("max_lifetime_days"), form.value("max_api_tokens"));
    assert!([("30", "3"), ("60", "6")].contains(&(&saved.0, &saved.1)), "{saved:?}");
    assert_eq!(portal.actions().iter().filter(|action| *action == "policies.changed").count(), 2);
}
