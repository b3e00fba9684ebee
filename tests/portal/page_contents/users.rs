//! Administration: users.

use super::{Form, Recording};
use crate::support::{Browser, Portal, User};

const LIST: &str = "/admin/users";
const NEW: &str = "/admin/users/new";
const EDIT: &str = "/admin/users/{user}/edit";

const ALL: [(&str, &str); 6] = [
    ("/admin/users/{user}", ""),
    (EDIT, "/edit"),
    ("/admin/users/{user}/disablement", "/disablement"),
    ("/admin/users/{user}/enablement", "/enablement"),
    ("/admin/users/{user}/password-link", "/password-link"),
    ("/admin/users/{user}/sign-out", "/sign-out"),
];

pub fn freeze(portal: &Portal) {
    let mut pages = Recording::new(portal);
    let root = portal.user_with("root", "administrator");
    let browser = root.sign_in();
    pages.open(LIST, "signed out", &portal.visitor(), LIST);
    pages.open(LIST, "one user", &browser, LIST);
    portal.role("users", &[tokenhouse::domain::privilege::Privilege::UserManagement]);
    let manager = portal.user_with("uma", "users").sign_in();
    let (ada, grace) = (portal.user("ada"), portal.user("grace"));
    portal.token(&ada, |_| {});
    ada.sign_in();
    grace.disable();
    pages.open(LIST, "without User Management", &portal.user("eve").sign_in(), LIST);
    pages.open(LIST, "several users", &browser, LIST);
    pages.open(LIST, "found", &browser, "/admin/users?q=grace");
    pages.open(LIST, "nothing found", &browser, "/admin/users?q=zebra");
    new(&mut pages, &browser, &manager);
    for (state, user) in [("enabled", &ada), ("disabled", &grace), ("oneself", &root)] {
        for (route, below) in ALL {
            pages.open(route, state, &browser, &path(user, below));
        }
    }
    for (route, below) in ALL {
        pages.open(route, "only User Management", &manager, &path(&ada, below));
        pages.open(route, "no such user", &browser, &format!("/admin/users/0{below}"));
    }
    changes(&mut pages, &browser, &ada, &grace);
    pages.finish();
}

fn path(user: &User<'_>, below: &str) -> String {
    format!("/admin/users/{}{below}", user.id)
}

fn new(pages: &mut Recording<'_>, browser: &Browser<'_>, manager: &Browser<'_>) {
    pages.open(NEW, "empty", browser, NEW);
    pages.open(NEW, "only User Management", manager, NEW);
    let form = |values| Form { action: LIST, values };
    let wrong = [("username", "Not a name"), ("display_name", ""), ("email", "nothing")];
    pages.submit(NEW, "every field wrong", browser, NEW, form(&wrong));
    let taken = [("username", "ada"), ("display_name", "Ada"), ("email", "ada@example.org")];
    pages.submit(NEW, "username taken", browser, NEW, form(&taken));
    let good = [("username", "linus"), ("display_name", "Linus"), ("email", "linus@example.org")];
    pages.submit(NEW, "created", browser, NEW, form(&good));
}

fn changes(pages: &mut Recording<'_>, browser: &Browser<'_>, ada: &User<'_>, grace: &User<'_>) {
    let wrong = Form { action: "/edit", values: &[("display_name", ""), ("email", "nothing")] };
    pages.submit(EDIT, "every field wrong", browser, &path(ada, "/edit"), wrong);
    let good = Form { action: "/edit", values: &[("display_name", "Ada Lovelace")] };
    pages.submit(EDIT, "changed", browser, &path(ada, "/edit"), good);
    for (number, state, user) in
        [(4, "made", ada), (5, "signed out", ada), (2, "disabled now", ada), (3, "enabled now", grace)]
    {
        let (route, below) = ALL[number];
        pages.submit(route, state, browser, &path(user, below), Form { action: below, values: &[] });
    }
}
