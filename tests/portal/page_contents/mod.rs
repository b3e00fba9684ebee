//! What each page shows, frozen as a snapshot: title, headings, links, buttons, fields, table headings and notices.
//!
//! One snapshot for each GET route of the scope `Pages`, with the main states of its page and what its form leads to.

mod administration;
mod api_tokens;
mod profile;
mod public;
mod repositories;
mod services;
mod users;

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::percent_decode_str;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::outline::outline;
use crate::support::redact::redact;
use crate::support::{Answer, Browser, Page, Portal, on_both};

on_both![
    public_pages_show_what_they_showed,
    setup_page_shows_what_it_showed,
    profile_pages_show_what_they_showed,
    api_token_pages_show_what_they_showed,
    repository_pages_show_what_they_showed,
    administration_pages_show_what_they_showed,
    user_pages_show_what_they_showed,
    service_pages_show_what_they_showed,
];

fn public_pages_show_what_they_showed(portal: Portal) {
    public::freeze(&portal);
}

fn setup_page_shows_what_it_showed(portal: Portal) {
    public::freeze_setup(&portal);
}

fn profile_pages_show_what_they_showed(portal: Portal) {
    profile::freeze(&portal);
}

fn api_token_pages_show_what_they_showed(portal: Portal) {
    api_tokens::freeze(&portal);
}

fn repository_pages_show_what_they_showed(portal: Portal) {
    repositories::freeze(&portal);
}

fn administration_pages_show_what_they_showed(portal: Portal) {
    administration::freeze(&portal);
}

fn user_pages_show_what_they_showed(portal: Portal) {
    users::freeze(&portal);
}

fn service_pages_show_what_they_showed(portal: Portal) {
    services::freeze(&portal);
}

#[test]
fn every_page_has_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portal/page_contents/snapshots");
    let pages = ROUTES.iter().filter(|route| route.scope == Scope::Pages && route.method == "GET");
    let file = |path: &str| format!("portal__page_contents__{}.snap", snapshot_name(path));
    let missing: Vec<_> = pages.map(|route| route.path).filter(|path| !folder.join(file(path)).exists()).collect();
    assert!(
        missing.is_empty(),
        "pages without a snapshot: {missing:?}. Add their states to tests/portal/page_contents"
    );
}

/// `/profile/api-tokens/{id}/name` is `profile.api-tokens.id.name`.
fn snapshot_name(path: &str) -> String {
    let name = path.trim_matches('/').replace('/', ".").replace(['{', '}'], "");
    if name.is_empty() { "home".to_owned() } else { name }
}

/// What the pages of some routes show, state by state.
struct Recording<'p> {
    portal: &'p Portal,
    by_route: BTreeMap<&'static str, String>,
}

impl<'p> Recording<'p> {
    fn new(portal: &'p Portal) -> Self {
        Self { portal, by_route: BTreeMap::new() }
    }

    /// Opens a page.
    fn open(&mut self, route: &'static str, state: &str, browser: &Browser<'_>, path: &str) {
        self.add(route, state, browser.open(path));
    }

    /// Submits the form on the page at `path` whose action ends like this, with these values in place of its own.
    fn submit(&mut self, route: &'static str, state: &str, browser: &Browser<'_>, path: &str, form: Form<'_>) {
        let page = browser.page(path);
        let found = page.forms().into_iter().find(|own| own.action.ends_with(form.action));
        let mut found = found.unwrap_or_else(|| panic!("no form leads to {}: {:?}", form.action, page.answer));
        for (name, value) in form.values {
            found = found.tampered(name, value);
        }
        let answer = browser.submit(&found);
        let is_redirect = answer.status == 303;
        let location = if is_redirect { answer.location().to_owned() } else { String::new() };
        self.add(route, state, answer);
        if is_redirect {
            self.add(route, &format!("{state}, next page"), browser.open(&location));
        }
    }

    fn add(&mut self, route: &'static str, state: &str, answer: Answer) {
        let mut text = format!("=== {state} ===\nstatus: {}\n", answer.status);
        if answer.status == 303 {
            let location = percent_decode_str(answer.location()).decode_utf8().expect("an address in UTF-8");
            text += &format!("location: {location}\n");
        } else {
            text += &outline(&Page::new(answer));
            text.push('\n');
        }
        let recorded = self.by_route.entry(route).or_default();
        if !recorded.is_empty() {
            recorded.push('\n');
        }
        recorded.push_str(&redact(self.portal, &text));
    }

    /// Compares everything with the snapshots.
    fn finish(self) {
        for (route, text) in self.by_route {
            insta::assert_snapshot!(snapshot_name(route), text);
        }
    }
}

/// A form, by the end of its action, and the values that differ from what the page suggests.
struct Form<'f> {
    action: &'f str,
    values: &'f [(&'f str, &'f str)],
}
