//! My Profile: user information and security.

use super::{Form, Recording};
use crate::support::Portal;

pub fn freeze(portal: &Portal) {
    portal.role("none", &[]);
    let mut pages = Recording::new(portal);
    pages.open("/profile", "signed out", &portal.visitor(), "/profile");
    for (username, role) in [("nil", "none"), ("vera", "viewer"), ("ada", "developer"), ("root", "administrator")] {
        pages.open("/profile", role, &portal.user_with(username, role).sign_in(), "/profile");
    }

    let grace = portal.user("grace");
    let browser = grace.sign_in();
    let path = "/profile/security";
    pages.open(path, "one session", &browser, path);
    grace.sign_in();
    pages.open(path, "two sessions", &browser, path);
    pages.submit(path, "nothing entered", &browser, path, Form { action: "/password", values: &[] });
    let wrong = [("current_password", "wrong"), ("new_password", "regen acht kamin wolke")];
    pages.submit(path, "wrong password", &browser, path, Form { action: "/password", values: &wrong });
    let weak = [("current_password", crate::support::PASSWORD), ("new_password", "password1234")];
    pages.submit(path, "weak password", &browser, path, Form { action: "/password", values: &weak });
    let others = Form { action: "/other-sessions/end", values: &[] };
    pages.submit(path, "other sessions ended", &browser, path, others);
    let new = [("current_password", crate::support::PASSWORD), ("new_password", "regen acht kamin wolke")];
    pages.submit(path, "password changed", &browser, path, Form { action: "/password", values: &new });
    pages.finish();
}
