//! The permission matrix: the answer of every route to every actor, frozen as a snapshot.
//!
//! A block for each route of `web::routes::ROUTES`, and in it a line for each answer with the actors that get it. Each
//! cell has users, tokens and resources of its own.

mod api;
mod credentials;
mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokenhouse::auth::budgets::BudgetLimits;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::web::routes::ROUTES;

use crate::support::{Portal, on_both};

on_both![every_page_answers_every_actor_as_before, every_endpoint_answers_every_credential_as_before];

fn every_page_answers_every_actor_as_before(portal: Portal) {
    insta::assert_snapshot!("pages", pages::matrix(&seeded(portal)));
}

fn every_endpoint_answers_every_credential_as_before(portal: Portal) {
    insta::assert_snapshot!("api", api::matrix(&seeded(portal)));
}

#[test]
fn every_route_is_in_the_permission_matrix() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portal/permission_matrix/snapshots");
    let read = |name: &str| {
        let path = snapshots.join(format!("portal__permission_matrix__{name}.snap"));
        std::fs::read_to_string(path).expect("the snapshot is committed")
    };
    let text = read("pages") + &read("api");
    let frozen: BTreeSet<&str> = text.lines().map(|line| line.split(" (").next().unwrap_or_default()).collect();
    let all = ROUTES.iter().map(|route| title(route.method, route.path));
    let missing: Vec<_> = all.filter(|route| !frozen.contains(route.as_str())).collect();
    assert!(
        missing.is_empty(),
        "not in the permission matrix: {missing:?}. Add what the route needs to tests/portal/permission_matrix, run \
         these tests with INSTA_UPDATE=always and review the difference"
    );
}

/// A portal without limits on changes, and with a role for each set of privileges that an actor has.
fn seeded(portal: Portal) -> Portal {
    let portal = portal.restarted(|config| {
        let unlimited = 1_000_000;
        config.budgets = BudgetLimits { token_creations: unlimited, rotations: unlimited, writes: unlimited };
    });
    portal.role("none", &[]);
    portal.role("api", &[Privilege::ApiAccess]);
    for privilege in Privilege::ALL {
        portal.role(&only(privilege), &[privilege]);
        portal.role(&with_api(privilege), &[Privilege::ApiAccess, privilege]);
    }
    portal
}

/// The role with this privilege and no other.
fn only(privilege: Privilege) -> String {
    format!("only-{}", privilege.name().replace('_', "-"))
}

/// The role with this privilege and *API Access*.
fn with_api(privilege: Privilege) -> String {
    format!("api-{}", privilege.name().replace('_', "-"))
}

fn title(method: &str, path: &str) -> String {
    format!("{method} {path}")
}

/// The block of a route: each answer, and the actors that get it in the order of the matrix.
fn block(title: &str, answers: &[(&'static str, String)]) -> String {
    let mut by_answer: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (actor, answer) in answers {
        by_answer.entry(answer).or_default().push(actor);
    }
    let mut text = format!("{title}\n");
    for (answer, actors) in by_answer {
        let actors = if actors.len() == answers.len() { "every actor".to_owned() } else { actors.join(", ") };
        text += &format!("  {answer}: {actors}\n");
    }
    text
}
