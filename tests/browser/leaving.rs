//! Whichever way one leaves a page that shows a token, nothing brings the secret back: not Back out of the
//! back-forward cache, not Forward, not a reload, not a second tab.

use serde_json::json;

use crate::browser::Browser;
use crate::person::{self, GONE, TOKENS};
use crate::support::server::Server;

/// Room for a token per way out.
const MANY_TOKENS: [&str; 2] = ["--max-api-tokens", "20"];
const CONFIGURE: &str = "/repositories/alpha/configure";
const ANOTHER_SITE: &str = "data:text/html,<h1>Another site</h1>";

#[test]
fn nothing_brings_a_secret_back() {
    let server = Server::with(&MANY_TOKENS, &[]);
    let browser = person::administrator(&server);
    leave(&browser, "Copy to Clipboard & Close");
}

#[test]
fn nothing_brings_a_secret_back_without_javascript() {
    let server = Server::with(&MANY_TOKENS, &[]);
    let browser = person::administrator_without_javascript(&server);
    expect_cache(&browser);
    leave(&browser, "Close");
}

#[test]
fn nothing_brings_the_token_of_a_repository_back() {
    let server = Server::start();
    let browser = person::administrator(&server);
    leave_the_configure_tab(&browser);
}

#[test]
fn nothing_brings_the_token_of_a_repository_back_without_javascript() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    expect_cache(&browser);
    leave_the_configure_tab(&browser);
}

fn leave(browser: &Browser, close: &str) {
    let to_the_list = || browser.expect_path(TOKENS);
    expect_gone(browser, "closed", || {
        browser.press(close);
        to_the_list();
        browser.back();
    });
    expect_gone(browser, "left through a link", || {
        browser.press("API Token Management");
        to_the_list();
        browser.back();
    });
    expect_gone(browser, "left by typing an address of the portal", || {
        browser.go("/profile");
        browser.back();
    });
    expect_gone(browser, "left for another site", || {
        browser.go(ANOTHER_SITE);
        browser.expect_heading("Another site");
        browser.back();
    });
    expect_gone(browser, "left by Back and come to by Forward", || {
        browser.back();
        browser.expect_path("/profile/api-tokens/new");
        browser.forward();
    });
    expect_gone(browser, "reloaded", || browser.reload());
    expect_gone(browser, "closed and its address typed", || {
        let page = browser.path();
        browser.press(close);
        to_the_list();
        browser.go(&page);
    });

    let token = person::generate_token(browser, "second tab");
    let page = browser.path();
    browser.in_a_new_tab(|| {
        browser.go(&page);
        expect_no_secret(browser, "opened in a second tab", &page, &token);
    });
    assert_eq!(browser.value_of("#token"), token, "the second tab took it away from the first");

    rotate(browser);

    let token = person::generate_token(browser, "signed out");
    browser.press(person::NAME);
    browser.press("Sign out");
    browser.expect_heading("Sign in");
    browser.back();
    assert!(!browser.holds(&token), "signed out: Back brought the secret");
    browser.expect_heading("Sign in");
    assert!(!browser.holds(&token), "signed out: Back brought the secret after all");
}

/// A rotation shows its new secret at the same address as the page of the token, and no more often.
fn rotate(browser: &Browser) {
    let old = person::generate_token(browser, "rotated");
    let page = browser.path();
    browser.go(&format!("{page}/rotation"));
    browser.press("Rotate token");
    let new = person::revealed(browser);
    assert_ne!(new, old);
    browser.go(ANOTHER_SITE);
    browser.back();
    expect_no_secret(browser, "rotated and left for another site", &page, &new);
}

fn leave_the_configure_tab(browser: &Browser) {
    browser.go("/repositories/new");
    browser.fill("Name", "alpha");
    browser.press("Create Repository");
    let token = person::shown_repository_token(browser);
    browser.press("Overview");
    browser.expect_path("/repositories/alpha");
    browser.back();
    expect_masked(browser, "created and left through a link", &token);

    let expect_masked_again = |way: &str, leave_and_come_back: &dyn Fn()| {
        browser.press("Show My Authentication Token");
        assert_eq!(person::shown_repository_token(browser), token);
        leave_and_come_back();
        expect_masked(browser, way, &token);
    };
    expect_masked_again("shown and left by typing an address of the portal", &|| {
        browser.go("/profile");
        browser.back();
    });
    expect_masked_again("shown and left for another site", &|| {
        browser.go(ANOTHER_SITE);
        browser.expect_heading("Another site");
        browser.back();
    });
    expect_masked_again("shown and come to by Forward", &|| {
        browser.back();
        browser.until("the page before", || (!browser.holds(&token)).then_some(()));
        browser.forward();
    });
    expect_masked_again("shown and reloaded", &|| browser.reload());
    expect_masked_again("shown and opened in a second tab", &|| {
        browser.in_a_new_tab(|| {
            browser.go(CONFIGURE);
            expect_masked(browser, "opened in a second tab", &token);
        });
        assert_eq!(browser.value_of("#token"), token, "the second tab took it away from the first");
        browser.go(CONFIGURE);
    });

    browser.press("Generate New");
    browser.press("OK");
    browser.expect_text("A new token was generated for “alpha”.");
    let new = person::shown_repository_token(browser);
    browser.go(ANOTHER_SITE);
    browser.back();
    expect_masked(browser, "generated and left for another site", &new);
    assert!(!browser.holds(&token));

    browser.press("Show My Authentication Token");
    assert_eq!(person::shown_repository_token(browser), new);
    browser.press(person::NAME);
    browser.press("Sign out");
    browser.expect_heading("Sign in");
    browser.back();
    assert!(!browser.holds(&new), "signed out: Back brought the secret");
    browser.expect_heading("Sign in");
    assert!(!browser.holds(&new), "signed out: Back brought the secret after all");
}

/// The Configure tab stands there without the token, and stays like that.
#[track_caller]
fn expect_masked(browser: &Browser, way: &str, token: &str) {
    browser.expect_path(CONFIGURE);
    assert!(!browser.holds(token), "{way}: the secret is there again");
    browser.until("the masked token", || browser.value_of("#token").contains('•').then_some(()));
    assert!(!browser.holds(token), "{way}: the secret is there again, after a moment");
}

/// Makes a token, leaves the page that shows it and comes back.
#[track_caller]
fn expect_gone(browser: &Browser, way: &str, leave_and_come_back: impl FnOnce()) {
    let token = person::generate_token(browser, way);
    let page = browser.path();
    leave_and_come_back();
    expect_no_secret(browser, way, &page, &token);
}

#[track_caller]
fn expect_no_secret(browser: &Browser, way: &str, page: &str, token: &str) {
    browser.expect_path(page);
    assert!(!browser.holds(token), "{way}: the secret is there again");
    browser.expect_text(GONE);
    assert!(!browser.holds(token), "{way}: the secret is there again, after a moment");
}

/// Proves that these tests would see a page come out of the back-forward cache: one that need not fear it does.
fn expect_cache(browser: &Browser) {
    browser.go("/profile");
    browser.script("window.marked = true", vec![]);
    browser.go(ANOTHER_SITE);
    browser.back();
    browser.expect_heading("My Profile");
    let marked = browser.script("return window.marked === true", vec![]);
    assert_eq!(marked, json!(true), "the back-forward cache is off, so leaving proves nothing");
}
