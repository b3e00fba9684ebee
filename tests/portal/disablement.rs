//! `/profile/api-tokens/{id}/disablement` and `/enablement`: a token that rests.

use crate::support::{Portal, at_once, on_both, rounds};

const DAY: i64 = 86_400;

on_both![
    an_expired_or_revoked_token_can_be_neither_disabled_nor_enabled,
    a_form_with_a_field_is_refused,
    a_disabled_token_fails_at_the_next_check,
    disabling_again_changes_nothing,
    enabling_what_works_changes_nothing,
    an_enabled_token_is_the_same_as_before,
    a_disabled_token_expires_all_the_same,
    disabling_and_enabling_at_once_ends_in_one_of_both,
];

fn an_expired_or_revoked_token_can_be_neither_disabled_nor_enabled(portal: Portal) {
    let ada = portal.user("ada");
    let expired = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(DAY)));
    let revoked = portal.token_named(&ada, "revoked");
    let both = portal.token_named(&ada, "disabled and revoked");
    portal.disable(&both);
    portal.revoke(&both);
    portal.revoke(&revoked);
    portal.advance(DAY);
    let browser = ada.sign_in();
    portal.unchanged("what has ended", || {
        for (token, status) in [(&expired, "expired"), (&revoked, "revoked"), (&both, "revoked")] {
            for page in ["disablement", "enablement"] {
                let sentence = format!("The token is {status} now");
                browser.open(&token.page(page)).with(409).page().says(&sentence);
                browser.post(&token.page(page), &[("", ""); 0]).with(409).page().says(&sentence);
            }
        }
    });
}

fn a_form_with_a_field_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("a field", || {
        browser.post(&token.page("disablement"), &[("id", "x")]).with(400);
        browser.post(&token.page("enablement"), &[("id", "x")]).with(400);
    });
}

fn a_disabled_token_fails_at_the_next_check(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    assert!(portal.accepts(&token.secret));
    let page = browser.page(&token.page("disablement"));
    assert_eq!(page.heading(), "Disable “ci”?");
    let answer = browser.submit(&page.form("Disable token"));
    assert!(!portal.accepts(&token.secret));
    let page = browser.follow(answer);
    assert_eq!(page.notice().as_deref(), Some("Token “ci” was disabled."));
    page.says("Disabled");
    assert!(portal.actions().contains(&"api_token.disabled".to_owned()));
}

fn disabling_again_changes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("disablement")).form("Disable token");
    browser.submit(&form).with(303);
    portal.advance(60);
    portal.unchanged("disabling again", || browser.submit(&form).with(303));
    browser.open(&token.page("disablement")).with(409);
}

fn enabling_what_works_changes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    portal.unchanged("enabling what works", || {
        browser.open(&token.page("enablement")).with(409).page().says("The token is active now");
        browser.post(&token.page("enablement"), &[("", ""); 0]).with(303);
    });
}

fn an_enabled_token_is_the_same_as_before(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let before = portal.api(&token.secret, "/api/v1/me").json();
    portal.disable(&token);
    let browser = ada.sign_in();
    let page = browser.follow(browser.submit(&browser.page(&token.page("enablement")).form("Enable token")));
    assert_eq!(page.notice().as_deref(), Some("Token “ci” was enabled."));
    assert_eq!(page.secret(), None, "an old secret is not shown again");
    assert_eq!(portal.api(&token.secret, "/api/v1/me").with(200).json(), before);
    assert!(portal.actions().contains(&"api_token.enabled".to_owned()));
}

fn a_disabled_token_expires_all_the_same(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(60)));
    let browser = ada.sign_in();
    portal.disable(&token);
    let form = browser.page(&token.page("enablement")).form("Enable token");
    portal.advance(60);
    browser.submit(&form).with(409);
    assert!(!portal.accepts(&token.secret));
}

fn disabling_and_enabling_at_once_ends_in_one_of_both(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    for _ in 0..rounds() {
        let copies: Vec<_> = (0..8).map(|_| browser.clone()).collect();
        let statuses = at_once(8, |number| {
            let page = ["disablement", "enablement"][number % 2];
            copies[number].post(&token.page(page), &[("", ""); 0]).status
        });
        assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
        let disabled = browser.page(&token.path()).texts(".badge").concat() == "Disabled";
        assert_eq!(portal.accepts(&token.secret), !disabled);
    }
}
