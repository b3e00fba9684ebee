//! What the flows have in common: the steps a person takes, by the labels on the pages.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::server::{Server, tokenhouse};

pub const NAME: &str = "Ada Lovelace";
pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "lantern orbit sixteen quiet";
pub const TOKENS: &str = "/profile/api-tokens";
pub const GONE: &str = "This token can no longer be shown.";

/// A browser in which the first administrator has just been created, and is signed in.
pub fn administrator(server: &Server) -> Browser {
    let browser = Browser::open(server);
    set_up(&browser, server);
    browser
}

/// The same with JavaScript switched off from the first page on.
pub fn administrator_without_javascript(server: &Server) -> Browser {
    let browser = Browser::open(server);
    browser.allow_javascript(false);
    set_up(&browser, server);
    browser
}

fn set_up(browser: &Browser, server: &Server) {
    browser.go(&server.setup_address());
    fill_in_setup(browser);
}

/// The rest of the way from the page that creates the first administrator.
pub fn fill_in_setup(browser: &Browser) {
    // At once; the test of this page types.
    let script = "for (const [name, value] of arguments) document.getElementById(name).value = value";
    let fields = [("username", USERNAME), ("display_name", NAME), ("email", "ada@example.org"), ("password", PASSWORD)];
    browser.script(script, fields.map(|field| json!(field)).to_vec());
    browser.press("Create administrator");
    browser.until("the user menu", || browser.offers(NAME).then_some(()));
}

/// Another user, created in the shell while the server runs.
pub fn create_user(server: &Server, username: &str, role: &str) {
    let mut command = tokenhouse()
        .args(["user", "create", username, "--role", role, "--password-stdin", "--data-dir"])
        .arg(server.data_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut input = command.stdin.take().expect("standard input is piped");
    writeln!(input, "{PASSWORD}").expect("the program reads the password");
    drop(input);
    assert!(command.wait().expect("it ends").success(), "{username} was not created");
}

/// Signs in as `username`, whom the user menu calls `name`.
#[track_caller]
pub fn sign_in(browser: &Browser, username: &str, password: &str, name: &str) {
    browser.go("/login");
    browser.fill("Username", username);
    browser.fill("Password", password);
    browser.press("Sign in");
    browser.until("the user menu", || browser.offers(name).then_some(()));
}

/// User menu › My Profile › API Token Management.
#[track_caller]
pub fn go_to_tokens(browser: &Browser) {
    browser.press(NAME);
    browser.press("My Profile");
    browser.expect_heading("My Profile");
    browser.press("API Token Management");
    browser.expect_path(TOKENS);
}

/// From the list to the page that shows a new token, which is the answer.
#[track_caller]
pub fn generate_token(browser: &Browser, name: &str) -> String {
    browser.go(TOKENS);
    browser.press("Generate New Token");
    browser.expect_heading("Generate New Token");
    browser.fill("Name", name);
    browser.press("Create Token");
    revealed(browser)
}

/// The token that the reveal page shows.
#[track_caller]
pub fn revealed(browser: &Browser) -> String {
    browser.expect_text("You will not be able to see this token again.");
    let token = browser.value_of("#token");
    assert!(token.starts_with("thp_") && token.len() == 42, "this is no API token: {token}");
    token
}

/// From anywhere to the page of the token with this name.
#[track_caller]
pub fn open_token(browser: &Browser, name: &str) {
    browser.go(TOKENS);
    browser.press(name);
    browser.expect_heading(name);
}

/// What the Configure tab shows as My Authentication Token, in full.
#[track_caller]
pub fn shown_repository_token(browser: &Browser) -> String {
    let token = browser.until("the repository token", || {
        let shown = browser.texts("h2").contains(&"Repository Information".to_owned());
        shown.then(|| browser.value_of("#token")).filter(|value| !value.contains('•'))
    });
    assert!(token.starts_with("thr_") && token.len() == 42, "this is no repository token: {token}");
    token
}

/// Sends many forms at once, as the page that is shown would one after the other.
#[track_caller]
pub fn send_forms(browser: &Browser, path: &str, forms: &[Value]) {
    let script = "const [path, forms, done] = arguments;
        const send = form => fetch(path, {method: 'POST', redirect: 'manual', body: new URLSearchParams(form)});
        Promise.all(forms.map(send)).then(answers => done(answers.map(answer => answer.type)), error => done([`${error}`]))";
    let answers = browser.script_async(script, vec![json!(path), json!(forms)]);
    let answers = answers.as_array().expect("a list of answers");
    assert!(answers.iter().all(|answer| answer == "opaqueredirect"), "a form was refused: {answers:?}");
}

/// A repository with a description, as the form of Create Repository has it.
pub fn repository(name: &str) -> Value {
    json!({"name": name, "description": format!("Images of {name}"), "nonce": nonce(name)})
}

/// Another for each text.
fn nonce(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:022}", hasher.finish())
}

/// A user without a role, as the form of Create User has them.
pub fn user(number: u32, username: &str) -> Value {
    let (name, email) = (format!("User {number}"), format!("{username}@example.org"));
    json!({"username": username, "display_name": name, "email": email, "nonce": (number + 1).to_string()})
}

/// What a program does with a token.
pub fn use_token(server: &Server, token: &str, agent: &str) {
    let answer = ureq::get(server.address("/api/v1/me"))
        .header("Authorization", format!("Bearer {token}"))
        .header("User-Agent", agent)
        .call();
    answer.expect("the token is good");
}

/// What whoever found a token does with it.
pub fn revoke_held(server: &Server, token: &str) {
    ureq::post(server.address("/oauth/revoke")).send_form([("token", token)]).expect("it is taken");
}

/// The status with which the Repository API answers a program.
pub fn ask_repository(server: &Server, name: &str, authorization: &str, agent: &str) -> u16 {
    let request = ureq::get(server.address(&format!("/api/v1/repositories/{name}")))
        .config()
        .http_status_as_error(false)
        .build()
        .header("Authorization", authorization)
        .header("User-Agent", agent);
    request.call().expect("the server answers").status().as_u16()
}

/// How a token is shown once its secret is not: its prefix and first six characters.
pub fn hint(token: &str) -> String {
    format!("{}…", &token[..10])
}

/// The dialog with this heading is open.
#[track_caller]
pub fn expect_dialog(browser: &Browser, heading: &str) {
    browser.until(&format!("dialog “{heading}”"), || {
        let text = browser.texts("dialog[open]").concat();
        text.contains(heading).then_some(())
    });
}

#[track_caller]
pub fn expect_no_dialog(browser: &Browser) {
    browser.until("no dialog", || browser.texts("dialog[open]").is_empty().then_some(()));
}

/// What lies under a modal dialog cannot be pressed, so the name alone would do once the dialog is open.
#[track_caller]
pub fn press_in_dialog(browser: &Browser, name: &str) {
    browser.until("a dialog", || (!browser.texts("dialog[open]").is_empty()).then_some(()));
    browser.press(name);
}
