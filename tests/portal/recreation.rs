//! `/profile/api-tokens/new?recreates={id}`: a new token with the settings of one that no longer works.

use crate::support::form::Form;
use crate::support::{Browser, Portal, Token, at_once, on_both, rounds};

const DAY: i64 = 86_400;

on_both![
    who_can_access_many_repositories_types_their_names,
    a_token_that_works_or_is_revoked_cannot_be_recreated,
    another_users_token_cannot_be_recreated,
    a_token_enabled_meanwhile_stays,
    a_refused_form_still_recreates,
    the_form_has_the_settings_of_the_original,
    the_original_is_revoked_when_the_new_one_is_made,
    a_full_list_leaves_room_for_it,
    the_name_of_a_third_token_is_refused_and_the_original_stays,
    a_length_that_is_no_preset_becomes_a_date_as_far_away,
    repositories_that_cannot_be_seen_any_more_are_left_out,
    todays_policy_counts,
    a_link_may_change_the_settings,
    pressing_twice_makes_one,
    of_two_forms_at_once_one_wins,
];

fn disabled(portal: &Portal, ada: &crate::support::User<'_>, name: &str) -> Token {
    let token = portal.token_named(ada, name);
    portal.disable(&token);
    token
}

#[track_caller]
fn form_for(browser: &Browser<'_>, token: &Token) -> Form {
    browser.page(&format!("/profile/api-tokens/new?recreates={}", token.id)).form("Create Token")
}

fn a_token_that_works_or_is_revoked_cannot_be_recreated(portal: Portal) {
    let ada = portal.user("ada");
    let (active, revoked) = (portal.token_named(&ada, "active"), portal.token_named(&ada, "revoked"));
    portal.revoke(&revoked);
    let browser = ada.sign_in();
    portal.unchanged("what cannot be recreated", || {
        for (token, status) in [(&active, "active"), (&revoked, "revoked")] {
            let page = browser.open(&format!("/profile/api-tokens/new?recreates={}", token.id)).with(409).page();
            page.says(&format!("The token is {status} now"));
            let form = browser.token_form("new").and("recreates", &token.id.to_string());
            browser.submit(&form).with(409);
        }
    });
    assert!(portal.accepts(&active.secret));
}

fn another_users_token_cannot_be_recreated(portal: Portal) {
    let eve = portal.user("eve");
    let token = disabled(&portal, &eve, "secret plans");
    let browser = portal.user("ada").sign_in();
    portal.unchanged("another user's token", || {
        for id in [&token.id.to_string(), "1", "x", "%20"] {
            browser
                .open(&format!("/profile/api-tokens/new?recreates={id}"))
                .with(404)
                .page()
                .does_not_say("secret plans");
            browser.submit(&browser.token_form("ci").and("recreates", id)).with(404);
        }
    });
}

fn a_token_enabled_meanwhile_stays(portal: Portal) {
    let ada = portal.user("ada");
    let token = disabled(&portal, &ada, "ci");
    let browser = ada.sign_in();
    let form = form_for(&browser, &token);
    browser.submit(&browser.page(&token.page("enablement")).form("Enable token")).with(303);
    portal.unchanged("a token that works again", || browser.submit(&form).with(409));
    assert!(portal.accepts(&token.secret));
}

fn a_refused_form_still_recreates(portal: Portal) {
    let ada = portal.user("ada");
    let token = disabled(&portal, &ada, "ci");
    let browser = ada.sign_in();
    let form = form_for(&browser, &token).fill("Name", "");
    let page = portal.unchanged("a refused form", || browser.refused(&form));
    page.says("“ci” will be revoked when this one is created.");
    browser.create(&page.form("Create Token").fill("Name", "cd"));
    browser.page(&token.path()).says("Revoked");
}

fn the_form_has_the_settings_of_the_original(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    let browser = portal.user("ada").sign_in();
    let original = browser
        .token_form("Köln <1>")
        .choose("Expiry date", "30 days")
        .choose("Repositories", "Read and write")
        .choose("Account", "Read")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "beta");
    let (path, _) = browser.create(&original);
    browser.submit(&browser.page(&format!("{path}/disablement")).form("Disable token")).with(303);
    let link = browser.page(&path).link("Recreate with these settings").expect("it is offered");
    let page = browser.page(&link);
    page.says("“Köln <1>” will be revoked when this one is created.");
    let relevant = |form: &Form| -> Vec<(String, String)> {
        form.fields().into_iter().filter(|(name, _)| !["nonce", "recreates"].contains(&name.as_str())).collect()
    };
    let form = page.form("Create Token");
    assert_eq!(relevant(&form), relevant(&original));
    assert_ne!(form.value("nonce"), original.value("nonce"));
}

fn the_original_is_revoked_when_the_new_one_is_made(portal: Portal) {
    let ada = portal.user("ada");
    let expired = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(30 * DAY)));
    portal.advance(30 * DAY);
    let browser = ada.sign_in();
    let form = form_for(&browser, &expired);
    assert_eq!(form.chosen("Expiry date"), "30 days");
    browser.page(&expired.path()).says("Expired");
    let (path, secret) = browser.create(&form);
    assert!(portal.accepts(&secret) && !portal.accepts(&expired.secret));
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], portal.later(30 * DAY).for_machines().as_str());
    assert_ne!(path, expired.path());
    browser.page(&expired.path()).says("Revoked");
    browser.page("/profile/api-tokens").says("1 of 5 tokens").says("Revoked (1)");
}

fn a_full_list_leaves_room_for_it(portal: Portal) {
    let ada = portal.user("ada");
    for name in ["a", "b", "c", "d"] {
        portal.token_named(&ada, name);
    }
    let token = disabled(&portal, &ada, "e");
    let browser = ada.sign_in();
    browser.open("/profile/api-tokens/new").with(303);
    browser.create(&form_for(&browser, &token));
    browser.page("/profile/api-tokens").says("5 of 5 tokens");
    let another = portal.token_named(&ada, "f");
    portal.disable(&another);
    // Six of five, after the limit was lowered: even then one may be put in the place of another, but it stays too many.
    let form = form_for(&browser, &another);
    portal.unchanged("too many", || browser.refused(&form));
}

fn the_name_of_a_third_token_is_refused_and_the_original_stays(portal: Portal) {
    let ada = portal.user("ada");
    portal.token_named(&ada, "third");
    let token = disabled(&portal, &ada, "ci");
    let browser = ada.sign_in();
    let form = form_for(&browser, &token).fill("Name", "Third");
    let page = portal.unchanged("a taken name", || browser.refused(&form));
    assert_eq!(page.error_at("Name"), "A token named “Third” already exists. Choose another name.");
    browser.page(&token.path()).says("Disabled");
}

fn a_length_that_is_no_preset_becomes_a_date_as_far_away(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = Some(portal.later(20 * DAY)));
    portal.advance(25 * DAY);
    let form = form_for(&ada.sign_in(), &token);
    assert_eq!((form.chosen("Expiry date").as_str(), form.value("expires_on").as_str()), ("Custom date", "2027-01-05"));
}

fn repositories_that_cannot_be_seen_any_more_are_left_out(portal: Portal) {
    let ids = [portal.repository("alpha"), portal.repository("beta")];
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.repositories = tokenhouse::domain::api_token::RepositorySelection::Selected(ids.to_vec());
    });
    portal.disable(&token);
    ada.strip();
    portal.role("api", &[tokenhouse::domain::privilege::Privilege::ApiAccess]);
    ada.add_role("api");
    ada.grant(ids[1], tokenhouse::domain::permission::Permission::Read);
    let browser = ada.sign_in();
    let form = form_for(&browser, &token);
    assert_eq!(form.choices("Only selected repositories"), [("beta".to_owned(), true)]);
    browser.create(&form);
}

fn todays_policy_counts(portal: Portal) {
    let ada = portal.user("ada");
    let endless = portal.token(&ada, |wish| wish.expires_at = None);
    let long = portal.token_named(&ada, "long");
    portal.disable(&endless);
    portal.disable(&long);
    let browser = ada.sign_in();
    assert_eq!(form_for(&browser, &endless).chosen("Expiry date"), "No expiry");
    assert_eq!(form_for(&browser, &long).chosen("Expiry date"), "90 days");
    portal.set_policy("max_lifetime_days", "60");
    for token in [endless, long] {
        let form = form_for(&browser, &token);
        assert_eq!(form.chosen("Expiry date"), "60 days");
        browser.create(&form);
    }
}

fn a_link_may_change_the_settings(portal: Portal) {
    let ada = portal.user("ada");
    let token = disabled(&portal, &ada, "ci");
    let browser = ada.sign_in();
    let path = format!("/profile/api-tokens/new?recreates={}&name=cd&expiry=7", token.id);
    let form = browser.page(&path).form("Create Token");
    assert_eq!((form.value("name").as_str(), form.value("expiry").as_str()), ("cd", "7"));
    assert_eq!(form.value("recreates"), token.id.to_string());
}

fn pressing_twice_makes_one(portal: Portal) {
    let ada = portal.user("ada");
    let token = disabled(&portal, &ada, "ci");
    let browser = ada.sign_in();
    let form = form_for(&browser, &token);
    let (path, _) = browser.create(&form);
    portal.unchanged("the same form again", || assert_eq!(browser.submit(&form).location(), path));
}

fn of_two_forms_at_once_one_wins(portal: Portal) {
    portal.set_policy("max_api_tokens", "1000");
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let token = disabled(&portal, &ada, &format!("round {round}"));
        let forms = [0, 1].map(|_| (browser.clone(), form_for(&browser, &token)));
        let mut statuses = at_once(2, |number| forms[number].0.submit(&forms[number].1).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
        browser.page("/profile/api-tokens").says(&format!("{} of 1000 tokens", round + 1));
    }
}

fn who_can_access_many_repositories_types_their_names(portal: Portal) {
    for number in 0..110 {
        portal.repository(&format!("r{number:03}"));
    }
    let browser = portal.user("ada").sign_in();
    let page = browser.page("/profile/api-tokens/new");
    assert!(page.answer.body.len() < 16_000, "{} bytes", page.answer.body.len());
    let form = page.form("Create Token").fill("Name", "many").choose("Repositories", "Only selected repositories");
    let label = "Names of the repositories";
    for (typed, sentence) in [
        ("", "Select at least one repository, or choose all of them."),
        ("r001, nothing r002", "There is no repository “nothing” that you can access. Check its name."),
    ] {
        let page = browser.refused(&form.clone().fill(label, typed));
        assert_eq!(page.error_at(label), sentence);
    }
    let page = browser.refused(&form.clone().fill(label, "r001, nothing"));
    assert_eq!(page.form("Create Token").value("repositories"), "r001 nothing", "what was typed stays");
    browser.submit(&form.clone().fill(label, &"r001 ".repeat(1_001))).with(400);
    let (path, secret) = browser.create(&form.fill(label, "r101,r001  r002, r001"));
    let names = portal.api(&secret, "/api/v1/me").with(200).json();
    assert_eq!(names["repositories"]["names"], serde_json::json!(["r001", "r002", "r101"]));
    browser.submit(&browser.page(&format!("{path}/disablement")).form("Disable token")).with(303);
    let id = path.rsplit('/').next().expect("an id");
    let again = browser.page(&format!("/profile/api-tokens/new?recreates={id}")).form("Create Token");
    assert_eq!(again.value("repositories"), "r001 r002 r101");
    let linked =
        browser.page("/profile/api-tokens/new?repositories=r003&repositories=r004&repository_selection=selected");
    assert_eq!(linked.form("Create Token").value("repositories"), "r003 r004");
}
