//! An administrator lets somebody in with a link and shuts them out again; and whoever is in governs their own sessions.

use crate::browser::Browser;
use crate::person::{self, NAME, PASSWORD, USERNAME, press_in_dialog};
use crate::support::server::Server;

const GRACE: &str = "Grace Hopper";
const NEW_PASSWORD: &str = "kupfer wal zehn laterne";

#[test]
fn a_user_comes_with_a_link_and_goes_when_disabled() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let link = create_user(&browser);
    browser.press("Copy to Clipboard & Close");
    browser.until("the page without the link", || (!browser.holds("/set-password")).then_some(()));
    assert_eq!(browser.clipboard(), link);
    let page = browser.path();

    let other = browser.another();
    follow(&other, &link);
    browser.go(&page);
    browser.press("Disable");
    press_in_dialog(&browser, "Disable user");
    browser.expect_text("User “grace” was disabled.");
    expect_signed_out(&other);
}

#[test]
fn a_user_comes_and_goes_without_javascript() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    let link = create_user(&browser);
    assert!(!browser.offers("Copy to Clipboard") && !browser.offers("Copy to Clipboard & Close"));
    let page = browser.path();
    assert!(browser.offers("Close"));
    browser.press("Users");
    browser.expect_heading("Administration");
    browser.back();
    browser.expect_heading(GRACE);
    assert!(!browser.holds(&link), "Back brought the link");

    let other = browser.another();
    other.allow_javascript(false);
    follow(&other, &link);
    browser.go(&page);
    browser.press("Disable");
    browser.expect_heading("Disable “grace”?");
    browser.press("Cancel");
    browser.expect_heading(GRACE);
    browser.press("Disable");
    browser.press("Disable user");
    browser.expect_text("User “grace” was disabled.");
    expect_signed_out(&other);
}

#[test]
fn other_sessions_end_one_by_one_and_with_a_new_password() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let other = browser.another();
    person::sign_in(&other, USERNAME, PASSWORD, NAME);
    browser.press(NAME);
    browser.press("My Profile");
    browser.press("Sessions & Security");
    let device = browser.texts("tbody th").remove(1);
    browser.press(&format!("Sign out {device}, from 127.0.0.1"));
    browser.expect_text("was signed out.");
    browser.expect_text("You are signed in nowhere else.");
    expect_signed_out(&other);

    person::sign_in(&other, USERNAME, PASSWORD, NAME);
    browser.fill("Current password", "not the password");
    browser.fill("New password", NEW_PASSWORD);
    browser.press("Change password");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    assert_eq!((browser.value("Current password"), browser.value("New password")), (String::new(), String::new()));
    other.press("Administration");
    other.expect_heading("Administration");
    browser.fill("Current password", PASSWORD);
    browser.fill("New password", NEW_PASSWORD);
    browser.press("Change password");
    browser.expect_text("Your password was changed.");
    expect_signed_out(&other);
    other.fill("Username", USERNAME);
    other.fill("Password", PASSWORD);
    other.press("Sign in");
    other.until("the refusal", || other.title().starts_with("Error: ").then_some(()));
    person::sign_in(&other, USERNAME, NEW_PASSWORD, NAME);
}

/// Administration › Users › Create User; returns the link that is shown.
fn create_user(browser: &Browser) -> String {
    browser.press("Administration");
    browser.expect_heading("Administration");
    browser.press("Create User");
    browser.expect_heading("Create User");
    browser.fill("Username", "grace");
    browser.fill("Display name", GRACE);
    browser.fill("Email", "grace@example.org");
    browser.choose("Roles", "Developer");
    browser.press("Create User");
    browser.expect_text("User “grace” was created.");
    browser.expect_heading(GRACE);
    let link = browser.value("Set-password link for “grace”");
    assert!(link.contains("/set-password?code="), "{link}");
    link
}

/// Sets a password with the link, which works once, and signs in with it.
fn follow(other: &Browser, link: &str) {
    other.go(link);
    other.expect_heading("Set your password");
    other.fill("New password", NEW_PASSWORD);
    other.press("Set password");
    other.expect_text("Your password was set. Sign in as grace with it.");
    other.go(link);
    other.expect_text("This link was used before or has expired.");
    person::sign_in(other, "grace", NEW_PASSWORD, GRACE);
    other.expect_heading("Repositories");
    assert!(!other.offers("Create Repository") && !other.offers("Administration"));
}

/// The next click leads to the sign-in.
#[track_caller]
fn expect_signed_out(browser: &Browser) {
    browser.press("Repositories");
    browser.expect_heading("Sign in");
}
