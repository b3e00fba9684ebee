//! `/profile/api-tokens`: the list of one's own tokens.

use tokenhouse::domain::api_token::NewApiToken;
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::{Permission, Permissions};

use crate::support::page::Page;
use crate::support::{Portal, on_both};

const DAY: i64 = 86_400;

on_both![
    a_visitor_is_led_to_the_sign_in,
    another_users_tokens_are_not_listed,
    an_empty_list_says_what_to_do_next,
    a_token_is_listed_with_all_its_columns,
    each_status_is_named_and_what_does_not_work_comes_greyed_and_last,
    each_status_offers_its_own_actions,
    the_newest_comes_first,
    a_full_list_offers_no_further_token,
    revoked_tokens_are_shown_for_thirty_days_in_a_list_of_their_own,
    an_unknown_filter_shows_the_current_tokens,
];

fn named(name: &str) -> impl FnOnce(&mut NewApiToken) {
    move |wish| wish.name = TokenName::parse(name).expect("a name")
}

fn column(page: &Page, heading: &str) -> Vec<String> {
    page.rows().iter().map(|row| row.cell(heading).to_owned()).collect()
}

fn a_visitor_is_led_to_the_sign_in(portal: Portal) {
    let visitor = portal.visitor();
    assert_eq!(visitor.open("/profile/api-tokens").location(), "/login?next=%2Fprofile%2Fapi%2Dtokens");
}

fn another_users_tokens_are_not_listed(portal: Portal) {
    let eve = portal.user("eve");
    portal.revoke(&portal.token_named(&eve, "secret plans"));
    portal.token_named(&eve, "secret plans");
    let browser = portal.user("ada").sign_in();
    for path in ["/profile/api-tokens", "/profile/api-tokens?status=revoked"] {
        let page = browser.page(path);
        page.does_not_say("secret plans").says("0 of 5 tokens").says("Revoked (0)");
        assert!(page.rows().is_empty());
    }
}

fn an_empty_list_says_what_to_do_next(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let page = browser.page("/profile/api-tokens");
    assert_eq!(page.title(), "API Token Management · Tokenhouse");
    page.says("No API tokens yet").says("0 of 5 tokens");
    assert_eq!(page.link("Generate New Token").as_deref(), Some("/profile/api-tokens/new"));
    browser.page("/profile/api-tokens?status=revoked").says("Nothing revoked");
}

fn a_token_is_listed_with_all_its_columns(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| {
        wish.permissions =
            Permissions { repositories: Permission::Write, account: Permission::Read, ..Permissions::default() };
    });
    let browser = ada.sign_in();
    let page = browser.page("/profile/api-tokens");
    page.says("1 of 5 tokens");
    let row = &page.rows()[0];
    assert_eq!(row.cell("Name"), "ci");
    assert_eq!(row.cell("Token"), format!("{}…", &token.secret[..10]));
    assert_eq!(row.cell("Permissions"), "Repositories: Read and write, Account: Read");
    assert_eq!(row.cell("Date created"), "21 Nov 2026, 14:06 UTC just now");
    assert_eq!(row.cell("Expires"), "19 Feb 2027, 14:06 UTC in 3 months");
    assert_eq!(row.cell("Last used"), "Never");
    assert_eq!(row.cell("Status"), "Active");
    assert_eq!(page.link("ci"), Some(token.path()));
    portal.advance(3_600);
    portal.request("GET", "/api/v1/me").bearer(&token.secret).at("203.0.113.7").send().with(200);
    portal.flush();
    let row = ada.sign_in().page("/profile/api-tokens").rows()[0].clone();
    assert_eq!(row.cell("Last used"), "21 Nov 2026, 15:06 UTC just now from 203.0.113.7");
    page.does_not_say(&token.secret);
}

fn each_status_is_named_and_what_does_not_work_comes_greyed_and_last(portal: Portal) {
    let ada = portal.user("ada");
    let lasting = |name: &'static str, days: Option<i64>| {
        let end = days.map(|days| portal.later(days * DAY));
        portal.advance(1);
        portal.token(&ada, |wish| {
            named(name)(wish);
            wish.expires_at = end;
        })
    };
    lasting("expired", Some(1));
    portal.disable(&lasting("disabled", Some(90)));
    lasting("soon", Some(9));
    lasting("active", None);
    portal.disable(&lasting("expired and disabled", Some(1)));
    portal.advance(2 * DAY);
    let page = ada.sign_in().page("/profile/api-tokens");
    let shown: Vec<_> = page
        .rows()
        .iter()
        .map(|row| (row.cell("Name").to_owned(), row.cell("Status").to_owned(), row.greyed))
        .collect();
    let expected = [
        ("active", "Active", false),
        ("soon", "Expiring soon", false),
        ("expired and disabled", "Expired", true),
        ("disabled", "Disabled", true),
        ("expired", "Expired", true),
    ];
    assert_eq!(shown, expected.map(|(name, status, greyed)| (name.to_owned(), status.to_owned(), greyed)));
    assert_eq!(page.rows()[0].cell("Expires"), "Never");
    page.says("5 of 5 tokens");
}

fn each_status_offers_its_own_actions(portal: Portal) {
    let ada = portal.user("ada");
    portal.disable(&portal.token_named(&ada, "disabled"));
    portal.token(&ada, |wish| {
        named("expired")(wish);
        wish.expires_at = Some(portal.later(DAY));
    });
    portal.advance(DAY);
    portal.token_named(&ada, "active");
    portal.revoke(&portal.token_named(&ada, "revoked"));
    let browser = ada.sign_in();
    let page = browser.page("/profile/api-tokens");
    let actions = |name: &str| -> Vec<String> {
        let ends = format!(" token {name}");
        page.texts("tbody a").into_iter().filter_map(|text| text.strip_suffix(&ends).map(str::to_owned)).collect()
    };
    assert_eq!(actions("active"), ["Rotate", "Disable", "Revoke"]);
    assert_eq!(actions("disabled"), ["Recreate", "Enable", "Revoke"]);
    assert_eq!(actions("expired"), ["Recreate", "Revoke"]);
    for link in page.texts("tbody details a") {
        let path = page.link(&link).expect("it leads somewhere");
        browser.page(&path);
    }
    assert_eq!(column(&browser.page("/profile/api-tokens?status=revoked"), "Actions"), ["None"]);
}

fn the_newest_comes_first(portal: Portal) {
    let ada = portal.user("ada");
    for name in ["b", "c", "a"] {
        portal.token_named(&ada, name);
        portal.advance(1);
    }
    assert_eq!(column(&ada.sign_in().page("/profile/api-tokens"), "Name"), ["a", "c", "b"]);
}

fn a_full_list_offers_no_further_token(portal: Portal) {
    let ada = portal.user("ada");
    for name in ["a", "b", "c", "d", "e"] {
        portal.token_named(&ada, name);
    }
    let page = ada.sign_in().page("/profile/api-tokens");
    page.says("5 of 5 tokens. To generate another one, revoke one first.");
    assert_eq!(page.link("Generate New Token"), None);
}

fn revoked_tokens_are_shown_for_thirty_days_in_a_list_of_their_own(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token_named(&ada, "old");
    portal.token_named(&ada, "current");
    portal.revoke(&token);
    let page = ada.sign_in().page("/profile/api-tokens");
    page.says("1 of 5 tokens");
    assert_eq!(column(&page, "Name"), ["current"]);
    assert_eq!(page.link("Revoked (1)").as_deref(), Some("/profile/api-tokens?status=revoked"));
    for (seconds, names) in [(0, vec!["old"]), (30 * DAY, vec!["old"]), (1, vec![])] {
        portal.advance(seconds);
        let page = ada.sign_in().page("/profile/api-tokens?status=revoked");
        assert_eq!(column(&page, "Name"), names);
        assert!(page.rows().iter().all(|row| row.cell("Status") == "Revoked"));
        page.says(&format!("Revoked ({})", names.len()));
    }
}

fn an_unknown_filter_shows_the_current_tokens(portal: Portal) {
    let ada = portal.user("ada");
    portal.token_named(&ada, "current");
    let page = ada.sign_in().page("/profile/api-tokens?status=x&status=revoked&utm=1");
    assert_eq!(column(&page, "Name"), ["current"]);
}
