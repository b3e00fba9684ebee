//! From an empty instance to a token in use, with JavaScript; and that its secret is never seen a second time.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::browser::Browser;
use crate::person::{self, GONE, TOKENS};
use crate::support::server::Server;

#[test]
fn a_new_token_is_copied_and_the_example_works_as_pasted() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::go_to_tokens(&browser);
    browser.expect_text("0 of 5 tokens");
    browser.press("Generate New Token");
    assert_eq!(browser.value("Name"), "Token 1");
    browser.fill("Name", "ci-build");
    browser.choose("Expiry date", "30 days");
    browser.choose("Account", "Read");
    browser.press("Create Token");

    let token = person::revealed(&browser);
    assert_eq!(browser.heading(), "New API Token");
    browser.press("Copy to Clipboard");
    browser.expect_text("Copied to clipboard.");
    assert_eq!(browser.clipboard(), token);

    let answer = run_as_pasted(&bearer_example(&browser), &token);
    assert!(answer.contains("ci-build"), "the example printed:\n{answer}");

    browser.put_into_clipboard("something else");
    browser.press("Copy to Clipboard & Close");
    browser.expect_path(TOKENS);
    assert_eq!(browser.clipboard(), token);
    browser.expect_text("1 of 5 tokens");
    browser.expect_text(&person::hint(&token));
    assert!(!browser.holds(&token));
}

#[test]
fn going_back_never_shows_the_secret_again() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let token = person::generate_token(&browser, "ci-build");
    let page = browser.path();
    browser.press("Copy to Clipboard & Close");
    browser.expect_path(TOKENS);

    browser.back();
    browser.expect_path(&page);
    assert!(!browser.holds(&token), "Back brought the secret");
    browser.expect_text(GONE);
    assert!(!browser.holds(&token));
}

#[test]
fn leaving_through_a_link_and_going_back_never_shows_the_secret_again() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let token = person::generate_token(&browser, "ci-build");
    let page = browser.path();
    browser.press("API Token Management");
    browser.expect_path(TOKENS);

    browser.back();
    browser.expect_path(&page);
    assert!(!browser.holds(&token), "Back brought the secret");
    browser.expect_text(GONE);
}

#[test]
fn a_reload_never_shows_the_secret_again() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let token = person::generate_token(&browser, "ci-build");

    browser.reload();
    browser.expect_text(GONE);
    assert!(!browser.holds(&token));
}

#[test]
fn a_second_tab_never_shows_the_secret_and_leaves_the_first_one_alone() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let token = person::generate_token(&browser, "ci-build");
    let page = browser.path();

    browser.new_tab();
    browser.go(&page);
    browser.expect_text(GONE);
    assert!(!browser.holds(&token));
    browser.close_tab();
    assert_eq!(browser.value_of("#token"), token);
}

#[test]
fn a_refused_form_keeps_what_was_typed_and_leads_to_the_field() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci-build");
    browser.go("/profile/api-tokens/new");
    browser.fill("Name", "CI-Build");
    browser.choose("Expiry date", "365 days");
    browser.press("Create Token");

    browser.expect_text("already exists");
    assert!(browser.title().starts_with("Error: "), "{}", browser.title());
    assert_eq!(browser.value("Name"), "CI-Build");
    assert_eq!(browser.value_of("input[name=expiry]:checked"), "365");
    let message = browser.texts("[role=alert] li a").remove(0);
    browser.press(&message);
    browser.expect_focus("Name");
}

/// The example that sends the token as Bearer, with the line that sets its variable if that stands apart.
fn bearer_example(browser: &Browser) -> String {
    let examples = browser.texts("pre code");
    let bearer = examples
        .iter()
        .find(|code| code.contains("curl") && code.contains("Bearer"))
        .unwrap_or_else(|| panic!("no example for curl with Bearer among {examples:#?}"));
    let variable = examples.iter().find(|code| !code.contains("curl") && code.contains("export "));
    match variable {
        Some(variable) if !bearer.contains("export ") => format!("{variable}\n{bearer}"),
        _ => bearer.clone(),
    }
}

/// Pastes it into a shell, and the token as well should the shell ask for it.
fn run_as_pasted(code: &str, token: &str) -> String {
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let mut input = shell.stdin.take().expect("standard input is piped");
    writeln!(input, "{token}").ok(); // it may have ended without asking
    drop(input);
    let output = shell.wait_with_output().expect("bash ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{code}\nfailed with {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
