//! What the background work removes, and that a wrong clock removes nothing.

use std::time::Duration;

use tokenhouse::jobs::pruning::Pruner;

use crate::support::{Portal, on_both};

const DAY: i64 = 86_400;

on_both!(clock_that_jumps_ahead_deletes_nothing, clock_that_stays_ahead_is_trusted_after_a_day);

/// Prunes as the server does, `elapsed` seconds of monotonic time after the start.
fn prune(portal: &Portal, pruner: &mut Pruner, elapsed: i64) {
    let elapsed = Duration::from_secs(elapsed.unsigned_abs());
    portal
        .wait(pruner.run_after(elapsed, &portal.shared.db, portal.now(), portal.shared.settings.lifetimes))
        .expect("it prunes");
}

fn clock_that_jumps_ahead_deletes_nothing(portal: Portal) {
    let user = portal.user_with("ada", "repository-manager");
    let ada = user.sign_in();
    let old = ada.create_repository("alpha");
    ada.generate_new("alpha", "after 7 days");
    assert!(portal.accepts(&old));
    portal.flush();
    let mut pruner = Pruner::new(None);
    prune(&portal, &mut pruner, 0);
    portal.advance(60);
    prune(&portal, &mut pruner, 60);
    let before = portal.dump();
    portal.advance(40 * DAY);
    for elapsed in [60, 66, 126, 3_600, DAY] {
        prune(&portal, &mut pruner, elapsed);
    }
    crate::support::dump::assert_same("a jump of the clock", &before, &portal.dump());
    portal.advance(-40 * DAY);
    prune(&portal, &mut pruner, 120);
    assert!(ada.is_signed_in() && portal.accepts(&old));
}

fn clock_that_stays_ahead_is_trusted_after_a_day(portal: Portal) {
    portal.user("ada").sign_in();
    let mut pruner = Pruner::new(None);
    prune(&portal, &mut pruner, 0);
    portal.advance(40 * DAY);
    prune(&portal, &mut pruner, 60);
    portal.advance(DAY - 1);
    prune(&portal, &mut pruner, 60 + DAY - 1);
    assert_eq!(portal.count("sessions"), 1);
    portal.advance(1);
    prune(&portal, &mut pruner, 60 + DAY);
    assert_eq!(portal.count("sessions"), 0);
}
