//! The pages that people see: how quickly they are answered, and how many bytes a visit takes over the wire, heads included.

use std::collections::BTreeSet;

use crate::load::{Answer, Requests, get};
use crate::process::Server;
use crate::report::Case;
use crate::repositories::BUSY;

/// Every page that a signed-in administrator can ask for, but the confirmations, which show less than what they confirm.
pub fn cases<'a>(portal: &'a Server, session: &str) -> Vec<Case<'a>> {
    let case = |name: &'static str, path: &str| Case::new(name, portal, Requests::page(path, session));
    let of = |tab: &str| format!("/repositories/{BUSY}{tab}");
    let first = |list: &str| {
        let page = page(portal.address(), list, session);
        links(&page, list).expect("the list has a row")
    };
    vec![
        case("My Profile", "/profile"),
        case("token list, 5 tokens", "/profile/api-tokens"),
        case("a token", &first("/profile/api-tokens")),
        case("Generate New Token", "/profile/api-tokens/new"),
        case("Sessions & Security", "/profile/security"),
        case("repositories, 25 of 1,000", "/repositories"),
        case("repositories, the last page", "/repositories?page=40"),
        case("repositories, by last use", "/repositories?sort=-used"),
        case("repositories, searched", "/repositories?q=number%2073"),
        case("Create Repository", "/repositories/new"),
        case("repository: Overview", &of("")),
        case("repository: Configure", &of("/configure")),
        case("repository: Generate New", &of("/token/new")),
        case("repository: Access", &of("/access")),
        case("repository: Activity", &of("/activity")),
        case("repository: deletion", &of("/deletion")),
        case("users, the first page", "/admin/users"),
        case("users, searched", "/admin/users?q=user17"),
        case("a user", &first("/admin/users")),
        case("Create User", "/admin/users/new"),
        case("services", "/admin/services"),
        case("a service", &first("/admin/services")),
        case("Policies", "/admin/policies"),
        case("API, all operations", "/api"),
        case("API, those of repositories", "/api?of=repositories"),
    ]
}

/// The address of the first row of a list.
fn links(page: &Answer, list: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&page.body);
    let row = &text[text.find("<tbody>")?..];
    let link = &row[row.find(&format!("{list}/"))?..];
    link.split('"').next().map(str::to_owned)
}

/// The address of the stylesheet, which changes with its content.
pub fn stylesheet(address: &str) -> String {
    let page = page(address, "/login", "");
    files(&page).into_iter().find(|path| path.ends_with(".css")).expect("the page has a stylesheet")
}

/// Prints what the first page costs with all its files, and the later ones without.
pub fn sizes(address: &str, session: &str) {
    let pages =
        ["/login", "/profile", "/profile/api-tokens", "/profile/api-tokens/new", "/repositories", "/admin/users"];
    let pages = pages.map(|path| (path, page(address, path, session)));
    let all: BTreeSet<String> = pages.iter().flat_map(|(_, page)| files(page)).collect();
    let files: usize = all.iter().map(|path| page(address, path, "").size()).sum();
    println!("page sizes over the wire, heads included");
    for path in &all {
        println!("  {:<28}{:>8} bytes", path, page(address, path, "").size());
    }
    for (path, page) in &pages {
        println!("  {:<28}{:>8} bytes, {} on the first visit", path, page.size(), page.size() + files);
    }
    println!();
}

fn page(address: &str, path: &str, session: &str) -> Answer {
    let answer = get(address, path, &format!("Cookie: {session}\r\nAccept-Encoding: gzip\r\n"));
    assert_eq!(answer.status, 200, "{path}");
    answer
}

/// The files that a page names.
fn files(page: &Answer) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&page.body);
    text.split('"')
        .filter(|part| part.starts_with("/static/"))
        .map(|part| part.split('#').next().unwrap_or(part).to_owned())
        .collect()
}
