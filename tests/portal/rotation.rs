//! `/profile/api-tokens/{id}/rotation`: a new secret, and the end of the old one.

use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permission;

use crate::support::{Browser, Portal, Token, at_once, on_both, rounds};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

on_both![
    an_older_page_is_told_that_somebody_was_first,
    what_does_not_work_cannot_be_rotated,
    a_grace_that_is_not_offered_is_refused,
    an_incomplete_form_is_refused,
    the_nonce_of_another_token_is_refused,
    at_once_means_at_the_next_check,
    an_old_secret_works_until_its_moment_and_not_a_second_longer,
    an_old_secret_never_outlives_its_own_expiry,
    at_once_ends_the_secrets_that_still_had_time,
    a_second_rotation_gives_no_old_secret_more_time,
    a_replaced_secret_fails_with_its_token,
    name_permissions_and_repositories_stay,
    the_length_stays_and_counts_from_now,
    a_token_without_expiry_stays_without,
    todays_policy_limits_the_new_length,
    the_policy_limits_the_graces,
    the_page_names_the_callers_and_the_new_end,
    pressing_twice_rotates_once,
    of_twenty_pages_at_once_one_wins,
    a_revocation_at_once_leaves_no_secret_alive,
];

/// Rotates the token as a person does, and returns the new secret.
#[track_caller]
fn rotate(browser: &Browser<'_>, token: &Token, grace: &str) -> String {
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    let answer = browser.submit(&form.choose("Old token stops working", grace));
    assert_eq!(answer.location(), token.path());
    browser.follow(answer).secret().expect("the new one is shown")
}

fn an_older_page_is_told_that_somebody_was_first(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let (browser, other) = (ada.sign_in(), ada.sign_in());
    let older = other.page(&token.page("rotation")).form("Rotate token");
    let secret = rotate(&browser, &token, "at once");
    portal.unchanged("an older page", || {
        let page = other.submit(&older).with(409).page();
        page.says("The token was changed after this page was loaded.");
    });
    assert!(portal.accepts(&secret));
}

fn what_does_not_work_cannot_be_rotated(portal: Portal) {
    let ada = portal.user("ada");
    let tokens = ["expired", "disabled", "revoked"].map(|name| portal.token_named(&ada, name));
    let browser = ada.sign_in();
    let forms = tokens.clone().map(|token| browser.page(&token.page("rotation")).form("Rotate token"));
    portal.sql(&format!("UPDATE api_tokens SET expires_at = {} WHERE name = 'expired'", portal.now().unix()));
    portal.disable(&tokens[1]);
    portal.revoke(&tokens[2]);
    portal.unchanged("what does not work", || {
        for ((token, form), status) in tokens.iter().zip(&forms).zip(["expired", "disabled", "revoked"]) {
            let sentence = format!("The token is {status} now, so this can no longer be done.");
            browser.submit(form).with(409).page().says(&sentence);
            browser.open(&token.page("rotation")).with(409).page().says(&sentence);
        }
    });
}

fn a_grace_that_is_not_offered_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    portal.unchanged("an unknown grace", || {
        for grace in ["", "2h", "NOW", "-1", "7d ", "forever"] {
            let page = browser.refused(&form.clone().tampered("grace", grace));
            assert_eq!(page.error_at("Old token stops working"), "Choose when the old token stops working.");
            let again = page.form("Rotate token");
            assert_eq!(again.value("nonce"), form.value("nonce"));
            assert_eq!(again.value("replaces"), form.value("replaces"));
        }
        browser.refused(&form.clone().without("grace"));
    });
    assert!(portal.accepts(&token.secret));
}

fn an_incomplete_form_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    portal.unchanged("an incomplete form", || {
        for field in ["nonce", "replaces"] {
            browser.submit(&form.clone().without(field)).with(400);
            browser.submit(&form.clone().tampered(field, "x")).with(400);
            let value = form.value(field);
            browser.submit(&form.clone().and(field, &value)).with(400);
        }
        browser.submit(&form.clone().and("expires_on", "2030-01-01")).with(400);
        let unknown = "2";
        browser.submit(&form.clone().tampered("replaces", unknown)).with(409);
    });
}

fn the_nonce_of_another_token_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let (first, second) = (portal.token_named(&ada, "a"), portal.token_named(&ada, "b"));
    let eve = portal.user("eve");
    let foreign = portal.token(&eve, |_| {});
    let (browser, other) = (ada.sign_in(), eve.sign_in());
    let used = browser.page(&first.page("rotation")).form("Rotate token");
    browser.submit(&used).with(303);
    let form = browser.page(&second.page("rotation")).form("Rotate token").tampered("nonce", &used.value("nonce"));
    let foreign = other.page(&foreign.page("rotation")).form("Rotate token").tampered("nonce", &used.value("nonce"));
    portal.unchanged("a used nonce", || {
        browser.submit(&form).with(409);
        other.submit(&foreign).with(409);
    });
}

fn at_once_means_at_the_next_check(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    assert_eq!(browser.page(&token.page("rotation")).form("Rotate token").chosen("Old token stops working"), "at once");
    let secret = rotate(&browser, &token, "at once");
    assert!(!portal.accepts(&token.secret));
    assert!(portal.accepts(&secret));
    let details = browser.page(&token.path());
    assert_eq!(details.definition("Token"), format!("{}… This token can no longer be shown.", &secret[..10]));
    assert!(!details.texts("dt").contains(&"Replaced".to_owned()));
}

fn an_old_secret_works_until_its_moment_and_not_a_second_longer(portal: Portal) {
    let ada = portal.user("ada");
    for (grace, seconds) in [("after 1 hour", HOUR), ("after 24 hours", DAY), ("after 7 days", 7 * DAY)] {
        let token = portal.token_named(&ada, grace);
        portal.advance(1);
        let browser = ada.sign_in();
        let form = browser.page(&token.page("rotation")).form("Rotate token").choose("Old token stops working", grace);
        let page = browser.follow(browser.submit(&form));
        let ends = portal.later(seconds).for_people();
        let hint = &token.secret[..10];
        page.says(&format!("The old token {hint}… still works until {ends}. Then it stops."));
        let secret = page.secret().expect("it is shown");
        assert!(
            browser
                .page(&token.path())
                .definition("Replaced")
                .starts_with(&format!("{hint}… still works until {ends}"))
        );
        let status = || {
            let rows = ada.sign_in().page("/profile/api-tokens").rows();
            rows.into_iter().find(|row| row.cell("Name") == grace).expect("its row").cell("Status").to_owned()
        };
        assert_eq!(status(), format!("Active Replaced Old token works until {ends}"));
        assert!(portal.accepts(&token.secret) && portal.accepts(&secret));
        portal.advance(seconds - 1);
        assert!(portal.accepts(&token.secret));
        portal.advance(1);
        assert!(!portal.accepts(&token.secret));
        assert_eq!(status(), "Active");
        assert!(portal.accepts(&secret));
    }
}

fn an_old_secret_never_outlives_its_own_expiry(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(2 * DAY)));
    let secret = rotate(&ada.sign_in(), &token, "after 7 days");
    portal.advance(2 * DAY - 1);
    assert!(portal.accepts(&token.secret));
    portal.advance(1);
    assert!(!portal.accepts(&token.secret));
    // Its length was two days, counted from the rotation.
    assert!(!portal.accepts(&secret));
}

fn at_once_ends_the_secrets_that_still_had_time(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let second = rotate(&browser, &token, "after 7 days");
    let third = rotate(&browser, &token, "at once");
    assert!(!portal.accepts(&token.secret) && !portal.accepts(&second));
    assert!(portal.accepts(&third));
}

fn a_second_rotation_gives_no_old_secret_more_time(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let second = rotate(&browser, &token, "after 1 hour");
    let third = rotate(&browser, &token, "after 24 hours");
    assert_eq!(browser.page(&token.path()).texts("dd li code").len(), 2);
    portal.advance(HOUR);
    assert!(!portal.accepts(&token.secret));
    assert!(portal.accepts(&second) && portal.accepts(&third));
    portal.advance(DAY - HOUR);
    assert!(!portal.accepts(&second));
    assert!(portal.accepts(&third));
}

fn a_replaced_secret_fails_with_its_token(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let secret = rotate(&browser, &token, "after 7 days");
    portal.disable(&token);
    assert!(!portal.accepts(&token.secret) && !portal.accepts(&secret));
    browser.submit(&browser.page(&token.page("enablement")).form("Enable token")).with(303);
    assert!(portal.accepts(&token.secret) && portal.accepts(&secret));
    portal.revoke(&token);
    assert!(!portal.accepts(&token.secret) && !portal.accepts(&secret));
}

fn name_permissions_and_repositories_stay(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser
        .token_form("Köln")
        .choose("Repositories", "Read and write")
        .choose("Account", "Read")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "beta");
    let (path, secret) = browser.create(&form);
    let before = portal.api(&secret, "/api/v1/me").json();
    let form = browser.page(&format!("{path}/rotation")).form("Rotate token");
    let secret = browser.follow(browser.submit(&form)).secret().expect("it is shown");
    assert_eq!(portal.api(&secret, "/api/v1/me").json(), before);
    assert_eq!(portal.count("api_tokens"), 1);
    assert!(portal.actions().contains(&"api_token.rotated".to_owned()));
}

fn the_length_stays_and_counts_from_now(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(30 * DAY)));
    portal.advance(20 * DAY);
    let browser = ada.sign_in();
    let secret = rotate(&browser, &token, "at once");
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], portal.later(30 * DAY).for_machines().as_str());
    portal.advance(29 * DAY);
    let secret = rotate(&ada.sign_in(), &token, "at once");
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], portal.later(30 * DAY).for_machines().as_str());
}

fn a_token_without_expiry_stays_without(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = None);
    let browser = ada.sign_in();
    browser.page(&token.page("rotation")).says("The new token does not expire.");
    let secret = rotate(&browser, &token, "after 7 days");
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], serde_json::Value::Null);
    portal.advance(7 * DAY);
    assert!(!portal.accepts(&token.secret));
}

fn todays_policy_limits_the_new_length(portal: Portal) {
    let ada = portal.user("ada");
    let long = portal.token_named(&ada, "long");
    let endless = portal.token(&ada, |wish| wish.expires_at = None);
    let browser = ada.sign_in();
    portal.set_policy("no_expiry_allowed", "false");
    let secret = rotate(&browser, &endless, "at once");
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], portal.later(365 * DAY).for_machines().as_str());
    portal.set_policy("max_lifetime_days", "30");
    for token in [long, endless] {
        let secret = rotate(&browser, &token, "at once");
        assert_eq!(
            portal.api(&secret, "/api/v1/me").json()["expires_at"],
            portal.later(30 * DAY).for_machines().as_str()
        );
    }
}

fn the_policy_limits_the_graces(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form =
        browser.page(&token.page("rotation")).form("Rotate token").choose("Old token stops working", "after 7 days");
    portal.set_policy("graces", "[\"1h\",\"24h\"]");
    let page = portal.unchanged("a grace that is gone", || browser.refused(&form));
    let offered = page.form("Rotate token").choices("Old token stops working");
    assert_eq!(offered.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["after 1 hour", "after 24 hours"]);
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    assert_eq!(form.chosen("Old token stops working"), "after 1 hour");
}

fn the_page_names_the_callers_and_the_new_end(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.permissions.account = Permission::Read);
    let browser = ada.sign_in();
    let page = browser.page(&token.page("rotation"));
    page.says("Nothing has used this token yet.").says("The new token expires 19 Feb 2027, 14:06 UTC");
    let ask = portal.request("GET", "/api/v1/me").bearer(&token.secret);
    ask.header("user-agent", "<b>builder/1.0</b>").at("203.0.113.7").send().with(200);
    portal.flush();
    let page = browser.page(&token.page("rotation"));
    let row = &page.rows()[0];
    assert_eq!(
        (row.cell("Address"), row.cell("User agent"), row.cell("Uses")),
        ("203.0.113.7", "<b>builder/1.0</b>", "1")
    );
}

fn pressing_twice_rotates_once(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    let secret = browser.follow(browser.submit(&form)).secret().expect("it is shown");
    portal.unchanged("the same form again", || assert_eq!(browser.submit(&form).location(), token.path()));
    assert!(portal.accepts(&secret));
    assert_eq!(portal.count("api_token_secrets"), 2);
}

fn of_twenty_pages_at_once_one_wins(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let pages: Vec<_> =
            (0..20).map(|_| (browser.clone(), browser.page(&token.page("rotation")).form("Rotate token"))).collect();
        let mut statuses = at_once(20, |number| pages[number].0.submit(&pages[number].1).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [&[303][..], &[409; 19]].concat());
        assert_eq!(portal.count("api_token_secrets"), 2 + round);
        assert!(browser.page(&token.path()).secret().is_some_and(|secret| portal.accepts(&secret)));
    }
}

fn a_revocation_at_once_leaves_no_secret_alive(portal: Portal) {
    portal.set_policy("max_api_tokens", "1000");
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let token = portal.token(&ada, |wish| wish.name = TokenName::parse(&format!("{round}")).expect("a name"));
        let rotation = browser.page(&token.page("rotation")).form("Rotate token");
        let rotation = rotation.choose("Old token stops working", "after 7 days");
        let revocation = browser.page(&token.page("revocation")).form("Revoke token");
        let copies = [browser.clone(), browser.clone()];
        let statuses = at_once(2, |number| copies[number].submit([&rotation, &revocation][number]).status);
        assert!(matches!(statuses[..], [303 | 409, 303]), "{statuses:?}");
        assert!(!portal.accepts(&token.secret));
        assert_eq!(portal.count("reveals"), 0, "a secret that is dead is not shown");
        let living =
            portal.dump()["api_token_secrets"].iter().filter(|row| row.contains(&token.id.to_string())).count();
        assert!(living <= 2);
        browser.page(&token.path()).says("Revoked");
    }
}
