//! An administrator creates a service, hands over its token, which is shown once, and rotates it; and the service asks.

use serde_json::Value;

use crate::browser::Browser;
use crate::person::{self, GONE, expect_dialog, press_in_dialog};
use crate::support::server::Server;

const SERVICES: &str = "/admin/services";

#[test]
fn a_service_is_created_asks_and_gets_another_token() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let about = person::generate_token(&browser, "ci-build");
    let first = create(&browser);
    browser.press("Copy to Clipboard");
    browser.expect_text("Copied to clipboard.");
    assert_eq!(browser.clipboard(), first);
    browser.press("Copy to Clipboard & Close");
    browser.expect_path(SERVICES);
    assert!(!browser.holds(&first));
    assert_eq!(introspect(&server, &first, &about).expect("it may ask")["username"], person::USERNAME);

    browser.press("wiki");
    browser.expect_text(GONE);
    browser.press("Rotate token");
    expect_dialog(&browser, "Rotate the token of “wiki”?");
    browser.expect_focus("Cancel");
    press_in_dialog(&browser, "Rotate token");
    let second = revealed(&browser);
    assert!(introspect(&server, &first, &about).is_none() && introspect(&server, &second, &about).is_some());
    browser.press("Copy to Clipboard & Close");
    browser.press("wiki");
    browser.press("Delete service");
    expect_dialog(&browser, "Delete “wiki”?");
    browser.fill("Name of the service", "wiki");
    press_in_dialog(&browser, "Delete service");
    browser.expect_text("Service “wiki” was deleted.");
    browser.expect_text("No services yet");
    assert!(introspect(&server, &second, &about).is_none());
}

#[test]
fn a_service_is_created_and_asks_without_javascript() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    let about = person::generate_token(&browser, "ci-build");
    let first = create(&browser);
    assert!(!browser.offers("Copy to Clipboard") && !browser.offers("Copy to Clipboard & Close"));
    let page = browser.path();
    browser.press("Close");
    browser.expect_path(SERVICES);
    browser.expect_text(&person::hint(&first));
    browser.back();
    browser.expect_path(&page);
    browser.expect_text(GONE);
    assert!(!browser.holds(&first));
    assert_eq!(introspect(&server, &first, &about).expect("it may ask")["active"], true);

    browser.press("Rotate token");
    browser.expect_heading("Rotate the token of “wiki”?");
    browser.press("Cancel");
    browser.expect_heading("wiki");
    browser.press("Rotate token");
    browser.expect_heading("Rotate the token of “wiki”?");
    browser.press("Rotate token");
    let second = revealed(&browser);
    assert!(introspect(&server, &first, &about).is_none() && introspect(&server, &second, &about).is_some());
}

/// Administration › Services › Create Service; returns the token that is shown.
fn create(browser: &Browser) -> String {
    browser.press("Administration");
    browser.press("Services");
    browser.expect_path(SERVICES);
    browser.press("Create Service");
    browser.expect_heading("Create Service");
    browser.fill("Name", "wiki");
    browser.press("Create Service");
    revealed(browser)
}

fn revealed(browser: &Browser) -> String {
    browser.expect_heading("New Service Token");
    browser.expect_text("You will not be able to see this token again.");
    let token = browser.value_of("#token");
    assert!(token.starts_with("ths_") && token.len() == 42, "this is no service token: {token}");
    token
}

/// What a service is told of a token, if it may ask.
fn introspect(server: &Server, own: &str, token: &str) -> Option<Value> {
    let mut answer = ureq::post(server.address("/oauth/introspect"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("Authorization", format!("Bearer {own}"))
        .send_form([("token", token)])
        .expect("the server answers");
    (answer.status() == 200).then(|| {
        let text = answer.body_mut().read_to_string().expect("a text");
        serde_json::from_str(&text).expect("JSON")
    })
}
