//! A repository manager obtains the token of a repository, copies it, and renews it; with dialogs and without.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::key::Key;

use crate::browser::Browser;
use crate::person::{self, PASSWORD, expect_dialog, expect_no_dialog, press_in_dialog};
use crate::support::server::Server;

const MANAGER: &str = "grace";
const CONFIGURE: &str = "/repositories/alpha/configure";
const QUESTION: &str = "Generate a new token for “alpha”?";
const AGENT: &str = "skopeo/1.20";

#[test]
fn a_token_is_copied_and_renewed_in_dialogs() {
    let server = Server::start();
    let browser = Browser::open(&server);
    let first = create_repository(&server, &browser);
    expect_copies(&server, &browser, &first);
    browser.reload();
    expect_masked(&browser, &first);
    browser.press("Show My Authentication Token");
    assert_eq!(person::shown_repository_token(&browser), first);
    browser.press("Copy to Clipboard");
    browser.until("the token in the clipboard", || (browser.clipboard() == first).then_some(()));
    wait_for_caller(&browser);

    browser.press("Generate New");
    expect_dialog(&browser, QUESTION);
    expect_caution(&browser, "dialog[open]");
    browser.expect_focus("Cancel");
    browser.key(Key::Escape);
    expect_no_dialog(&browser);
    browser.expect_focus("Generate New");
    browser.press("Generate New");
    press_in_dialog(&browser, "Cancel");
    expect_no_dialog(&browser);
    assert_eq!(browser.path(), CONFIGURE);
    assert!(opens(&server, &first));

    browser.press("Generate New");
    press_in_dialog(&browser, "OK");
    browser.expect_text("A new token was generated for “alpha”.");
    assert_eq!(browser.path(), CONFIGURE);
    let second = person::shown_repository_token(&browser);
    assert!(opens(&server, &second) && !opens(&server, &first));
    browser.reload();
    expect_masked(&browser, &second);

    browser.press("Edit description");
    browser.fill("Description (optional)", "Images of the team");
    press_in_dialog(&browser, "Save description");
    browser.expect_text("The description of “alpha” was changed.");
    browser.press("Configure");
    browser.press("Delete repository");
    expect_dialog(&browser, "Delete “alpha”?");
    browser.expect_focus("Cancel");
    browser.fill("Name of the repository", "alpha");
    press_in_dialog(&browser, "Delete repository");
    browser.expect_text("Repository “alpha” was deleted.");
    assert!(!opens(&server, &second));
}

#[test]
fn a_token_is_renewed_on_a_page_of_its_own() {
    let server = Server::start();
    let browser = Browser::open(&server);
    browser.allow_javascript(false);
    let first = create_repository(&server, &browser);
    assert!(!browser.offers("Copy to Clipboard") && !browser.offers("Copy Username"));
    browser.reload();
    expect_masked(&browser, &first);
    browser.press("Show My Authentication Token");
    assert_eq!(person::shown_repository_token(&browser), first);
    wait_for_caller(&browser);

    browser.press("Generate New");
    browser.expect_heading(QUESTION);
    expect_caution(&browser, "main");
    browser.press("Cancel");
    browser.expect_path(CONFIGURE);
    browser.press("Generate New");
    browser.choose("Old token stops working", "after 1 hour");
    browser.press("OK");
    browser.expect_text("A new token was generated for “alpha”.");
    assert_eq!(browser.path(), CONFIGURE);
    let second = person::shown_repository_token(&browser);
    browser.expect_text(&format!("The old token {} still works until", person::hint(&first)));
    assert!(opens(&server, &first) && opens(&server, &second));

    browser.press("Generate New");
    browser.press("OK");
    browser.until("a third token", || (!browser.holds(&second)).then_some(()));
    let third = person::shown_repository_token(&browser);
    assert!(opens(&server, &third) && !opens(&server, &first) && !opens(&server, &second));

    browser.press("Edit description");
    browser.expect_heading("Description of “alpha”");
    browser.fill("Description (optional)", "Images of the team");
    browser.press("Save description");
    browser.expect_text("The description of “alpha” was changed.");
    browser.press("Configure");
    browser.press("Delete repository");
    browser.expect_heading("Delete “alpha”?");
    browser.fill("Name of the repository", "alpha");
    browser.press("Delete repository");
    browser.expect_text("Repository “alpha” was deleted.");
    assert!(!opens(&server, &third));
}

/// Signs a repository manager in, who creates “alpha”; the Configure tab shows its token, which opens it.
fn create_repository(server: &Server, browser: &Browser) -> String {
    person::create_user(server, MANAGER, "repository-manager");
    person::sign_in(browser, MANAGER, PASSWORD, MANAGER);
    browser.press("Repositories");
    browser.expect_text("No repositories yet");
    browser.press("Create Repository");
    browser.expect_heading("Create Repository");
    browser.fill("Name", "alpha");
    browser.press("Create Repository");
    browser.expect_text("Repository “alpha” was created.");
    assert_eq!(browser.path(), CONFIGURE);
    let token = person::shown_repository_token(browser);
    assert!(opens(server, &token));
    let basic = |name: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{token}")));
    assert_eq!(person::ask_repository(server, "alpha", &basic("alpha"), AGENT), 200);
    assert_eq!(person::ask_repository(server, "alpha", &basic("beta"), AGENT), 401);
    token
}

/// Whether the token opens the repository at this moment.
fn opens(server: &Server, token: &str) -> bool {
    person::ask_repository(server, "alpha", &format!("Bearer {token}"), AGENT) == 200
}

/// Each of the three lines is copied as it stands, and a status message says so.
fn expect_copies(server: &Server, browser: &Browser, token: &str) {
    let base_url = server.address("/api/v1/repositories/alpha");
    let lines =
        [("Copy to Clipboard", token), ("Copy Username", "alpha"), ("Copy Base URL for API Requests", &base_url)];
    for (button, value) in lines {
        browser.press(button);
        browser.expect_text("Copied to clipboard.");
        browser.until(&format!("“{value}” in the clipboard"), || (browser.clipboard() == value).then_some(()));
    }
}

#[track_caller]
fn expect_masked(browser: &Browser, token: &str) {
    let masked = browser.value("My Authentication Token");
    assert!(masked.starts_with(&token[..10]) && masked.contains('•'), "{masked}");
    assert!(!browser.holds(token) && !browser.holds(&token[10..36]), "the masked page holds the token");
    assert!(!browser.offers("Copy to Clipboard"), "a mask can be copied");
}

/// The uses so far are written.
fn wait_for_caller(browser: &Browser) {
    browser.press("Overview");
    browser.until("the caller", || {
        browser.reload();
        browser.text().contains(AGENT).then_some(())
    });
    browser.press("Configure");
    browser.expect_path(CONFIGURE);
}

/// One sees what will break, and may choose when; at once is the default.
#[track_caller]
fn expect_caution(browser: &Browser, place: &str) {
    let text = browser.texts(place).concat();
    let graces = ["at once", "after 1 hour", "after 24 hours", "after 7 days"];
    for part in ["The old token is nullified.", "may break", AGENT, "127.0.0.1"].iter().chain(&graces) {
        assert!(text.contains(part), "“{part}” is not in:\n{text}");
    }
    assert_eq!(browser.value_of(&format!("{place} input[name=grace]:checked")), "now");
}
