//! `/healthz` and `/readyz`.

use std::sync::atomic::Ordering;

use crate::support::{Portal, on_both};

on_both![
    a_portal_that_stops_is_alive_and_not_ready,
    a_portal_whose_database_is_broken_is_alive_and_not_ready,
    a_portal_that_works_is_alive_and_ready,
];

fn probe(portal: &Portal, path: &str) -> (u16, String) {
    let answer = portal.request("GET", path).send();
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.status, answer.text().to_owned())
}

fn a_portal_that_stops_is_alive_and_not_ready(portal: Portal) {
    portal.shared.stopping.store(true, Ordering::SeqCst);
    assert_eq!(probe(&portal, "/healthz"), (200, "ok\n".into()));
    assert_eq!(probe(&portal, "/readyz"), (503, "stopping\n".into()));
}

fn a_portal_whose_database_is_broken_is_alive_and_not_ready(portal: Portal) {
    portal.sql("ALTER TABLE users RENAME TO nobody");
    assert_eq!(probe(&portal, "/healthz"), (200, "ok\n".into()));
    assert_eq!(probe(&portal, "/readyz"), (503, "the database does not answer\n".into()));
    let page = portal.visitor().try_sign_in("ada", "x").with(500).page();
    page.says("Something went wrong here, and it was logged.").does_not_say("users").does_not_say("nobody");
    let answer = portal.api("thp_x", "/api/v1/me").with(401);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "this needs no database");
}

fn a_portal_that_works_is_alive_and_ready(portal: Portal) {
    assert_eq!(probe(&portal, "/healthz"), (200, "ok\n".into()));
    assert_eq!(probe(&portal, "/readyz"), (200, "ready\n".into()));
    for path in ["/healthz", "/readyz"] {
        assert!(portal.request("HEAD", path).send().with(200).body.is_empty());
    }
}
