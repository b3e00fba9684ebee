//! From an empty instance to a token in use, with JavaScript.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::person::{self, TOKENS};
use crate::support::server::Server;

#[test]
fn a_new_token_is_copied_and_the_list_shows_it_masked() {
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

    browser.put_into_clipboard("something else");
    browser.press("Copy to Clipboard & Close");
    browser.expect_path(TOKENS);
    assert_eq!(browser.clipboard(), token);
    browser.expect_text("1 of 5 tokens");
    browser.expect_text(&person::hint(&token));
    assert!(!browser.holds(&token));
}

#[test]
fn every_example_works_as_copied_and_pasted() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let token = person::generate_token(&browser, "ci-build");
    let copy = |example: &str, part: &str| {
        browser.press(&format!("Copy example: {example}"));
        browser.until("the copy", || Some(browser.clipboard()).filter(|code| code.contains(part)))
    };
    let variable = copy("First: set a variable", "export");
    assert_eq!(variable, format!(" export TOKENHOUSE_TOKEN={token}"));

    let examples = [
        ("curl with Bearer", "Authorization: Bearer"),
        ("curl with Basic", "user ="),
        ("Python", "python3"),
        (".netrc", ".netrc"),
    ];
    for (example, part) in examples {
        let code = copy(example, part);
        assert!(!code.contains(&token), "{example} shows the token:\n{code}");
        let home = TempDir::new().expect("a temporary folder can be made");
        let answer = run_as_pasted(&format!("{variable}\n{code}"), home.path());
        assert!(answer.contains("ci-build") && answer.contains("api_token"), "{example} printed:\n{answer}");
    }
    let headings = browser.texts("section h3");
    // Besides, the one for container registries, which tests/peers tries.
    assert_eq!(headings.len(), 2 + examples.len(), "not all examples were tried: {headings:?}");
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

/// Pastes it into an interactive shell with an empty home.
fn run_as_pasted(code: &str, home: &Path) -> String {
    let mut shell = Command::new("bash")
        .args(["--noprofile", "--norc", "-i"])
        .env("HOME", home)
        .env_remove("TOKENHOUSE_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let mut input = shell.stdin.take().expect("standard input is piped");
    input.write_all(format!("{code}\n").as_bytes()).expect("bash reads");
    drop(input);
    let output = shell.wait_with_output().expect("bash ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{code}\nfailed with {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
