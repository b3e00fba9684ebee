//! `/profile/api-tokens/{id}/name`: only the name changes.

use crate::support::{Portal, at_once, on_both, rounds};

on_both![
    bad_names_are_refused_and_kept,
    the_name_of_another_token_is_refused_in_any_case,
    a_revoked_token_keeps_its_name,
    a_second_field_is_refused,
    the_name_changes_and_nothing_else,
    the_case_of_the_own_name_may_change,
    the_same_name_changes_nothing,
    an_expired_or_disabled_token_may_be_renamed,
    the_former_name_is_free,
    two_tokens_at_once_do_not_get_one_name,
];

fn bad_names_are_refused_and_kept(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("name")).form("Rename");
    for (name, reason) in [
        ("", "Name is empty."),
        (" \t ", "Name is empty."),
        (&"ä".repeat(101), "Name has 101 characters."),
        ("a\u{1b}[31mb", "Name holds a control or invisible character."),
        ("\u{202e}<b>", "Name holds a control or invisible character."),
    ] {
        let page = portal.unchanged("a refused name", || browser.refused(&form.clone().fill("Name", name)));
        assert!(page.error_at("Name").starts_with(reason), "{name:?}");
        assert_eq!(page.form("Rename").value("name"), name);
        assert_eq!(page.heading(), "Rename “ci”");
    }
}

fn the_name_of_another_token_is_refused_in_any_case(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    portal.token_named(&ada, "Ötzi");
    let browser = ada.sign_in();
    let form = browser.page(&token.page("name")).form("Rename");
    for name in ["Ötzi", "ÖTZI", " ötzi "] {
        let page = portal.unchanged("a taken name", || browser.refused(&form.clone().fill("Name", name)));
        assert_eq!(
            page.error_at("Name"),
            format!("A token named “{}” already exists. Choose another name.", name.trim())
        );
    }
}

fn a_revoked_token_keeps_its_name(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("name")).form("Rename");
    portal.revoke(&token);
    portal.unchanged("a revoked token", || {
        browser.submit(&form.fill("Name", "cd")).with(409).page().says("The token is revoked now");
        browser.open(&token.page("name")).with(409);
    });
}

fn a_second_field_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("a tampered form", || {
        browser.post(&token.page("name"), &[("name", "a"), ("name", "b")]).with(400);
        browser.post(&token.page("name"), &[("name", "a"), ("expiry", "never")]).with(400);
    });
}

fn the_name_changes_and_nothing_else(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("name")).form("Rename");
    assert_eq!(form.value("name"), "ci");
    let answer = browser.submit(&form.fill("Name", "  Köln & <b> "));
    assert_eq!(answer.location(), token.path());
    let page = browser.follow(answer);
    assert_eq!(page.heading(), "Köln & <b>");
    assert_eq!(page.notice().as_deref(), Some("Token “ci” was renamed to “Köln & <b>”."));
    assert_eq!(portal.api(&token.secret, "/api/v1/me").with(200).json()["name"], "Köln & <b>");
    assert!(portal.actions().contains(&"api_token.renamed".to_owned()));
    assert!(format!("{:?}", portal.dump()["events"]).contains("was “ci”"));
}

fn the_case_of_the_own_name_may_change(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    browser.post(&token.page("name"), &[("name", "CI")]).with(303);
    assert_eq!(browser.page(&token.path()).heading(), "CI");
}

fn the_same_name_changes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("the same name", || browser.post(&token.page("name"), &[("name", "ci")]).with(303));
}

fn an_expired_or_disabled_token_may_be_renamed(portal: Portal) {
    let ada = portal.user("ada");
    let (expired, disabled) = (portal.token_named(&ada, "expired"), portal.token_named(&ada, "disabled"));
    portal.sql(&format!("UPDATE api_tokens SET expires_at = 1 WHERE id = '{}'", expired.id));
    portal.disable(&disabled);
    let browser = ada.sign_in();
    for token in [expired, disabled] {
        let name = format!("new {}", token.id);
        browser.submit(&browser.page(&token.page("name")).form("Rename").fill("Name", &name)).with(303);
        assert_eq!(browser.page(&token.path()).heading(), name);
        assert!(!portal.accepts(&token.secret));
    }
}

fn the_former_name_is_free(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    browser.post(&token.page("name"), &[("name", "cd")]).with(303);
    browser.create(&browser.token_form("ci"));
}

fn two_tokens_at_once_do_not_get_one_name(portal: Portal) {
    let ada = portal.user("ada");
    let tokens = [portal.token_named(&ada, "a"), portal.token_named(&ada, "b")];
    for round in 0..rounds() {
        let browsers = [ada.sign_in(), ada.sign_in()];
        let name = format!("round {round}");
        let mut statuses =
            at_once(2, |number| browsers[number].post(&tokens[number].page("name"), &[("name", &name)]).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422]);
    }
}
