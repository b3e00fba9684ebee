//! Pages for everyone: sign-in, set-up, password links, the API reference and errors.

use super::{Form, Recording};
use crate::support::Portal;

pub fn freeze(portal: &Portal) {
    let ada = portal.user("ada");
    let (visitor, browser) = (portal.visitor(), ada.sign_in());
    let root = portal.user_with("root", "administrator").sign_in();
    let mut pages = Recording::new(portal);

    pages.open("/", "signed out", &visitor, "/");
    pages.open("/", "Developer", &browser, "/");
    pages.open("/", "Administrator", &root, "/");
    pages.open("/", "user without privileges", &no_privileges(portal), "/");

    pages.open("/login", "signed out", &visitor, "/login");
    pages.open("/login", "with an address to return to", &visitor, "/login?next=%2Fprofile");
    pages.open("/login", "signed in", &browser, "/login");
    let empty = [("username", ""), ("password", "")];
    pages.submit("/login", "nothing entered", &visitor, "/login", Form { action: "/login", values: &empty });
    let wrong = [("username", "ada"), ("password", "wrong")];
    pages.submit("/login", "wrong password", &visitor, "/login", Form { action: "/login", values: &wrong });

    let path = "/reauthenticate?next=%2Fprofile%2Fapi-tokens";
    pages.open("/reauthenticate", "signed out", &visitor, path);
    pages.open("/reauthenticate", "signed in", &browser, path);
    let wrong = Form { action: "/reauthenticate", values: &[("password", "wrong")] };
    pages.submit("/reauthenticate", "wrong password", &browser, path, wrong);

    pages.open("/api", "signed out", &visitor, "/api");
    pages.open("/api", "signed in", &browser, "/api");

    pages.open("/set-password", "unknown link", &visitor, "/set-password?code=unknown");
    pages.open("/set-password", "no link", &visitor, "/set-password");
    let path = format!("/admin/users/{}/password-link", ada.id);
    let made = root.follow(root.post(&path, &[("", ""); 0]));
    let link =
        made.texts("main").concat() + &made.all("input").iter().filter_map(|e| e.attr("value")).collect::<String>();
    let code = link.split("code=").nth(1).expect("the link is shown").chars().take(22).collect::<String>();
    let path = format!("/set-password?code={code}");
    pages.open("/set-password", "valid link", &visitor, &path);
    let short = Form { action: "/set-password", values: &[("password", "short")] };
    pages.submit("/set-password", "short password", &visitor, &path, short);

    errors(&mut pages, portal);
    pages.finish();
}

fn no_privileges(portal: &Portal) -> crate::support::Browser<'_> {
    portal.role("none", &[]);
    portal.user_with("nil", "none").sign_in()
}

/// The error pages, recorded with the home page.
fn errors(pages: &mut Recording<'_>, portal: &Portal) {
    let (eve, visitor) = (portal.user_with("eve", "viewer").sign_in(), portal.visitor());
    pages.open("/", "error: no such page, signed out", &visitor, "/nothing/here");
    pages.open("/", "error: no such page, signed in", &eve, "/nothing/here");
    pages.open("/", "error: privilege missing", &eve, "/admin/users");
    pages.open("/", "error: no such repository", &eve, "/repositories/missing");
    pages.add("/", "error: method not allowed", eve.post("/profile", &[("", ""); 0]));
    pages.add("/", "error: form without a session", visitor.post("/profile/api-tokens", &[("name", "x")]));
    pages.add("/", "error: form of another site", eve.foreign_request("POST", "/logout").form(&[("", ""); 0]).send());
    pages.add("/", "error: unknown field", eve.post("/reauthenticate", &[("password", "x"), ("unknown", "x")]));
    let body = "x".repeat(2_000_000);
    pages.add("/", "error: body too large", eve.post("/reauthenticate", &[("password", body.as_str())]));
    let foreign_host = eve.request("GET", "/profile").header("host", "evil.example").send();
    pages.add("/", "error: another host", foreign_host);
    pages.open("/", "error: token in the address", &eve, "/profile?token=thp_00000000000000000000000000000000000000");
    for _ in 0..20 {
        visitor.try_sign_in("eve", "wrong");
    }
    pages.add("/", "error: too many sign-ins", visitor.try_sign_in("eve", "wrong"));
}

pub fn freeze_setup(portal: &Portal) {
    let code = portal.setup_code.clone().expect("there is no user yet");
    let visitor = portal.visitor();
    let mut pages = Recording::new(portal);
    let path = format!("/setup?code={code}");
    pages.open("/setup", "without the code", &visitor, "/setup");
    pages.open("/setup", "with a wrong code", &visitor, "/setup?code=x");
    pages.open("/setup", "with the code", &visitor, &path);
    pages.submit("/setup", "nothing entered", &visitor, &path, Form { action: "/setup", values: &[] });
    portal.user_with("root", "administrator");
    pages.open("/setup", "a user exists", &visitor, &path);
    pages.finish();
}
