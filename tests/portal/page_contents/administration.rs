//! Administration: its entry, and policies.

use tokenhouse::domain::privilege::Privilege;

use super::{Form, Recording};
use crate::support::Portal;

const POLICIES: &str = "/admin/policies";

pub fn freeze(portal: &Portal) {
    portal.role("users", &[Privilege::UserManagement]);
    portal.role("system", &[Privilege::SystemManagement]);
    let mut pages = Recording::new(portal);
    let root = portal.user_with("root", "administrator").sign_in();
    for (actor, browser) in [
        ("signed out", portal.visitor()),
        ("Developer", portal.user("ada").sign_in()),
        ("only User Management", portal.user_with("uma", "users").sign_in()),
        ("only System Management", portal.user_with("sam", "system").sign_in()),
        ("Administrator", root.clone()),
    ] {
        pages.open("/admin", actor, &browser, "/admin");
        pages.open(POLICIES, actor, &browser, POLICIES);
    }
    let wrong = [("max_api_tokens", "none"), ("graces", ""), ("repository_tokens", "never")];
    pages.submit(POLICIES, "every field wrong", &root, POLICIES, Form { action: POLICIES, values: &wrong });
    let good = [("max_api_tokens", "7"), ("repository_tokens", "once")];
    pages.submit(POLICIES, "changed", &root, POLICIES, Form { action: POLICIES, values: &good });
    pages.finish();
}
