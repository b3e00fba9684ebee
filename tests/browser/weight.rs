//! What the pages weigh over the wire, and that nothing comes from anywhere but this server.

use serde_json::json;

use crate::browser::Browser;
use crate::person::{self, TOKENS};
use crate::support::server::Server;

/// A page with all its files, on an empty cache.
const FIRST_VISIT: u64 = 60_000;
/// Any page after that.
const LATER_PAGE: u64 = 16_000;
/// Configure contains whole configurations of three proxies and a registry.
const CONFIGURE_PAGE: u64 = 17_500;
/// A list of 25 rows.
const LONG_LIST: u64 = 40_000;

/// Adds up what each page takes.
struct Scales<'a> {
    browser: &'a Browser,
    origin: String,
    faults: Vec<String>,
}

impl<'a> Scales<'a> {
    fn new(browser: &'a Browser, server: &Server) -> Self {
        browser.traffic();
        Self { browser, origin: server.address("/"), faults: Vec::new() }
    }

    fn page(&mut self, name: &str, most: u64) {
        let mut traffic = self.browser.traffic();
        traffic.retain(|(address, _)| !address.starts_with("data:"));
        let bytes: u64 = traffic.iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes > 0, "{name} was not seen on the wire");
        if bytes > most {
            self.faults.push(format!("{name} takes {bytes} bytes: {traffic:#?}"));
        }
        for (address, _) in traffic {
            if !address.starts_with(&self.origin) {
                self.faults.push(format!("{name} asks elsewhere: {address}"));
            }
        }
    }
}

#[test]
fn the_first_visit_is_light_and_later_pages_are_lighter() {
    let server = Server::start();
    let browser = Browser::open(&server);
    let mut scales = Scales::new(&browser, &server);
    browser.go(&server.setup_address());
    scales.page("setup, first of all", FIRST_VISIT);
    person::fill_in_setup(&browser);
    browser.traffic();

    browser.go("/profile");
    scales.page("profile", LATER_PAGE);
    browser.go(TOKENS);
    scales.page("list, empty", LATER_PAGE);
    browser.go("/profile/api-tokens/new");
    scales.page("form", LATER_PAGE);
    browser.fill("Name", "ci-build");
    browser.press("Create Token");
    person::revealed(&browser);
    scales.page("creation and reveal", LATER_PAGE);
    let page = browser.path();
    browser.go(&page);
    scales.page("token", LATER_PAGE);
    for confirmation in ["rotation", "disablement", "name", "revocation"] {
        browser.go(&format!("{page}/{confirmation}"));
        scales.page(confirmation, LATER_PAGE);
    }
    for name in ["second", "third", "fourth", &"w".repeat(100)] {
        person::generate_token(&browser, name);
    }
    browser.traffic();
    browser.go(TOKENS);
    scales.page("list, full", LATER_PAGE);
    browser.go("/nowhere");
    scales.page("error", LATER_PAGE);
    browser.go("/api");
    scales.page("API", LATER_PAGE);
    for group in browser.texts("main h2 a") {
        browser.go(&format!("/api?of={}", group.to_lowercase().replace(' ', "-")));
        browser.expect_heading(&group);
        scales.page(&format!("API, {group}"), LATER_PAGE);
    }
    browser.go("/reauthenticate?next=/profile");
    scales.page("reauthentication", LATER_PAGE);
    assert!(scales.faults.is_empty(), "{}", scales.faults.join("\n"));
}

#[test]
fn lists_of_25_rows_are_light_and_so_are_the_pages_behind_them() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let mut names: Vec<String> = (1..30).map(|number| format!("team-{number}.images")).collect();
    names.push("w".repeat(100));
    let repositories: Vec<_> = names.iter().map(|name| person::repository(name)).collect();
    person::send_forms(&browser, "/repositories", &repositories);
    let users: Vec<_> = (1..30).map(|number| person::user(number, &format!("user-{number}"))).collect();
    person::send_forms(&browser, "/admin/users", &users);

    let mut scales = Scales::new(&browser, &server);
    browser.devtools("Network.clearBrowserCache", json!({}));
    browser.go("/repositories");
    browser.expect_text("of 30");
    scales.page("repositories, first of all", FIRST_VISIT);
    for path in ["/repositories", "/admin/users"] {
        browser.go(path);
        scales.page(path, LONG_LIST);
    }
    let repository = format!("/repositories/{}", "w".repeat(100));
    for page in ["", "/access", "/activity", "/token/new", "/description", "/deletion"] {
        browser.go(&format!("{repository}{page}"));
        scales.page(&format!("a repository{page}"), LATER_PAGE);
    }
    // Configure tells the name thirty times over: of an ordinary repository.
    let configure = "/repositories/team-1.images/configure";
    browser.go(configure);
    scales.page(configure, CONFIGURE_PAGE);
    for path in ["/repositories/new", "/admin/users/new", "/admin/policies", "/profile/security"] {
        browser.go(path);
        scales.page(path, LATER_PAGE);
    }
    browser.go("/admin/users");
    browser.traffic();
    browser.press("User 1");
    browser.expect_heading("User 1");
    scales.page("a user", LATER_PAGE);
    assert!(scales.faults.is_empty(), "{}", scales.faults.join("\n"));
}
