//! `/api`: the API for readers, searched while one types, and without JavaScript.

use crate::browser::Browser;
use crate::support::server::Server;

const ROTATION: &str = "Rotate the API token that asks";

/// The operations in sight.
fn shown(browser: &Browser) -> Vec<String> {
    browser.texts(".calls > li:not([hidden]) a")
}

#[test]
fn what_is_typed_is_found_at_once_and_leads_to_its_example() {
    let server = Server::start();
    let browser = Browser::open(&server);
    browser.go("/api");
    let all = shown(&browser).len();
    browser.fill("Search the API", "rotate");
    browser.until("fewer lines", || (shown(&browser).len() < all).then_some(()));
    assert!(shown(&browser).contains(&ROTATION.to_owned()));
    assert!(shown(&browser).iter().all(|line| line.to_lowercase().contains("rotate")), "{:?}", shown(&browser));
    browser.press(ROTATION);
    browser.expect_heading("API tokens");
    browser.expect_text("/api/v1/tokens/current/rotation");
}

#[test]
fn without_javascript_the_server_searches() {
    let server = Server::start();
    let browser = Browser::open(&server);
    browser.allow_javascript(false);
    browser.go("/api");
    browser.fill("Search the API", "ROTATE account");
    browser.press("Search");
    browser.until("what is found", || (shown(&browser) == [ROTATION]).then_some(()));
    browser.press(ROTATION);
    browser.expect_heading("API tokens");
}
