//! Denied authorization (403): collected in memory and written every few seconds, so that no answer waits for it. A crash
//! loses the last seconds. What comes too often is not collected.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::event::NewEvent;
use crate::domain::timestamp::{HOUR, MINUTE, Timestamp};
use crate::randomness;
use crate::storage::{Connection, Db, Result, events};

/// Most denials remembered, to leave out repetitions of the same one within a minute.
const MAX_REMEMBERED: usize = 4_096;
/// Most events of one user or repository within an hour, whatever was denied and to whichever of its tokens.
const MAX_PER_ACTOR: u32 = 60;
/// Most events that wait to be written.
const MAX_PENDING: usize = 1_024;

/// Denials since the last flush.
#[derive(Debug, Default)]
pub struct Denials {
    hasher: RandomState,
    recent: Mutex<Recent>,
    pending: Mutex<Vec<(NewEvent, Timestamp)>>,
}

#[derive(Debug, Default)]
struct Recent {
    /// When each denial, by its hash, was collected.
    denials: HashMap<u64, Timestamp>,
    /// When the hour of each actor, by its hash, began, and how many events it has.
    actors: HashMap<u64, (Timestamp, u32)>,
}

impl Denials {
    /// Collects an event of a denial, and returns whether it did: not twice in a minute for the same actor, action and
    /// object. Locks nothing for longer than a look into a table.
    pub fn record(&self, event: NewEvent, now: Timestamp) -> bool {
        let actor = self.hasher.hash_one((event.actor.kind(), event.actor.id()));
        let source = self.hasher.hash_one((actor, event.actor.token()));
        let denial = self.hasher.hash_one((source, &event.subject_id, &event.detail));
        if !lock(&self.recent).admit(actor, denial, now) {
            return false;
        }
        let mut pending = lock(&self.pending);
        if pending.len() >= MAX_PENDING {
            return false;
        }
        pending.push((event, now));
        true
    }

    /// Writes what was collected. What cannot be written is kept for the next flush.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        if lock(&self.pending).is_empty() || db.require_room().is_err() {
            return Ok(());
        }
        let taken = std::mem::take(&mut *lock(&self.pending));
        let batch = taken.clone();
        let write = move |connection: &mut Connection| -> Result<()> {
            let rng = &mut randomness::system();
            batch.iter().try_for_each(|(event, at)| events::append(connection, event, *at, rng))
        };
        let written = db.write_beside_checks(write).await;
        if written.is_err() {
            let mut pending = lock(&self.pending);
            let later = std::mem::replace(&mut *pending, taken);
            pending.extend(later);
            pending.truncate(MAX_PENDING);
        }
        written
    }
}

impl Recent {
    fn admit(&mut self, actor: u64, denial: u64, now: Timestamp) -> bool {
        let is_within = |at: Timestamp, window: i64| (0..window).contains(&now.since(at));
        let is_recent = |at: Timestamp| is_within(at, MINUTE);
        if self.denials.get(&denial).is_some_and(|at| is_recent(*at)) {
            return false;
        }
        if self.denials.len() >= MAX_REMEMBERED {
            self.denials.retain(|_, at| is_recent(*at));
        }
        if self.denials.len() >= MAX_REMEMBERED {
            return false;
        }
        if self.actors.len() >= MAX_REMEMBERED {
            self.actors.retain(|_, (began, _)| is_within(*began, HOUR));
        }
        if self.actors.len() >= MAX_REMEMBERED {
            // So many actors must not hide each other for an hour.
            self.actors.clear();
        }
        let count = self.actors.entry(actor).or_insert((now, 0));
        if !is_within(count.0, HOUR) {
            *count = (now, 0);
        }
        if count.1 >= MAX_PER_ACTOR {
            return false;
        }
        count.1 += 1;
        self.denials.insert(denial, now);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Action, Actor};

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    fn denial(user: u32, path: &str) -> NewEvent {
        let id = i64::from(user + 1).try_into().unwrap();
        NewEvent {
            actor: Actor::User { id, username: "ada".into(), address: "192.0.2.7".into() },
            action: Action::AuthorizationDenied,
            subject_kind: "address",
            subject_id: path.to_owned(),
            subject_name: path.to_owned(),
            detail: "GET".into(),
        }
    }

    #[test]
    fn same_denial_within_minute_is_collected_once() {
        let denials = Denials::default();
        assert!(denials.record(denial(1, "/a"), NOW));
        assert!(!denials.record(denial(1, "/a"), NOW.plus(MINUTE - 1)));
        assert!(denials.record(denial(1, "/b"), NOW) && denials.record(denial(2, "/a"), NOW));
        assert!(denials.record(denial(1, "/a"), NOW.plus(MINUTE)));
    }

    #[test]
    fn many_denials_of_one_actor_are_limited_per_hour() {
        let denials = Denials::default();
        let collected = |now| (0..1_000).filter(|path| denials.record(denial(1, &format!("/{path}")), now)).count();
        assert_eq!(collected(NOW), 60);
        assert_eq!(collected(NOW.plus(MINUTE)), 0);
        assert_eq!(collected(NOW.plus(HOUR)), 60);
    }

    #[test]
    fn memory_is_bounded_and_recovers() {
        let denials = Denials::default();
        let collected = |now| (0..10_000).filter(|user| denials.record(denial(*user, "/a"), now)).count();
        assert_eq!(collected(NOW), MAX_PENDING);
        let recent = denials.recent.lock().unwrap();
        assert!(recent.denials.len() <= MAX_REMEMBERED && recent.actors.len() <= MAX_REMEMBERED);
        drop(recent);
        denials.pending.lock().unwrap().clear();
        assert_eq!(collected(NOW.plus(MINUTE)), MAX_PENDING);
    }
}
