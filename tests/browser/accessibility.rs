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

    /// The dialog that a link of the page opens; then the page as it was.
    fn dialog(&mut self, name: &str, link: &str) {
        let page = self.browser.path();
        self.browser.press(link);
        self.browser.until("a dialog", || (!self.browser.texts("dialog[open]").is_empty()).then_some(()));
        self.page(name);
        self.browser.go(&page);
    }

    /// The same form again, with what was refused in it.
    fn refusal(&mut self, name: &str, button: &str) {
        self.browser.press(button);
        self.browser.until("the refusal", || self.browser.title().starts_with("Error: ").then_some(()));
        self.page(name);
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
    browser.go("/profile/api-tokens/1");
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

    browser.go("/api");
    judge.page("api");
    browser.go("/api?q=xyzzy");
    judge.page("api-none-found");
    browser.go("/api?of=repositories");
    browser.press("Answers to List the repositories that the token reaches");
    judge.page("api-group");

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

#[test]
fn lists_of_repositories_and_users_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/repositories");
    judge.page("repositories-empty");
    browser.go("/repositories/new");
    judge.page("repository-new");
    browser.fill("Name", "Not A Name");
    judge.refusal("repository-new-refused", "Create Repository");
    browser.go("/admin/users");
    judge.page("users-alone");
    browser.go("/admin/users/new");
    judge.page("user-new");
    judge.refusal("user-new-refused", "Create User");

    let mut repositories: Vec<_> = (1..30).map(|number| person::repository(&format!("team-{number}"))).collect();
    repositories.push(person::repository(&long_name()));
    person::send_forms(&browser, "/repositories", &repositories);
    let mut users: Vec<_> = (1..30).map(|number| person::user(number, &format!("user-{number}"))).collect();
    users.push(person::user(0, &"w".repeat(64)));
    person::send_forms(&browser, "/admin/users", &users);
    browser.go("/repositories?sort=-name");
    browser.expect_text(&long_name());
    judge.page("repositories-full");
    browser.press("Next");
    browser.expect_text("26 to 30 of 30");
    judge.page("repositories-last");
    browser.go("/repositories?q=nothing");
    judge.page("repositories-none-found");
    browser.go("/admin/users?sort=-username");
    browser.expect_text(&"w".repeat(64));
    judge.page("users-full");
    browser.go("/admin/users?q=nothing");
    judge.page("users-none-found");
    judge.done();
}

#[test]
fn the_pages_of_a_repository_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);
    let (name, description) = (long_name(), "d".repeat(300));
    let page = format!("/repositories/{name}");

    browser.go("/repositories/new");
    browser.fill("Name", &name);
    browser.fill("Description (optional)", &description);
    browser.press("Create Repository");
    let token = person::shown_repository_token(&browser);
    judge.page("configure-shown");
    browser.go(&page);
    judge.page("repository-unused");
    browser.go(&format!("{page}/token/new"));
    judge.page("generate-new-unused");
    browser.go(&format!("{page}/access"));
    judge.page("access-empty");

    for agent in ["curl/8.14.1", "a program with a name so long that it has to go over more than one line/1.0"] {
        assert_eq!(person::ask_repository(&server, &name, &format!("Bearer {token}"), agent), 200);
    }
    browser.go(&page);
    browser.until("the uses", || {
        browser.reload();
        browser.texts("tbody tr").get(1).map(drop)
    });
    judge.page("repository");
    person::create_user(&server, "grace", "viewer");
    person::generate_token(&browser, "ci-build");
    browser.go(&format!("{page}/access"));
    judge.refusal("access-refused", "Add user");
    browser.fill("Username", "grace");
    browser.choose("Access", "Read");
    browser.press("Add user");
    browser.expect_text("grace now has access");
    judge.page("access");
    browser.go(&format!("{page}/activity"));
    judge.page("activity");

    browser.go(&format!("{page}/configure"));
    judge.page("configure");
    judge.dialog("dialog-generate-new", "Generate New");
    judge.dialog("dialog-description", "Edit description");
    judge.dialog("dialog-delete-repository", "Delete repository");
    browser.go(&format!("{page}/deletion"));
    judge.refusal("deletion-refused", "Delete repository");
    browser.go(&format!("{page}/description"));
    browser.fill("Description (optional)", &"d".repeat(301));
    judge.refusal("description-refused", "Save description");
    browser.go(&format!("{page}/token/new"));
    browser.choose("Old token stops working", "after 24 hours");
    browser.press("OK");
    browser.expect_text("still works until");
    judge.page("configure-old-token");
    judge.done();
}

#[test]
fn the_pages_of_a_user_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/admin/users/new");
    browser.fill("Username", "grace");
    browser.fill("Display name", &long_name());
    browser.fill("Email", "grace@example.org");
    browser.choose("Roles", "Developer");
    browser.press("Create User");
    browser.expect_text("User “grace” was created.");
    judge.page("user-link");
    let link = browser.value("Set-password link for “grace”");
    let page = browser.path();
    let other = browser.another();
    let mut visitor = Judge::new(&other);
    other.go(&link);
    visitor.page("set-password");
    visitor.refusal("set-password-refused", "Set password");
    other.fill("New password", PASSWORD);
    other.press("Set password");
    other.expect_text("Your password was set.");
    visitor.page("set-password-done");
    other.go(&link);
    visitor.page("set-password-used");
    person::sign_in(&other, "grace", PASSWORD, &long_name());
    other.expect_heading("Repositories");
    visitor.page("repositories-of-a-developer");
    person::generate_token(&other, "ci-build");

    browser.go(&page);
    judge.page("user");
    for (name, link) in [
        ("dialog-edit-user", "Edit"),
        ("dialog-reset-password", "Reset password"),
        ("dialog-sign-out", "Sign out everywhere"),
        ("dialog-disable-user", "Disable"),
    ] {
        judge.dialog(name, link);
    }
    browser.go(&format!("{page}/edit"));
    browser.fill("Display name", "");
    judge.refusal("edit-user-refused", "Save");
    browser.go(&format!("{page}/disablement"));
    judge.page("disable-user");
    browser.press("Disable user");
    browser.expect_text("User “grace” was disabled.");
    judge.page("user-disabled");
    browser.go(&format!("{page}/enablement"));
    judge.page("enable-user");
    judge.faults.extend(visitor.faults);
    judge.done();
}

#[test]
fn the_pages_of_services_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    browser.go("/admin/services");
    judge.page("services-empty");
    browser.go("/admin/services/new");
    judge.page("service-new");
    browser.fill("Name", "Not A Name");
    judge.refusal("service-new-refused", "Create Service");
    browser.fill("Name", &long_name());
    browser.fill("Description (optional)", &"d".repeat(300));
    browser.press("Create Service");
    browser.expect_heading("New Service Token");
    judge.page("service-reveal");
    let (page, token) = (browser.path(), browser.value_of("#token"));
    person::use_token(&server, &token, "a program with a name so long that it has to go over more than one line/1.0");
    browser.until("the use", || {
        browser.reload();
        browser.text().contains("Used 1 time on").then_some(())
    });
    judge.page("service");
    judge.dialog("dialog-rotate-service", "Rotate token");
    judge.dialog("dialog-delete-service", "Delete service");
    browser.go(&format!("{page}/rotation"));
    judge.page("service-rotation");
    browser.go(&format!("{page}/deletion"));
    judge.refusal("service-deletion-refused", "Delete service");
    person::revoke_held(&server, &token);
    browser.go(&page);
    browser.expect_text("by somebody who held it");
    judge.page("service-cut-off");
    browser.go("/admin/services");
    judge.page("services");
    browser.go("/admin/services?q=nothing");
    judge.page("services-none-found");
    judge.done();
}

#[test]
fn the_notices_of_tokens_that_were_revoked_by_holders_are_accessible() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut judge = Judge::new(&browser);

    let token = person::generate_token(&browser, &long_name());
    person::revoke_held(&server, &token);
    browser.go(TOKENS);
    browser.expect_text("by somebody who held it");
    judge.page("tokens-revoked-by-holder");
    browser.press(&format!("“{}”", long_name()));
    browser.expect_heading(&long_name());
    judge.page("token-revoked-by-holder");
    browser.go("/repositories/new");
    browser.fill("Name", &long_name());
    browser.press("Create Repository");
    person::revoke_held(&server, &person::shown_repository_token(&browser));
    browser.go(&format!("/repositories/{}/configure", long_name()));
    browser.expect_text("by somebody who held it");
    judge.page("configure-revoked-by-holder");
    judge.done();
}

/// As long as names may be.
fn long_name() -> String {
    "w".repeat(100)
}
