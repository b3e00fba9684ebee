//! Administration: services.

use super::{Form, Recording};
use crate::support::Portal;

const LIST: &str = "/admin/services";
const NEW: &str = "/admin/services/new";
const SHOW: &str = "/admin/services/{service}";
const ROTATION: &str = "/admin/services/{service}/rotation";
const DELETION: &str = "/admin/services/{service}/deletion";

pub fn freeze(portal: &Portal) {
    let mut pages = Recording::new(portal);
    let browser = portal.user_with("root", "administrator").sign_in();
    pages.open(LIST, "signed out", &portal.visitor(), LIST);
    pages.open(LIST, "without System Management", &portal.user("ada").sign_in(), LIST);
    pages.open(LIST, "no service", &browser, LIST);
    pages.open(NEW, "empty", &browser, NEW);
    let form = |values| Form { action: LIST, values };
    pages.submit(NEW, "nothing entered", &browser, NEW, form(&[("name", "")]));
    let good = [("name", "wiki"), ("description", "Pages of the team")];
    pages.submit(NEW, "created", &browser, NEW, form(&good));
    pages.submit(NEW, "name taken", &browser, NEW, form(&good));

    let (id, secret) = portal.service("build");
    let path = format!("/admin/services/{id}");
    pages.open(LIST, "two services", &browser, LIST);
    pages.open(LIST, "found", &browser, "/admin/services?q=team");
    pages.open(LIST, "nothing found", &browser, "/admin/services?q=zebra");
    pages.open(SHOW, "never used", &browser, &path);
    pages.open(SHOW, "no such service", &browser, "/admin/services/0");
    pages.open(ROTATION, "never used", &browser, &format!("{path}/rotation"));
    pages.open(DELETION, "never used", &browser, &format!("{path}/deletion"));

    portal.introspect(&secret, "unknown").with(200);
    portal.flush();
    pages.open(SHOW, "used", &browser, &path);
    pages.open(ROTATION, "used", &browser, &format!("{path}/rotation"));
    let rotated = Form { action: "/rotation", values: &[] };
    pages.submit(ROTATION, "rotated", &browser, &format!("{path}/rotation"), rotated);
    let (id, secret) = portal.service("gone");
    portal.revoke_held(&secret);
    pages.open(SHOW, "token revoked by its holder", &browser, &format!("/admin/services/{id}"));
    pages.open(LIST, "token revoked by its holder", &browser, LIST);
    let wrong = Form { action: "/deletion", values: &[("name", "build")] };
    pages.submit(DELETION, "wrong name", &browser, &format!("/admin/services/{id}/deletion"), wrong);
    let right = Form { action: "/deletion", values: &[("name", "gone")] };
    pages.submit(DELETION, "deleted", &browser, &format!("/admin/services/{id}/deletion"), right);
    pages.finish();
}
