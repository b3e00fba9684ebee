//! With JavaScript, confirmations open in place: the safe button has the focus, and closing gives it back.

use fantoccini::key::Key;

use crate::person::{self, TOKENS, expect_dialog, expect_no_dialog, press_in_dialog};
use crate::support::server::Server;

#[test]
fn revoking_asks_in_a_dialog_that_escape_closes() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    let page = browser.path();

    browser.press("Revoke");
    expect_dialog(&browser, "Revoke “ci-build”?");
    browser.expect_focus("Cancel");
    assert_eq!(browser.path(), page);

    browser.key(Key::Escape);
    expect_no_dialog(&browser);
    browser.expect_focus("Revoke");
    assert_eq!(browser.path(), page);
}

#[test]
fn cancel_closes_a_dialog_and_gives_the_focus_back() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    let page = browser.path();

    for (name, heading) in [
        ("Rotate", "Rotate “ci-build”?"),
        ("Disable", "Disable “ci-build”?"),
        ("Rename", "Rename “ci-build”"),
        ("Revoke", "Revoke “ci-build”?"),
    ] {
        browser.press(name);
        expect_dialog(&browser, heading);
        press_in_dialog(&browser, "Cancel");
        expect_no_dialog(&browser);
        browser.expect_focus(name);
        assert_eq!(browser.path(), page);
    }
}

#[test]
fn a_dialog_does_what_its_page_does() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let old = person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");

    browser.press("Rotate");
    press_in_dialog(&browser, "Rotate token");
    assert_ne!(person::revealed(&browser), old);

    person::open_token(&browser, "ci-build");
    browser.press("Revoke");
    press_in_dialog(&browser, "Revoke token");
    browser.expect_path(TOKENS);
    browser.expect_text("Token “ci-build” was revoked.");
}

#[test]
fn a_row_of_the_list_opens_its_own_dialog() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci-build");
    person::generate_token(&browser, "nightly");
    browser.go(TOKENS);

    browser.press("Actions for nightly");
    browser.press("Revoke token nightly");
    expect_dialog(&browser, "Revoke “nightly”?");
    press_in_dialog(&browser, "Revoke token");
    browser.expect_text("Token “nightly” was revoked.");
    browser.expect_text("1 of 5 tokens");
    assert!(browser.offers("ci-build"));
}
