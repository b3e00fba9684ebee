//! `/profile/api-tokens/new`: Generate New Token.

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::form::Form;
use crate::support::page::Page;
use crate::support::{Browser, Portal, on_both};

const DAY: i64 = 86_400;

on_both![
    bad_names_are_refused,
    a_name_is_unique_without_regard_to_case,
    the_name_of_a_revoked_token_and_of_another_users_is_free,
    names_of_a_hundred_characters_are_taken,
    bad_dates_are_refused,
    the_first_and_the_last_possible_day_are_taken,
    bad_expiries_are_refused,
    bad_permissions_are_refused,
    administration_is_only_for_who_administers,
    bad_repositories_are_refused,
    unknown_and_doubled_fields_are_refused,
    a_form_without_its_nonce_is_refused,
    a_nonce_of_another_users_token_is_refused,
    all_errors_are_told_at_once_and_everything_typed_is_kept,
    a_sixth_token_is_refused,
    disabled_and_expired_tokens_count_and_revoked_ones_do_not,
    the_policy_limits_the_number,
    the_policy_limits_the_lifetime,
    the_policy_asks_for_an_expiry,
    the_form_starts_with_what_is_suggested,
    the_suggested_name_is_free,
    a_link_fills_the_form_in_and_makes_nothing,
    a_link_with_nonsense_is_a_form_that_can_be_put_right,
    a_preset_lasts_its_days_to_the_second,
    a_custom_date_lasts_to_the_end_of_the_day,
    no_expiry_is_no_expiry,
    a_token_may_be_limited_to_repositories,
    a_token_may_have_no_permission_at_all,
    pressing_twice_makes_one_token,
    the_secret_is_not_in_the_database,
    a_token_of_a_certain_form_comes_out,
];

/// Submits a form that must be refused, and without a trace.
#[track_caller]
fn refused(browser: &Browser<'_>, form: &Form) -> Page {
    let page = browser.portal.unchanged("a refused form", || browser.refused(form));
    assert_eq!(page.heading(), "Generate New Token");
    page
}

fn bad_names_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("");
    for (name, reason) in [
        (String::new(), "Name is empty. Enter 1 to 100 characters."),
        ("   ".into(), "Name is empty. Enter 1 to 100 characters."),
        ("\u{3000}\u{a0}".into(), "Name is empty. Enter 1 to 100 characters."),
        ("x".repeat(101), "Name has 101 characters. Use at most 100."),
        ("🔑".repeat(101), "Name has 101 characters. Use at most 100."),
        ("x".repeat(20_000), "Name has 20000 characters. Use at most 100."),
        ("a\u{0}b".into(), "Name holds a control or invisible character."),
        ("a\tb".into(), "Name holds a control or invisible character."),
        ("a\nb".into(), "Name holds a control or invisible character."),
        ("a\u{7f}b".into(), "Name holds a control or invisible character."),
        ("a\u{85}b".into(), "Name holds a control or invisible character."),
        ("\u{202e}nimda".into(), "Name holds a control or invisible character."),
        ("ad\u{200b}min".into(), "Name holds a control or invisible character."),
        ("ad\u{ad}min".into(), "Name holds a control or invisible character."),
        ("\u{feff}".into(), "Name holds a control or invisible character."),
    ] {
        let page = refused(&browser, &form.clone().fill("Name", &name));
        let error = page.error_at("Name");
        assert!(error.starts_with(reason), "{name:?}: {error}");
        if !name.contains('\u{0}') {
            assert_eq!(page.form("Create Token").value("name"), name, "it is kept");
        }
    }
}

fn a_name_is_unique_without_regard_to_case(portal: Portal) {
    let ada = portal.user("ada");
    portal.token_named(&ada, "Köln ci");
    portal.disable(&portal.token_named(&ada, "disabled"));
    let browser = ada.sign_in();
    let form = browser.token_form("");
    for name in ["Köln ci", "köln CI", "KÖLN ci", "  Köln ci  ", "DISABLED"] {
        let page = refused(&browser, &form.clone().fill("Name", name));
        assert_eq!(
            page.error_at("Name"),
            format!("A token named “{}” already exists. Choose another name.", name.trim())
        );
        assert_eq!(page.form("Create Token").value("name"), name);
    }
}

fn the_name_of_a_revoked_token_and_of_another_users_is_free(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    portal.revoke(&portal.token_named(&ada, "ci"));
    portal.token_named(&eve, "ci");
    let browser = ada.sign_in();
    browser.create(&browser.token_form("ci"));
}

fn names_of_a_hundred_characters_are_taken(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for name in ["x".repeat(100), "🔑".repeat(100), format!("  {}  ", "ä".repeat(100))] {
        let (path, _) = browser.create(&browser.token_form(&name));
        assert_eq!(browser.page(&path).heading(), name.trim());
    }
}

fn custom(form: &Form, date: &str) -> Form {
    form.clone().choose("Expiry date", "Custom date").fill("Last day", date)
}

fn bad_dates_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    let malformed = "The expiry date must be a day of the calendar, written as YYYY-MM-DD.";
    for (date, reason) in [
        ("", "Enter the date on which the token expires."),
        ("tomorrow", malformed),
        ("2026-13-01", malformed),
        ("2027-02-29", malformed),
        ("2027-1-1", malformed),
        ("01.01.2027", malformed),
        ("2027-01-01T00:00", malformed),
        ("+02027-1-1", malformed),
        ("-027-01-01", malformed),
        ("２０２７-01", malformed),
        ("0000-00-00", malformed),
        ("99999-01-01", malformed),
        ("1970-01-01", "The expiry date must be 2026-11-22 or later."),
        ("2026-11-20", "The expiry date must be 2026-11-22 or later."),
        ("2026-11-21", "The expiry date must be 2026-11-22 or later."),
        ("2036-11-22", "The expiry date must be 2036-11-21 or earlier."),
        ("9999-12-31", "The expiry date must be 2036-11-21 or earlier."),
    ] {
        let page = refused(&browser, &custom(&form, date));
        assert_eq!(page.error_at("Last day"), reason, "{date}");
        assert_eq!(page.form("Create Token").value("expires_on"), date);
        assert_eq!(page.form("Create Token").chosen("Expiry date"), "Custom date");
    }
}

fn the_first_and_the_last_possible_day_are_taken(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for (date, shown) in [("2026-11-22", "22 Nov 2026, 23:59 UTC"), ("2036-11-21", "21 Nov 2036, 23:59 UTC")] {
        let (path, _) = browser.create(&custom(&browser.token_form(date), date));
        assert!(browser.page(&path).definition("Expires").starts_with(shown));
    }
    let input = browser.page("/profile/api-tokens/new");
    let date = input.all("input[type=date]")[0];
    assert_eq!((date.attr("min"), date.attr("max")), (Some("2026-11-22"), Some("2036-11-21")));
}

fn bad_expiries_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    for expiry in ["", "5", "0", "-7", "+7", "07", "400", "forever", "NEVER", "7 ", "99999999999999999999"] {
        let page = refused(&browser, &form.clone().tampered("expiry", expiry));
        assert_eq!(page.error_at("Expiry date"), "Choose when the token expires.", "{expiry}");
    }
    refused(&browser, &form.without("expiry"));
}

fn bad_permissions_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    for area in ["repositories_permission", "account_permission"] {
        for permission in ["admin", "READ", "readwrite", "read ", "*"] {
            let page = refused(&browser, &form.clone().tampered(area, permission));
            assert_eq!(page.alerts().len(), 2, "a heading and one error");
            page.says("Choose no access, read, or read and write.");
        }
    }
    let page = refused(&browser, &form.tampered("account_permission", "all"));
    assert_eq!(page.error_at("Account"), "Choose no access, read, or read and write.");
}

fn administration_is_only_for_who_administers(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    assert!(form.choices("Administration").is_empty());
    for permission in ["read", "write"] {
        let page = refused(&browser, &form.clone().and("administration_permission", permission));
        page.says("You hold no privilege in Administration, so a token cannot have one.");
    }
    browser.create(&form.and("administration_permission", "none"));
    for (username, privilege) in
        [("una", Privilege::UserManagement), ("sam", Privilege::SystemManagement), ("lea", Privilege::ViewAuditLog)]
    {
        portal.role(username, &[Privilege::ApiAccess, privilege]);
        let browser = portal.user_with(username, username).sign_in();
        let form = browser.token_form("ci").choose("Administration", "Read");
        let (path, _) = browser.create(&form);
        browser.page(&path).says("Administration: Read");
    }
}

fn bad_repositories_are_refused(portal: Portal) {
    let (seen, unseen) = (portal.repository("seen"), portal.repository("unseen"));
    portal.role("api", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "api");
    ada.grant(seen, Permission::Read);
    let browser = ada.sign_in();
    let form = browser.token_form("ci").choose("Repositories", "Only selected repositories");
    assert_eq!(form.choices("Only selected repositories"), [("seen".to_owned(), false)]);
    let none = "Select at least one repository, or choose all of them.";
    refused(&browser, &form).says(none);
    for name in ["unseen", "nowhere", "SEEN", "seen seen2", "seen/", &unseen.to_string(), "<b>", "a\u{0}"] {
        let page = refused(&browser, &form.clone().and("repositories", name));
        if name != "a\u{0}" {
            page.says("There is no repository “").says("that you can access. Choose from the list.");
        }
        refused(&browser, &form.clone().and("repositories", "seen").and("repositories", name));
    }
    for nothing in ["", " ", ","] {
        refused(&browser, &form.clone().and("repositories", nothing)).says(none);
    }
    // What cannot be seen is answered as what is not there.
    let [hidden, missing] = ["unseen", "nothin"].map(|name| {
        let page = refused(&browser, &form.clone().and("repositories", name));
        page.alerts().join(" ").replace(name, "")
    });
    assert_eq!(hidden, missing);
    for selection in ["some", "ALL", "none"] {
        let page = refused(&browser, &form.clone().tampered("repository_selection", selection));
        page.says("Choose all repositories or only selected ones.");
    }
    ada.ungrant();
    refused(&browser, &form.and("repositories", "seen"));
}

fn unknown_and_doubled_fields_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    portal.unchanged("a tampered form", || {
        for name in ["service_permission", "Name", "name ", "owner", "user_id", "repositories[]"] {
            browser.submit(&form.clone().and(name, "read")).with(400).page().says("not known here");
        }
        for (name, value) in form.fields() {
            let page = browser.submit(&form.clone().and(&name, &value)).with(400).page();
            page.says(&format!("The field “{name}” is there more than once."));
        }
        browser.submit(&form.clone().and("password", "a").and("password", "b")).with(400);
    });
}

fn a_form_without_its_nonce_is_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    portal.unchanged("a form without nonce", || {
        browser.submit(&form.clone().without("nonce")).with(400);
        for nonce in ["", "short", "0123456789012345678901x", "01234567890123456789_1", "äbcdefghijklmnopqrstu"] {
            browser.submit(&form.clone().tampered("nonce", nonce)).with(400);
        }
    });
}

fn a_nonce_of_another_users_token_is_refused(portal: Portal) {
    let (ada, eve) = (portal.user("ada").sign_in(), portal.user("eve").sign_in());
    let form = ada.token_form("ci");
    ada.create(&form);
    let nonce = form.value("nonce");
    portal.unchanged("a nonce of another user", || {
        let page = eve.submit(&eve.token_form("ci").tampered("nonce", &nonce)).with(409).page();
        page.does_not_say("ada");
    });
}

fn all_errors_are_told_at_once_and_everything_typed_is_kept(portal: Portal) {
    portal.repository("alpha");
    portal.repository("beta");
    let browser = portal.user("ada").sign_in();
    let form = browser
        .token_form("<script>alert(1)</script>\u{7}")
        .choose("Expiry date", "Custom date")
        .fill("Last day", "yesterday")
        .choose("Repositories", "Read and write")
        .choose("Account", "Read and write")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "beta")
        .and("repositories", "gamma");
    let page = refused(&browser, &form);
    assert_eq!(page.alerts().len(), 4, "a heading and three errors: {:?}", page.alerts());
    assert_eq!(page.alerts()[0], "3 things need your attention");
    assert!(page.title().starts_with("Error: Generate New Token"));
    let kept = page.form("Create Token");
    let expected: Vec<_> = form.fields().into_iter().filter(|(_, value)| value != "gamma").collect();
    assert_eq!(kept.fields(), expected);
    assert_eq!(page.all("script").len(), 1, "the page's own");
}

fn fill_up(portal: &Portal, ada: &crate::support::User<'_>, count: usize) -> Vec<crate::support::Token> {
    (0..count).map(|number| portal.token_named(ada, &format!("filler {number}"))).collect()
}

fn a_sixth_token_is_refused(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser.token_form("sixth");
    let tokens = fill_up(&portal, &ada, 5);
    let page = refused(&browser, &form);
    page.says("You have 5 of 5 tokens. Revoke one, then create this one.");
    assert_eq!(page.form("Create Token").value("name"), "sixth");
    let answer = browser.open("/profile/api-tokens/new");
    assert_eq!(answer.location(), "/profile/api-tokens");
    let notice = browser.follow(answer).notice().expect("it says why");
    assert_eq!(notice, "You have 5 of 5 tokens. Revoke one, then generate another.");
    assert_eq!(browser.page("/profile/api-tokens").notice(), None, "it says so once");
    portal.revoke(&tokens[2]);
    browser.create(&form);
}

fn disabled_and_expired_tokens_count_and_revoked_ones_do_not(portal: Portal) {
    let ada = portal.user("ada");
    let tokens = fill_up(&portal, &ada, 5);
    portal.disable(&tokens[0]);
    portal.sql(&format!("UPDATE api_tokens SET expires_at = 1 WHERE id = '{}'", tokens[1].id));
    let browser = ada.sign_in();
    browser.open("/profile/api-tokens/new").with(303);
    for (number, token) in tokens.iter().enumerate() {
        portal.revoke(token);
        browser.create(&browser.token_form(&format!("new {number}")));
        browser.open("/profile/api-tokens/new").with(303);
    }
}

fn the_policy_limits_the_number(portal: Portal) {
    let ada = portal.user("ada");
    fill_up(&portal, &ada, 2);
    let browser = ada.sign_in();
    let form = browser.token_form("third");
    portal.set_policy("max_api_tokens", "2");
    refused(&browser, &form).says("You have 2 of 2 tokens.");
    browser.page("/profile/api-tokens").says("2 of 2 tokens");
    portal.set_policy("max_api_tokens", "7");
    browser.create(&form);
    fill_up(&portal, &portal.user("eve"), 1);
    let portal = portal.restarted(|config| config.max_api_tokens = 3);
    portal.set_policy("max_api_tokens", "null");
    let browser = portal.visitor();
    browser.try_sign_in("ada", crate::support::PASSWORD).with(303);
    browser.page("/profile/api-tokens").says("3 of 3 tokens");
    browser.open("/profile/api-tokens/new").with(303);
}

fn the_policy_limits_the_lifetime(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let generous = browser.token_form("ci");
    portal.set_policy("max_lifetime_days", "45");
    let page = refused(&browser, &generous.clone().choose("Expiry date", "60 days"));
    assert_eq!(page.error_at("Expiry date"), "60 days is longer than the policy allows. Choose at most 45 days.");
    let page = refused(&browser, &generous.clone().choose("Expiry date", "No expiry"));
    assert_eq!(page.error_at("Expiry date"), "The policy asks for an expiry date. Choose one.");
    let page = refused(&browser, &custom(&generous, "2027-01-06"));
    assert_eq!(page.error_at("Last day"), "The expiry date must be 2027-01-05 or earlier.");
    let form = browser.token_form("ci");
    let offered: Vec<String> = form.choices("Expiry date").into_iter().map(|(label, _)| label).collect();
    assert_eq!(offered, ["7 days", "30 days", "Custom date"]);
    assert_eq!(form.chosen("Expiry date"), "30 days");
    browser.create(&custom(&form, "2027-01-05"));
    portal.set_policy("max_lifetime_days", "3");
    let form = browser.token_form("short");
    assert_eq!(form.chosen("Expiry date"), "Custom date");
    browser.create(&form.fill("Last day", "2026-11-24"));
}

fn the_policy_asks_for_an_expiry(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci").choose("Expiry date", "No expiry");
    portal.set_policy("no_expiry_allowed", "false");
    let page = refused(&browser, &form);
    assert_eq!(page.error_at("Expiry date"), "The policy asks for an expiry date. Choose one.");
    assert!(!page.form("Create Token").choices("Expiry date").iter().any(|(label, _)| label == "No expiry"));
    let form = browser.page("/profile/api-tokens/new?expiry=never").form("Create Token");
    refused(&browser, &form);
}

fn the_form_starts_with_what_is_suggested(portal: Portal) {
    let page = portal.user("ada").sign_in().page("/profile/api-tokens/new");
    assert_eq!(page.heading(), "Generate New Token");
    let form = page.form("Create Token");
    assert_eq!(form.value("name"), "Token 1");
    let name = page.all("#name")[0];
    assert!(name.attr("autofocus").is_some() && name.attr("data-select").is_some(), "it is selected, to be adjusted");
    assert_eq!(form.chosen("Expiry date"), "90 days");
    assert_eq!(form.value("repositories_permission"), "read");
    assert_eq!(form.value("account_permission"), "none");
    assert_eq!(form.value("repository_selection"), "all");
    assert!(!form.has_field("Password"));
    let offered: Vec<String> = form.choices("Expiry date").into_iter().map(|(label, _)| label).collect();
    assert_eq!(offered, ["7 days", "30 days", "60 days", "90 days", "365 days", "Custom date", "No expiry"]);
    let dates = page.texts("small[id^=expiry-]");
    assert_eq!(
        dates,
        [
            "28 Nov 2026, 14:06 UTC",
            "21 Dec 2026, 14:06 UTC",
            "20 Jan 2027, 14:06 UTC",
            "19 Feb 2027, 14:06 UTC",
            "21 Nov 2027, 14:06 UTC",
            "It works until you revoke it."
        ]
    );
    page.says("There is no repository yet that you can open.");
    assert_eq!(page.link("Cancel").as_deref(), Some("/profile/api-tokens"));
}

fn the_suggested_name_is_free(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let suggested = || browser.page("/profile/api-tokens/new").form("Create Token").value("name");
    portal.token_named(&ada, "TOKEN 1");
    assert_eq!(suggested(), "Token 2");
    let third = portal.token_named(&ada, "token 3");
    assert_eq!(suggested(), "Token 2");
    portal.token_named(&ada, "Token 2");
    assert_eq!(suggested(), "Token 4");
    portal.revoke(&third);
    assert_eq!(suggested(), "Token 3");
}

fn a_link_fills_the_form_in_and_makes_nothing(portal: Portal) {
    for name in ["alpha", "beta", "gamma"] {
        portal.repository(name);
    }
    let browser = portal.user("ada").sign_in();
    let link = "/profile/api-tokens/new?name=K%C3%B6ln+%26+B&expiry=custom&expires_on=2027-01-31\
                &repositories_permission=write&account_permission=read&repository_selection=selected\
                &repositories=alpha&repositories=gamma&utm_source=docs";
    let form = portal.unchanged("a link", || browser.page(link)).form("Create Token");
    let mut fields = form.fields();
    fields.retain(|(name, _)| name != "nonce");
    let expected = [
        ("name", "Köln & B"),
        ("expiry", "custom"),
        ("expires_on", "2027-01-31"),
        ("repositories_permission", "write"),
        ("account_permission", "read"),
        ("repository_selection", "selected"),
        ("repositories", "alpha"),
        ("repositories", "gamma"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    browser.create(&form);
    for (expiry, label) in [("7", "7 days"), ("365", "365 days"), ("never", "No expiry"), ("custom", "Custom date")] {
        let form = browser.page(&format!("/profile/api-tokens/new?expiry={expiry}")).form("Create Token");
        assert_eq!(form.chosen("Expiry date"), label);
    }
}

fn a_link_with_nonsense_is_a_form_that_can_be_put_right(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let link = "/profile/api-tokens/new?name=%3Cscript%3Ealert(1)%3C/script%3E&expiry=5&repositories_permission=root\
                &administration_permission=write&repositories=nowhere&nonce=x&password=hunter2&name=twice";
    let page = browser.page(link);
    page.does_not_say("hunter2").does_not_say("nowhere");
    assert_eq!(page.all("script").len(), 1, "the page's own");
    let form = page.form("Create Token");
    assert_eq!(form.value("name"), "<script>alert(1)</script>");
    assert_eq!(form.value("nonce").len(), 22);
    let page = refused(&browser, &form);
    assert_eq!(page.error_at("Expiry date"), "Choose when the token expires.");
    let form = page.form("Create Token").choose("Expiry date", "7 days").choose("Repositories", "Read");
    browser.create(&form);
    browser.open("/profile/api-tokens/new?name=%ff").with(200);
    browser.open("/profile/api-tokens/new?recreates=x").with(404);
}

fn a_preset_lasts_its_days_to_the_second(portal: Portal) {
    portal.set_policy("max_api_tokens", "10");
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let mut tokens = Vec::new();
    for days in [7, 30, 60, 90, 365] {
        let form = browser.token_form(&days.to_string()).choose("Expiry date", &format!("{days} days"));
        tokens.push((days, browser.create(&form).1));
    }
    let mut passed = 0;
    for (days, secret) in tokens {
        portal.advance(days * DAY - 1 - passed);
        assert!(portal.accepts(&secret), "{days}");
        portal.advance(1);
        assert!(!portal.accepts(&secret), "{days}");
        passed = days * DAY;
    }
}

fn a_custom_date_lasts_to_the_end_of_the_day(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let (_, secret) = browser.create(&custom(&browser.token_form("ci"), "2026-11-22"));
    // Until 23:59:59, that is for 9 hours, 53 minutes and 19 seconds, and a day.
    let seconds = DAY + 9 * 3_600 + 53 * 60 + 19;
    assert_eq!(portal.api(&secret, "/api/v1/me").json()["expires_at"], "2026-11-22T23:59:59Z");
    portal.advance(seconds - 1);
    assert!(portal.accepts(&secret));
    portal.advance(1);
    assert!(!portal.accepts(&secret));
}

fn no_expiry_is_no_expiry(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let (path, secret) = browser.create(&browser.token_form("ci").choose("Expiry date", "No expiry"));
    assert_eq!(browser.page(&path).definition("Expires"), "Never");
    portal.advance(100 * 365 * DAY);
    assert!(portal.accepts(&secret));
}

fn a_token_may_be_limited_to_repositories(portal: Portal) {
    for name in ["alpha", "beta", "gamma"] {
        portal.repository(name);
    }
    let browser = portal.user("ada").sign_in();
    let form = browser
        .token_form("ci")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "alpha")
        .choose("Only selected repositories", "gamma")
        .and("repositories", "gamma");
    let (path, secret) = browser.create(&form);
    assert_eq!(browser.page(&path).definition("Repositories"), "alpha, gamma");
    let me = portal.api(&secret, "/api/v1/me").json();
    assert_eq!(me["repositories"], serde_json::json!({"selection": "selected", "names": ["alpha", "gamma"]}));
    portal.api(&secret, "/api/v1/repositories/alpha").with(200);
    portal.api(&secret, "/api/v1/repositories/beta").with(404);
    assert_eq!(portal.count("api_token_repositories"), 2);
}

fn a_token_may_have_no_permission_at_all(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci").choose("Repositories", "No access");
    let path = browser.submit(&form).location().to_owned();
    let page = browser.page(&path);
    page.says("None: it only says who you are");
    let secret = page.secret().expect("it is shown");
    assert!(portal.accepts(&secret));
    portal.api(&secret, "/api/v1/repositories").with(403);
    assert_eq!(browser.page("/profile/api-tokens").rows()[0].cell("Permissions"), "None");
}

fn pressing_twice_makes_one_token(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let form = browser.token_form("ci");
    let (path, secret) = browser.create(&form);
    portal.unchanged("the same form again", || {
        assert_eq!(browser.submit(&form).location(), path);
        // Even where something else stands in it now.
        assert_eq!(browser.submit(&form.clone().fill("Name", "another")).location(), path);
    });
    assert!(browser.page(&path).secret().is_none());
    assert!(portal.accepts(&secret));
}

fn the_secret_is_not_in_the_database(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = browser.submit(&browser.token_form("ci")).location().to_owned();
    let before = format!("{:?}", portal.dump()).to_lowercase();
    let secret = browser.page(&path).secret().expect("it is shown");
    let after = format!("{:?}", portal.dump()).to_lowercase();
    let random = &secret[10..];
    let hex: String = random.bytes().map(|byte| format!("{byte:02x}")).collect();
    for dump in [before, after] {
        assert!(!dump.contains(&random.to_lowercase()) && !dump.contains(&hex));
    }
    assert_eq!(portal.actions(), ["api_token.created", "api_token.revealed", "session.signed_in"]);
}

fn a_token_of_a_certain_form_comes_out(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let (_, secret) = browser.create(&browser.token_form("ci"));
    assert_eq!(secret.len(), 42);
    assert!(secret.starts_with("thp_") && secret[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(tokenhouse::domain::secret::recognise(&secret).is_some());
    let all = portal.token(&ada, |wish| {
        wish.repositories = RepositorySelection::All;
        wish.name = tokenhouse::domain::name::TokenName::parse("another").expect("a name");
    });
    assert_ne!(all.secret, secret);
}
