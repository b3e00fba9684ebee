//! What pages link to: all of it is there, and whoever sees a link may follow it.

use std::collections::{BTreeSet, VecDeque};

use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::{Browser, Portal, User, on_both};

on_both![
    each_privilege_shows_what_it_opens_and_nothing_else,
    every_link_that_somebody_sees_leads_somewhere,
    every_page_is_linked_for_an_administrator,
];

const ADMINISTRATION: &str = "nav[aria-label=Administration] a";

/// A user with one privilege and no other.
fn with_only(portal: &Portal, privilege: Privilege) -> User<'_> {
    let name = privilege.name().replace('_', "-");
    portal.role(&name, &[privilege]);
    portal.user_with(String::leak(name.clone()), &name)
}

fn each_privilege_shows_what_it_opens_and_nothing_else(portal: Portal) {
    let look = |browser: &Browser<'_>| {
        let main = browser.page("/profile").texts("nav[aria-label=Main] a");
        let profile = browser.page("/profile").texts("nav[aria-label='My Profile'] a");
        let tabs = match browser.open("/admin").status {
            403 => Vec::new(),
            _ => browser.follow(browser.open("/admin")).texts(ADMINISTRATION),
        };
        [main, profile, tabs].map(|words| words.join(", "))
    };
    let (without, with) =
        ("User Information, Sessions & Security", "User Information, API Token Management, Sessions & Security");
    for (privilege, expected) in [
        (Privilege::ApiAccess, ["My Profile", with, ""]),
        (Privilege::ViewRepositories, ["Repositories, My Profile", without, ""]),
        (Privilege::RepositoryManagement, ["Repositories, My Profile", without, ""]),
        (Privilege::UserManagement, ["Administration, My Profile", without, "Users"]),
        (Privilege::SystemManagement, ["Administration, My Profile", without, "Services, Policies"]),
        (Privilege::ViewAuditLog, ["My Profile", without, ""]),
    ] {
        assert_eq!(look(&with_only(&portal, privilege).sign_in()), expected, "{privilege:?}");
    }
    let root = portal.user_with("root", "administrator").sign_in();
    assert_eq!(look(&root), ["Repositories, Administration, My Profile", with, "Users, Services, Policies"]);
    for page in ["/admin/users", "/admin/services", "/admin/policies"] {
        assert_eq!(root.page(page).texts(ADMINISTRATION), ["Users", "Services", "Policies"], "{page}");
    }
}

/// Something of every kind, in every state that has links of its own; and an administrator, whose tokens they are.
fn furnish(portal: &Portal) -> Browser<'_> {
    let root = portal.user_with("root", "administrator");
    let browser = root.sign_in();
    browser.create_repository("alpha");
    browser.generate_new("alpha", "after 1 hour");
    portal.repository("beta");
    portal.service("wiki");
    for name in ["active", "disabled", "revoked", "expired"] {
        let token = portal.token_named(&root, name);
        match name {
            "disabled" => portal.disable(&token),
            "revoked" => portal.revoke(&token),
            "expired" => portal.sql("UPDATE api_tokens SET expires_at = 1 WHERE name = 'expired'"),
            _ => {
                portal.api(&token.secret, "/api/v1/repositories/alpha").with(200);
            }
        }
    }
    let (eve, gone) = (portal.user("eve"), portal.user("gone"));
    browser.post("/repositories/alpha/access", &[("username", "eve"), ("permission", "read")]).with(303);
    portal.token(&eve, |wish| wish.permissions.repositories = Permission::Write);
    gone.disable();
    portal.flush();
    browser
}

/// Follows every link from `/` on, once each however it is searched and sorted. Returns the routes that were found.
fn crawl(browser: &Browser<'_>, who: &str) -> BTreeSet<&'static str> {
    let (mut known, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = VecDeque::from([("/".to_owned(), "the beginning".to_owned())]);
    while let Some((address, from)) = waiting.pop_front() {
        let answer = browser.open(&address);
        let path = address.split('?').next().unwrap_or_default();
        let route = route_of(path).unwrap_or_else(|| panic!("{address}, linked on {from} for {who}, is no route"));
        found.insert(route);
        let mut links = Vec::new();
        match answer.status {
            303 => links.push(answer.location().to_owned()),
            200 if answer.header("content-type") == Some("text/html; charset=utf-8") => {
                let page = answer.page();
                let addresses = page.all("[href], [src]").into_iter().map(|one| one.attr("href").or(one.attr("src")));
                for link in addresses.map(|address| address.expect("one of them is there")) {
                    let (link, place) = link.split_once('#').unwrap_or((link, ""));
                    let here = !link.is_empty() || page.all(&format!("[id='{place}']")).len() == 1;
                    assert!(here, "#{place} is nowhere on {address}");
                    if !link.is_empty() {
                        links.push(link.to_owned());
                    }
                }
            }
            200 => {}
            status => panic!("{address}, linked on {from} for {who}, is answered {status}"),
        }
        for link in links {
            assert!(link.starts_with('/') && !link.starts_with("//"), "{address} leads out: {link}");
            if known.insert(without_values(&link)) {
                waiting.push_back((link, address.clone()));
            }
        }
        assert!(known.len() < 500, "a small house has few pages: {known:?}");
    }
    found
}

/// An address with the names of its query alone.
fn without_values(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    format!("{path}?{}", names.join("&"))
}

/// The route with most words of its own.
fn route_of(path: &str) -> Option<&'static str> {
    let parts: Vec<_> = path.split('/').collect();
    let fits = |route: &str| {
        let own: Vec<_> = route.split('/').collect();
        own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.starts_with('{') || own == part)
    };
    let routes = ROUTES.iter().filter(|route| route.method == "GET" && fits(route.path));
    routes.map(|route| route.path).min_by_key(|path| path.matches('{').count())
}

fn every_link_that_somebody_sees_leads_somewhere(portal: Portal) {
    furnish(&portal);
    assert!(crawl(&portal.visitor(), "a visitor").contains("/login"));
    for privilege in Privilege::ALL {
        let found = crawl(&with_only(&portal, privilege).sign_in(), privilege.name());
        assert!(found.contains("/profile/security"), "{found:?}");
    }
    portal.role("none", &[]);
    let granted = portal.user_with("ada", "none");
    granted.grant(portal.repository("gamma"), Permission::Write);
    let found = crawl(&granted.sign_in(), "somebody with a grant alone");
    assert!(found.contains("/repositories/{name}"), "{found:?}");
}

fn every_page_is_linked_for_an_administrator(portal: Portal) {
    let found = crawl(&furnish(&portal), "an administrator");
    // What comes before one is signed in, and what comes up where a password is needed again.
    let unlinked = ["/admin", "/login", "/reauthenticate", "/set-password", "/setup"];
    let pages = ROUTES.iter().filter(|route| route.scope == Scope::Pages && route.method == "GET");
    let pages: BTreeSet<_> = pages.map(|route| route.path).filter(|path| !unlinked.contains(path)).collect();
    let missing: Vec<_> = pages.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?} is linked nowhere");
}
