//! Repositories.

use tokenhouse::domain::permission::Permission;

use super::{Form, Recording};
use crate::support::{Browser, Portal, User};

const LIST: &str = "/repositories";
const NEW: &str = "/repositories/new";
const SHOW: &str = "/repositories/{name}";
const CONFIGURE: &str = "/repositories/{name}/configure";
const TOKEN: &str = "/repositories/{name}/token/new";
const DESCRIPTION: &str = "/repositories/{name}/description";
const ACCESS: &str = "/repositories/{name}/access";
const ACTIVITY: &str = "/repositories/{name}/activity";
const DELETION: &str = "/repositories/{name}/deletion";

const ALL: [(&str, &str); 8] = [
    (SHOW, ""),
    (CONFIGURE, "/configure"),
    (TOKEN, "/token/new"),
    (DESCRIPTION, "/description"),
    (ACCESS, "/access"),
    (ACTIVITY, "/activity"),
    (DELETION, "/deletion"),
    (LIST, "/missing"),
];

pub fn freeze(portal: &Portal) {
    let mut pages = Recording::new(portal);
    portal.role("none", &[]);
    portal.role("manages", &[tokenhouse::domain::privilege::Privilege::RepositoryManagement]);
    let root = portal.user_with("root", "administrator");
    let browser = root.sign_in();
    pages.open(LIST, "signed out", &portal.visitor(), LIST);
    pages.open(LIST, "no repository", &browser, LIST);
    pages.open(NEW, "empty", &browser, NEW);
    pages.submit(NEW, "nothing entered", &browser, NEW, Form { action: LIST, values: &[("name", "")] });
    let wrong = [("name", "Not A Name"), ("description", "x\u{7}")];
    pages.submit(NEW, "wrong name", &browser, NEW, Form { action: LIST, values: &wrong });
    let alpha = [("name", "alpha"), ("description", "The first one")];
    pages.submit(NEW, "created", &browser, NEW, Form { action: LIST, values: &alpha });
    pages.submit(NEW, "name taken", &browser, NEW, Form { action: LIST, values: &alpha });

    let beta = portal.repository("beta");
    let (reader, writer) = (portal.user_with("rosa", "none"), portal.user_with("willy", "none"));
    reader.grant(beta, Permission::Read);
    writer.grant(beta, Permission::Write);
    people(&mut pages, portal, &reader, &writer);
    pages.open(LIST, "found", &browser, "/repositories?q=first");
    pages.open(LIST, "nothing found", &browser, "/repositories?q=zebra");
    changes(&mut pages, &browser);
    used(&mut pages, portal, &browser);
    pages.finish();
}

fn people(pages: &mut Recording<'_>, portal: &Portal, reader: &User<'_>, writer: &User<'_>) {
    for (actor, browser) in [
        ("Administrator", portal.user_with("ruth", "administrator").sign_in()),
        ("Repository Manager", portal.user_with("mia", "repository-manager").sign_in()),
        ("only Repository Management", portal.user_with("manuel", "manages").sign_in()),
        ("Viewer", portal.user_with("vera", "viewer").sign_in()),
        ("read grant", reader.sign_in()),
        ("write grant", writer.sign_in()),
        ("no grant", portal.user_with("nil", "none").sign_in()),
    ] {
        pages.open(LIST, actor, &browser, LIST);
        pages.open(NEW, actor, &browser, NEW);
        for (route, below) in ALL {
            pages.open(route, actor, &browser, &format!("/repositories/beta{below}"));
        }
    }
}

fn changes(pages: &mut Recording<'_>, browser: &Browser<'_>) {
    let path = |below: &str| format!("/repositories/beta{below}");
    let long = "x".repeat(2_000);
    let wrong = Form { action: "/description", values: &[("description", &long)] };
    pages.submit(DESCRIPTION, "too long", browser, &path("/description"), wrong);
    let changed = Form { action: "/description", values: &[("description", "Changed")] };
    pages.submit(DESCRIPTION, "changed", browser, &path("/description"), changed);

    let unknown = [("username", "nobody"), ("permission", "read")];
    let form = |values| Form { action: "/access", values };
    pages.submit(ACCESS, "unknown user", browser, &path("/access"), form(&unknown));
    pages.submit(ACCESS, "nothing entered", browser, &path("/access"), form(&[("username", ""), ("permission", "")]));
    let known = [("username", "vera"), ("permission", "write")];
    pages.submit(ACCESS, "granted", browser, &path("/access"), form(&known));
    let removal = Form { action: "/removal", values: &[] };
    pages.submit(ACCESS, "removed", browser, &path("/access"), removal);

    let generated = Form { action: "/token", values: &[] };
    pages.submit(TOKEN, "generated", browser, &path("/token/new"), generated);
    let reveal = Form { action: "/token/reveal", values: &[] };
    pages.submit(CONFIGURE, "shown again", browser, "/repositories/alpha/configure", reveal);
    let later = Form { action: "/token", values: &[("grace", "1h")] };
    pages.submit(TOKEN, "generated, the old token still works", browser, &path("/token/new"), later);
    pages.open(CONFIGURE, "the old token still works", browser, &path("/configure"));
    let wrong = Form { action: "/token", values: &[("grace", "never")] };
    pages.submit(TOKEN, "wrong grace", browser, &path("/token/new"), wrong);

    let wrong = Form { action: "/deletion", values: &[("name", "alpha")] };
    pages.submit(DELETION, "wrong name", browser, &path("/deletion"), wrong);
    let right = Form { action: "/deletion", values: &[("name", "beta")] };
    pages.submit(DELETION, "deleted", browser, &path("/deletion"), right);
}

/// What a repository's pages show after a use of its token, and after its holder revoked it.
fn used(pages: &mut Recording<'_>, portal: &Portal, browser: &Browser<'_>) {
    let token = browser.create_repository("gamma");
    let request = portal.request("GET", "/api/v1/repositories/gamma").bearer(&token).at("203.0.113.7");
    request.header("user-agent", "curl/8").send().with(200);
    portal.flush();
    pages.open(SHOW, "used", browser, "/repositories/gamma");
    pages.open(CONFIGURE, "used", browser, "/repositories/gamma/configure");
    pages.open(ACTIVITY, "used", browser, "/repositories/gamma/activity");
    portal.revoke_held(&token);
    pages.open(SHOW, "token revoked by its holder", browser, "/repositories/gamma");
    pages.open(CONFIGURE, "token revoked by its holder", browser, "/repositories/gamma/configure");
    pages.open(LIST, "token revoked by its holder", browser, LIST);
}
