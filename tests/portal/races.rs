//! Many at once at the rules that must hold for all of them together. `./test --soak` runs many more rounds.

use crate::support::{Browser, PASSWORD, Portal, at_once, on_both, rounds};

on_both![
    twenty_submissions_of_one_form_make_one_token,
    eight_creations_at_four_of_five_make_exactly_one,
    two_creations_of_one_name_make_exactly_one,
    no_guess_slips_through_among_many,
    sign_ins_at_once_leave_ten_sessions,
    a_crowd_of_all_kinds_is_served_without_a_failure,
];

fn copies<'p>(browser: &Browser<'p>, count: usize) -> Vec<Browser<'p>> {
    (0..count).map(|_| browser.clone()).collect()
}

fn twenty_submissions_of_one_form_make_one_token(portal: Portal) {
    let portal = portal.restarted(|config| config.budgets.token_creations = u32::MAX);
    portal.set_policy("max_api_tokens", "1000");
    let browser = portal.user("ada").sign_in();
    for round in 0..rounds() {
        let form = browser.token_form(&format!("round {round}"));
        let browsers = copies(&browser, 20);
        let mut locations = at_once(20, |number| browsers[number].submit(&form).location().to_owned());
        locations.dedup();
        assert_eq!(locations.len(), 1, "all of them lead to the one token");
        assert_eq!(portal.count("api_tokens"), round + 1);
        assert_eq!(portal.count("api_token_secrets"), round + 1);
        assert!(browser.page(&locations[0]).secret().is_some_and(|secret| portal.accepts(&secret)));
    }
}

fn eight_creations_at_four_of_five_make_exactly_one(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    for name in ["a", "b", "c", "d"] {
        portal.token_named(&ada, name);
    }
    for round in 0..rounds() {
        let forms: Vec<_> = (0..8).map(|number| browser.token_form(&format!("round {round}, {number}"))).collect();
        let browsers = copies(&browser, 8);
        let mut answers = at_once(8, |number| browsers[number].submit(&forms[number]));
        answers.sort_by_key(|answer| answer.status);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [&[303][..], &[422; 7]].concat());
        answers[1].page().says("You have 5 of 5 tokens.");
        let page = browser.page("/profile/api-tokens");
        page.says("5 of 5 tokens");
        assert_eq!(page.rows().len(), 5);
        let location = answers[0].location();
        browser.submit(&browser.page(&format!("{location}/revocation")).form("Revoke token")).with(303);
    }
}

fn two_creations_of_one_name_make_exactly_one(portal: Portal) {
    portal.set_policy("max_api_tokens", "1000");
    let browser = portal.user("ada").sign_in();
    for round in 0..rounds() {
        let forms = [format!("round {round}"), format!("ROUND {round}")].map(|name| browser.token_form(&name));
        let browsers = copies(&browser, 2);
        let mut statuses = at_once(2, |number| browsers[number].submit(&forms[number]).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422]);
    }
}

fn no_guess_slips_through_among_many(portal: Portal) {
    portal.user("ada");
    for round in 0..rounds() {
        let address = format!("203.0.{}.{}", round / 250, round % 250 + 1);
        let statuses =
            at_once(30, |number| portal.visitor().at(&address).try_sign_in(&format!("user{number}"), "guess").status);
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 20, "{statuses:?}");
    }
}

fn sign_ins_at_once_leave_ten_sessions(portal: Portal) {
    let ada = portal.user("ada");
    let known = ada.sign_in();
    for _ in 0..rounds() {
        let browsers = copies(&known, 14);
        for browser in &browsers {
            browser.forget_cookie(&portal.cookies().session);
        }
        let statuses = at_once(14, |number| browsers[number].try_sign_in("ada", PASSWORD).status);
        assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
        assert!(portal.count("sessions") <= 10);
        let alive = browsers.iter().filter(|browser| browser.is_signed_in()).count();
        assert!(alive <= 10, "{alive}");
    }
}

fn a_crowd_of_all_kinds_is_served_without_a_failure(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let tokens = ["a", "b", "c", "d"].map(|name| portal.token_named(&ada, name));
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let browsers = copies(&browser, 16);
        let statuses = at_once(16, |number| {
            let (browser, token) = (&browsers[number], &tokens[number % 4]);
            let answer = match number {
                0 | 1 => browser.open("/profile/api-tokens"),
                2 | 3 => browser.open(&token.path()),
                4 | 5 => browser.post(&token.page("disablement"), &[("", ""); 0]),
                6 | 7 => browser.post(&token.page("enablement"), &[("", ""); 0]),
                8 | 9 => browser.post(&token.page("name"), &[("name", format!("{round} {number}"))]),
                10 => browser.open("/profile/api-tokens/new"),
                11 => portal.visitor().at(&format!("198.51.{}.7", round % 250)).try_sign_in("ada", "guess"),
                _ => portal.api(&token.secret, "/api/v1/repositories"),
            };
            answer.status
        });
        assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
        portal.flush();
    }
}
