//! What everyone may read: health, keys, metadata and the OpenAPI document.

use std::sync::atomic::Ordering;

use super::{Transcript, described};
use crate::support::Portal;
use crate::support::portal::https;
use crate::support::redact::redact;

pub fn compare(portal: Portal) {
    health(&portal);
    let portal = portal.restarted(https);
    insta::assert_snapshot!("openapi", of(&portal, "/api/v1/openapi.json"));
    let mut text = Transcript::new(&portal);
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        text.keep("public", &portal.request("GET", path).send());
    }
    for path in ["/.well-known/jwks.json", "/healthz", "/api/v1/openapi.json"] {
        text.keep("method not allowed", &portal.request("POST", path).form(&[("", ""); 0]).send());
    }
    insta::assert_snapshot!("well_known", text.finish());
}

fn health(portal: &Portal) {
    let (alive, ready) = (of(portal, "/healthz"), of(portal, "/readyz"));
    portal.shared.stopping.store(true, Ordering::SeqCst);
    let stopping = of(portal, "/readyz");
    portal.shared.stopping.store(false, Ordering::SeqCst);
    // The same test runs once for each database.
    insta::allow_duplicates! {
        insta::assert_snapshot!(alive, @r"
        request: GET /healthz
        route: GET /healthz
        status: 200
        cache-control: no-store
        content-type: text/plain; charset=utf-8
        ok
        ");
        insta::assert_snapshot!(ready, @r"
        request: GET /readyz
        route: GET /readyz
        status: 200
        cache-control: no-store
        content-type: text/plain; charset=utf-8
        ready
        ");
        insta::assert_snapshot!(stopping, @r"
        request: GET /readyz
        route: GET /readyz
        status: 503
        cache-control: no-store
        content-type: text/plain; charset=utf-8
        stopping
        ");
    }
}

fn of(portal: &Portal, path: &str) -> String {
    let answer = portal.request("GET", path).send();
    let title = format!("request: {}\nroute: GET {path}\n", answer.question);
    redact(portal, &(title + &described(&answer)))
}
