//! Every page, in every state and rendering, without a violation of axe-core's rules and without scrolling sideways.

use crate::browser::Browser;
use crate::person::{self, NAME, PASSWORD, TOKENS, USERNAME};
use crate::rendering;
use crate::support::server::Server;

/// Collects, so that one run tells of all pages.
struct Judge<'a> {
    browser: &'a Browser,
    faults: Vec<String>,
}

impl<'a> Judge<'a> {
    fn new(browser: &'a Browser) -> Self {
        Self { browser, faults: Vec::new() }
    }

    fn page(&mut self, name: &str) {
        self.faults.extend(rendering::faults(self.browser, name));
    }

    fn done(self) {
        assert!(self.faults.is_empty(), "{} faults:\n{}", self.faults.len(), self.faults.join("\n"));
    }
}

#[test]
fn the_pages_before_signing_in_are_accessible() {
    let server = Server::start();
    let browser = Browser::open(&server);
    let mut judge = Judge::new(&browser);

    browser.go(&server.setup_address());
    judge.page("setup");
    browser.press("Create administrator");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("setup-refused");
    browser.fill("Username", USERNAME);
    browser.fill("Display name", NAME);
    browser.fill("Email", "ada@example.org");
    browser.fill("Password", PASSWORD);
    browser.press("Create administrator");
    browser.press(NAME);
    judge.page("user-menu");
    browser.press("Sign out");

    browser.expect_heading("Sign in");
    judge.page("login");
    browser.go("/nowhere");
    judge.page("error-404-outside");
    browser.go("/login");
    browser.fill("Username", USERNAME);
    browser.fill("Password", "not the password");
    browser.press("Sign in");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("login-refused");
    judge.done();
}

#[test]
fn the_pages_of_a_profile_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/profile");
    judge.page("profile");
    browser.go("/reauthenticate?next=/profile");
    judge.page("reauthenticate");
    browser.go(TOKENS);
    judge.page("tokens-empty");
    browser.go("/profile/api-tokens?status=revoked");
    judge.page("tokens-revoked-empty");
    browser.go("/profile/api-tokens/00000000-0000-7000-8000-000000000000");
    judge.page("error-404");
    judge.done();
}

#[test]
fn sessions_and_policies_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/profile/security");
    judge.page("security-alone");
    let other = browser.another();
    person::sign_in(&other, USERNAME, PASSWORD, NAME);
    browser.go("/profile/security");
    judge.page("security");
    browser.press("Change password");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("security-refused");

    browser.go("/admin/policies");
    judge.page("policies");
    browser.fill("Maximum lifetime of API tokens", "ten");
    browser.press("Save policies");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("policies-refused");
    browser.fill("Maximum lifetime of API tokens", "90");
    browser.press("Save policies");
    browser.expect_text("The policies were saved.");
    judge.page("policies-saved");
    judge.done();
}

#[test]
fn error_pages_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    let page = browser.path();
    browser.go(&format!("{page}/enablement"));
    browser.expect_text("Error 409");
    judge.page("error-409");

    person::create_user(&server, "grace", "viewer");
    browser.press(NAME);
    browser.press("Sign out");
    browser.expect_heading("Sign in");
    person::sign_in(&browser, "grace", PASSWORD, "grace");
    judge.page("profile-of-a-viewer");
    browser.go(TOKENS);
    browser.expect_text("Error 403");
    judge.page("error-403");
    judge.done();
}

#[test]
fn making_a_token_is_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/profile/api-tokens/new");
    judge.page("new");
    browser.choose("Expiry date", "Custom date");
    browser.choose("Repositories", "Only selected repositories");
    judge.page("new-all-open");
    browser.fill("Name", "");
    browser.press("Create Token");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("new-refused");

    person::generate_token(&browser, "ci-build");
    judge.page("reveal");
    browser.press("Copy to Clipboard");
    browser.expect_text("Copied to clipboard.");
    judge.page("reveal-copied");
    judge.done();
}

#[test]
fn a_full_list_of_tokens_is_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    for name in ["ci-build", "nightly", "backup of the registry", "schlüssel", &"w".repeat(100)] {
        person::generate_token(&browser, name);
    }
    person::open_token(&browser, "nightly");
    browser.press("Disable");
    browser.press("Disable token");
    browser.expect_text("Disabled");
    browser.go(TOKENS);
    browser.expect_text("5 of 5 tokens");
    judge.page("tokens-full");
    browser.press("Actions for ci-build");
    judge.page("tokens-menu");
    person::open_token(&browser, &"w".repeat(100));
    judge.page("token-long-name");
    browser.press("Revoke");
    browser.until("a dialog", || (!browser.texts("dialog[open]").is_empty()).then_some(()));
    judge.page("dialog-long-name");
    browser.press("Revoke token");
    browser.expect_text("was revoked.");
    judge.page("tokens-notice");
    browser.go("/profile/api-tokens?status=revoked");
    judge.page("tokens-revoked");
    judge.done();
}

#[test]
fn the_pages_of_a_token_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    let token = person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    judge.page("token-unused");
    for agent in ["curl/8.14.1", "a program with a name so long that it has to go over more than one line/1.0"] {
        person::use_token(&server, &token, agent);
    }
    browser.until("the uses", || {
        browser.reload();
        browser.text().contains("Used 2 times").then_some(())
    });
    judge.page("token");
    let page = browser.path();
    for name in ["Rotate", "Disable", "Rename", "Revoke"] {
        browser.press(name);
        browser.until("a dialog", || (!browser.texts("dialog[open]").is_empty()).then_some(()));
        judge.page(&format!("dialog-{}", name.to_lowercase()));
        browser.go(&page);
    }
    for name in ["rotation", "disablement", "name", "revocation"] {
        browser.go(&format!("{page}/{name}"));
        judge.page(name);
    }

    browser.go(&format!("{page}/name"));
    browser.fill("Name", "");
    browser.press("Rename");
    browser.until("the refusal", || browser.title().starts_with("Error: ").then_some(()));
    judge.page("name-refused");
    browser.go(&format!("{page}/disablement"));
    browser.press("Disable token");
    browser.expect_text("Disabled");
    judge.page("token-disabled");
    browser.go(&format!("{page}/enablement"));
    judge.page("enablement");
    judge.done();
}
