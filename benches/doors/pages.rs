//! How many bytes a visit takes over the wire, heads included.

use std::collections::BTreeSet;

use crate::load::{Answer, get};

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
