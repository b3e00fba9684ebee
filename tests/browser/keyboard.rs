//! Everything can be done with the keyboard alone, and one always sees where one is.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::Browser;
use crate::person::{self, NAME, PASSWORD, TOKENS, USERNAME};
use crate::support::server::Server;

/// More steps than any page has.
const STEPS: usize = 100;

#[test]
fn the_first_stop_of_a_page_skips_to_its_content() {
    let server = Server::start();
    let browser = person::administrator(&server);
    browser.go("/profile");

    browser.key(Key::Tab);
    assert_eq!(browser.focused(), "Skip to content");
    assert_focus_is_seen(&browser);
    browser.key(Key::Enter);
    browser.until("focus on the content", || {
        let script = "return document.activeElement === document.querySelector('main')";
        (browser.script(script, vec![]) == json!(true)).then_some(())
    });
}

#[test]
fn a_token_is_made_and_copied_with_the_keyboard_alone() {
    let server = Server::start();
    let browser = person::administrator(&server);
    browser.go("/profile");
    walk_to(&browser, "API Token Management");
    browser.key(Key::Enter);
    browser.expect_path(TOKENS);
    walk_to(&browser, "Generate New Token");
    browser.key(Key::Enter);
    browser.expect_heading("Generate New Token");

    // The suggestion is selected, so typing replaces it.
    browser.expect_focus("Name");
    browser.type_text("ci-build");
    assert_eq!(browser.value("Name"), "ci-build");
    walk_to(&browser, "Create Token");
    browser.key(Key::Enter);

    let token = person::revealed(&browser);
    walk_to(&browser, "Copy to Clipboard");
    browser.key(Key::Space);
    browser.expect_text("Copied to clipboard.");
    assert_eq!(browser.clipboard(), token);
    walk_to(&browser, "Copy to Clipboard & Close");
    browser.key(Key::Enter);
    browser.expect_path(TOKENS);
}

#[test]
fn a_token_is_revoked_from_its_row_with_the_keyboard_alone() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci-build");
    browser.go(TOKENS);
    walk_to(&browser, "Actions for ci-build");
    browser.key(Key::Enter);
    walk_to(&browser, "Revoke token ci-build");
    browser.key(Key::Enter);
    browser.expect_focus("Cancel");
    walk_to(&browser, "Revoke token");
    browser.key(Key::Enter);
    browser.expect_text("Token “ci-build” was revoked.");
}

#[test]
fn the_user_menu_opens_by_key_and_escape_gives_the_focus_back() {
    let server = Server::start();
    let browser = person::administrator(&server);
    browser.go("/profile");
    walk_to(&browser, NAME);
    browser.key(Key::Enter);
    browser.until("the open menu", || browser.offers("My Profile").then_some(()));
    browser.key(Key::Tab);
    browser.expect_focus("My Profile");

    browser.key(Key::Escape);
    browser.until("the closed menu", || (!browser.offers("My Profile")).then_some(()));
    browser.expect_focus(NAME);
}

#[test]
fn signing_out_and_in_again_needs_no_mouse() {
    let server = Server::start();
    let browser = person::administrator(&server);
    browser.go("/profile");
    walk_to(&browser, NAME);
    browser.key(Key::Enter);
    walk_to(&browser, "Sign out");
    browser.key(Key::Enter);
    browser.expect_heading("Sign in");

    browser.expect_focus("Username");
    browser.type_text(USERNAME);
    browser.key(Key::Tab);
    browser.expect_focus("Password");
    browser.type_text(PASSWORD);
    browser.key(Key::Enter);
    browser.until("the user menu", || browser.offers(NAME).then_some(()));
}

/// Tabs until the thing of this name has the focus, seeing each stop on the way.
fn walk_to(browser: &Browser, name: &str) {
    for _ in 0..STEPS {
        browser.key(Key::Tab);
        assert_focus_is_seen(browser);
        if browser.focused() == name {
            return;
        }
    }
    panic!("the keyboard never reaches “{name}” on {}", browser.path());
}

/// What has the focus lies in sight and has an outline or a shadow that says so. Going past the last stop leaves the
/// page for the browser's own controls, which is no stop of ours.
fn assert_focus_is_seen(browser: &Browser) {
    let script = "const focused = document.activeElement;
        if (!focused || focused === document.body) return true;
        const style = getComputedStyle(focused);
        const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
        const box = focused.getBoundingClientRect();
        const there = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        return marked && there";
    assert_eq!(
        browser.script(script, vec![]),
        json!(true),
        "no sign of the focus on “{}”, {}",
        browser.focused(),
        browser.path()
    );
}
