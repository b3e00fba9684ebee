//! `/profile/api-tokens/{id}/revocation`: the end of a token.

use crate::support::{Portal, at_once, on_both, rounds};

on_both![
    a_form_with_a_field_is_refused,
    a_revoked_token_fails_at_the_next_check,
    revoking_again_changes_nothing,
    an_expired_or_disabled_token_can_be_revoked,
    a_revoked_token_offers_nothing_more,
    the_page_says_what_will_break,
    twenty_at_once_revoke_it_once,
];

fn a_form_with_a_field_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("a field", || browser.post(&token.page("revocation"), &[("confirm", "yes")]).with(400));
    assert!(portal.accepts(&token.secret));
}

fn a_revoked_token_fails_at_the_next_check(portal: Portal) {
    let ada = portal.user("ada");
    let (token, other) = (portal.token(&ada, |_| {}), portal.token_named(&ada, "other"));
    let browser = ada.sign_in();
    let page = browser.page(&token.page("revocation"));
    assert_eq!(page.heading(), "Revoke “ci”?");
    page.says("It was never used.");
    let answer = browser.submit(&page.form("Revoke token"));
    assert!(!portal.accepts(&token.secret));
    assert!(portal.accepts(&other.secret));
    assert_eq!(answer.location(), "/profile/api-tokens");
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("Token “ci” was revoked."));
    page.says("1 of 5 tokens").says("Revoked (1)");
    assert!(portal.actions().contains(&"api_token.revoked".to_owned()));
}

fn revoking_again_changes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("revocation")).form("Revoke token");
    browser.submit(&form).with(303);
    portal.advance(60);
    portal.unchanged("revoking again", || browser.submit(&form).with(303));
    browser.open(&token.page("revocation")).with(409).page().says("The token is revoked now");
}

fn an_expired_or_disabled_token_can_be_revoked(portal: Portal) {
    let ada = portal.user("ada");
    let (expired, disabled) = (portal.token_named(&ada, "expired"), portal.token_named(&ada, "disabled"));
    portal.sql(&format!("UPDATE api_tokens SET expires_at = 1 WHERE id = '{}'", expired.id));
    portal.disable(&disabled);
    let browser = ada.sign_in();
    for token in [expired, disabled] {
        browser.submit(&browser.page(&token.page("revocation")).form("Revoke token")).with(303);
        browser.page(&token.path()).says("Revoked");
    }
    browser.page("/profile/api-tokens").says("0 of 5 tokens");
}

fn a_revoked_token_offers_nothing_more(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    portal.revoke(&token);
    let browser = ada.sign_in();
    let page = browser.page(&token.path());
    assert_eq!(page.heading(), "ci");
    assert_eq!(page.texts(".actions a"), [""; 0]);
    browser.open(&format!("/profile/api-tokens/new?recreates={}", token.id)).with(409);
}

fn the_page_says_what_will_break(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for (agent, times) in [("builder/1.0", 3), ("deployer/2.0", 1)] {
        for _ in 0..times {
            portal.advance(1);
            portal.request("GET", "/api/v1/me").bearer(&token.secret).header("user-agent", agent).send().with(200);
        }
    }
    portal.flush();
    let page = ada.sign_in().page(&token.page("revocation"));
    page.says("Last used 21 Nov 2026, 14:06 UTC just now from 127.0.0.1.");
    let rows: Vec<_> =
        page.rows().iter().map(|row| (row.cell("User agent").to_owned(), row.cell("Uses").to_owned())).collect();
    assert_eq!(rows, [("deployer/2.0".into(), "1".into()), ("builder/1.0".into(), "3".into())]);
}

fn twenty_at_once_revoke_it_once(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let token = portal.token(&ada, |_| {});
        let form = browser.page(&token.page("revocation")).form("Revoke token");
        let copies: Vec<_> = (0..20).map(|_| browser.clone()).collect();
        let statuses = at_once(20, |number| copies[number].submit(&form).status);
        assert_eq!(statuses, [303; 20]);
        assert_eq!(portal.actions().iter().filter(|action| *action == "api_token.revoked").count(), round + 1);
    }
}
