//! Every step works without JavaScript: dialogs are pages, and a Close link stands where copying would be.

use crate::browser::Browser;
use crate::person::{self, GONE, TOKENS};
use crate::support::server::Server;

#[test]
fn a_new_token_is_shown_once_and_closed() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    person::go_to_tokens(&browser);
    browser.press("Generate New Token");
    assert_eq!(browser.value("Name"), "Token 1");
    browser.press("Create Token");

    let token = person::revealed(&browser);
    assert_eq!(browser.heading(), "New API Token");
    assert!(!browser.offers("Copy to Clipboard") && !browser.offers("Copy to Clipboard & Close"));
    let page = browser.path();
    browser.press("Close");
    browser.expect_path(TOKENS);
    browser.expect_text(&person::hint(&token));
    assert!(!browser.holds(&token));

    browser.back();
    browser.expect_path(&page);
    browser.expect_text(GONE);
    assert!(!browser.holds(&token));
}

#[test]
fn a_token_is_rotated_on_a_page_of_its_own() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    let old = person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");

    browser.press("Rotate");
    browser.expect_heading("Rotate “ci-build”?");
    browser.press("Cancel");
    browser.expect_heading("ci-build");
    browser.press("Rotate");
    browser.choose("Old token stops working", "after 1 hour");
    browser.press("Rotate token");

    let new = person::revealed(&browser);
    assert_ne!(new, old);
    browser.press("Close");
    browser.expect_path(TOKENS);
    browser.expect_text(&person::hint(&new));

    browser.back();
    browser.expect_text(GONE);
    assert!(!browser.holds(&new));
    browser.expect_text(&person::hint(&old)); // still inside its grace period
}

#[test]
fn a_token_is_disabled_and_enabled_on_pages_of_their_own() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    assert_eq!(status(&browser), "Active");

    browser.press("Disable");
    browser.expect_text("until you enable it again");
    browser.press("Disable token");
    person::open_token(&browser, "ci-build");
    assert_eq!(status(&browser), "Disabled");

    browser.press("Enable");
    browser.press("Enable token");
    person::open_token(&browser, "ci-build");
    assert_eq!(status(&browser), "Active");
}

#[test]
fn a_token_is_renamed_on_a_page_of_its_own() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");

    browser.press("Rename");
    browser.expect_heading("Rename “ci-build”");
    assert_eq!(browser.value("Name"), "ci-build");
    browser.fill("Name", "nightly");
    browser.press("Rename");
    browser.until("the end of the form", || (browser.heading() != "Rename “ci-build”").then_some(()));
    person::open_token(&browser, "nightly");
}

#[test]
fn a_token_is_revoked_on_a_page_of_its_own() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");

    browser.press("Revoke");
    browser.expect_heading("Revoke “ci-build”?");
    browser.press("Cancel");
    browser.expect_heading("ci-build");
    browser.press("Revoke");
    browser.press("Revoke token");
    browser.expect_path(TOKENS);
    browser.expect_text("Token “ci-build” was revoked.");
    browser.expect_text("0 of 5 tokens");

    browser.back();
    browser.expect_text("The token is revoked now");
    browser.go(TOKENS);
    browser.press("Revoked (1)");
    browser.expect_text("ci-build");
}

#[test]
fn a_disabled_token_is_recreated_with_its_settings() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    browser.go("/profile/api-tokens/new?name=ci-build&expiry=365&account_permission=read");
    browser.press("Create Token");
    let old = person::revealed(&browser);
    person::open_token(&browser, "ci-build");
    browser.press("Disable");
    browser.press("Disable token");
    person::open_token(&browser, "ci-build");

    browser.press("Recreate with these settings");
    browser.expect_heading("Generate New Token");
    assert_eq!(browser.value("Name"), "ci-build");
    assert_eq!(browser.value_of("input[name=account_permission]:checked"), "read");
    browser.press("Create Token");
    assert_ne!(person::revealed(&browser), old);
    browser.press("Close");
    browser.expect_text("1 of 5 tokens");
    assert!(browser.offers("Revoked (1)"));
}

/// The word on the badge beside the heading.
fn status(browser: &Browser) -> String {
    browser.texts("main .badge").remove(0)
}
