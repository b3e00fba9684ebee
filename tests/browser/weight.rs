//! What the pages weigh over the wire, and that nothing comes from anywhere but this server.

use crate::browser::Browser;
use crate::person::{self, TOKENS};
use crate::support::server::Server;

/// A page with all its files, on an empty cache.
const FIRST_VISIT: u64 = 60_000;
/// Any page after that.
const LATER_PAGE: u64 = 16_000;

/// Adds up what each page takes.
struct Scales<'a> {
    browser: &'a Browser,
    origin: String,
    faults: Vec<String>,
}

impl Scales<'_> {
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
    let mut scales = Scales { browser: &browser, origin: server.address("/"), faults: Vec::new() };
    browser.traffic();
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
    browser.go("/reauthenticate?next=/profile");
    scales.page("reauthentication", LATER_PAGE);
    assert!(scales.faults.is_empty(), "{}", scales.faults.join("\n"));
}
