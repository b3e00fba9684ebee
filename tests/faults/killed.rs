//! SIGKILL in the midst of creations, rotations and revocations, of API tokens and of repositories.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use std::{env, hint, io, thread};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::house::{House, randomness};
use crate::keeper::Keeper;
use crate::owner::{Done, Owner, return_to};

/// How many work at the same time. Each holds up to two tokens, so that now and then there is no room.
const OWNERS: usize = 3;
/// How long one waits for a few changes. Long, since a busy machine is not a broken program.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_was_acknowledged_survives_a_kill_and_nothing_is_half_made() {
    let kills = if env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 200 } else { 20 };
    let mut rng = randomness();
    let mut house = House::set_up();
    let mut owners: Vec<Owner> =
        (0..OWNERS).map(|_| Owner::new(house.browser.clone(), StdRng::from_rng(&mut rng))).collect();
    let mut done = HashMap::new();
    for _ in 0..kills {
        let progress = work_until_killed(&mut house, &mut owners, Owner::act, &mut rng);
        for one in progress {
            *done.entry(one).or_insert(0) += 1;
        }
        house.serve();
        return_to(house.address(), &mut owners);
        house.database().assert_whole();
    }
    for owner in &mut owners {
        owner.try_revoked(house.address());
    }
    println!("{kills} kills: {done:?}");
    for kind in [Done::Created, Done::Rotated, Done::Revoked] {
        assert!(done.contains_key(&kind), "{kind:?} was never tried");
    }
}

#[test]
fn a_repository_never_has_none_or_two_current_tokens_whenever_the_server_is_killed() {
    let kills = if env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 200 } else { 20 };
    let mut rng = randomness();
    let mut house = House::set_up();
    let mut keepers: Vec<Keeper> =
        (0..OWNERS).map(|_| Keeper::new(house.browser.clone(), StdRng::from_rng(&mut rng))).collect();
    let mut done = HashMap::new();
    for _ in 0..kills {
        for one in work_until_killed(&mut house, &mut keepers, Keeper::act, &mut rng) {
            *done.entry(one).or_insert(0) += 1;
        }
        house.serve();
        house.database().assert_whole();
        for keeper in &mut keepers {
            keeper.return_to(house.address());
        }
    }
    println!("{kills} kills: {done:?}");
    assert!(done.contains_key(&Done::Created) && done.contains_key(&Done::Rotated), "{done:?}");
}

/// Lets all work, and kills the server after a few changes and a moment more.
pub fn work_until_killed<W: Send>(
    house: &mut House,
    workers: &mut [W],
    act: fn(&mut W) -> io::Result<Done>,
    rng: &mut StdRng,
) -> Vec<Done> {
    let (changes, moment) = (rng.random_range(1..=12), rng.random_range(0..2_000_000));
    let progress = Progress::default();
    thread::scope(|scope| {
        for worker in workers {
            scope.spawn(|| progress.work(|| act(worker)));
        }
        progress.wait_for(changes);
        for _ in 0..moment {
            hint::spin_loop();
        }
        progress.killed.store(true, Ordering::SeqCst);
        house.kill();
    });
    progress.done.into_inner().expect("no owner panics")
}

/// What was acknowledged in one life of the server.
#[derive(Default)]
struct Progress {
    done: Mutex<Vec<Done>>,
    changed: Condvar,
    killed: AtomicBool,
}

impl Progress {
    fn work(&self, mut act: impl FnMut() -> io::Result<Done>) {
        loop {
            match act() {
                Ok(done) => {
                    self.done.lock().expect("no owner panics").push(done);
                    self.changed.notify_all();
                }
                Err(error) => {
                    assert!(self.killed.load(Ordering::SeqCst), "nobody killed the server yet: {error}");
                    return;
                }
            }
        }
    }

    fn wait_for(&self, changes: usize) {
        let done = self.done.lock().expect("no owner panics");
        let few = |done: &mut Vec<Done>| done.len() < changes;
        let (done, waited) = self.changed.wait_timeout_while(done, PATIENCE, few).expect("no owner panics");
        assert!(!waited.timed_out(), "only {} changes were acknowledged", done.len());
    }
}
