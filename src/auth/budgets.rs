//! Limits how often a user, and a token, can change something within an hour, because most changes add permanent rows.
//!
//! Counters live in this process and are bounded; with several nodes each counts for itself.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::counters::{Age, Counters};
use crate::auth::throttle::{RetryAfter, network};
use crate::domain::event::Action;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::timestamp::{HOUR, MINUTE, Timestamp};

/// The least budget of each kind for users with *Repository Management* or *User Management*.
const MANAGER_BUDGET: u32 = 1_000;
/// Events of failed password entries stored in a minute for one account and address. Further ones are logged only.
const MAX_FAILURE_EVENTS: u32 = 5;
/// The same for all names that no user has, so that strangers who try such names hide no attack on a user.
const MAX_FAILURE_EVENTS_OF_UNKNOWN_NAMES: u32 = 60;
/// The same for all users together.
const MAX_FAILURE_EVENTS_OF_USERS: u32 = 600;
/// Events of sign-ins, and of sign-outs, stored in an hour for one user and address.
const MAX_SESSION_EVENTS: u32 = 60;

/// Changes allowed in an hour, of each kind.
#[derive(Debug, Clone, Copy)]
pub struct BudgetLimits {
    pub token_creations: u32,
    pub rotations: u32,
    pub writes: u32,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    TokenCreation,
    Rotation,
    Write,
    /// Ends something: a token, a session, a grant. It has a budget of its own, as large as that for writes, so that no
    /// other change can use up what revoking needs.
    Ending,
}

/// Whose budget a change is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BudgetOwner {
    /// A user on pages.
    User(UserId),
    /// All API tokens of a user together, so that none of them has more. They count apart from pages: a stolen token cannot
    /// use up the changes with which its owner revokes it.
    TokensOf(UserId),
    /// A repository's own token; the replaced ones count with it.
    Repository(RepositoryId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Change(BudgetOwner, ChangeKind),
    FailureEvents(Option<UserId>, IpAddr),
    FailureEventsOfUsers,
    FailureEventsOfUnknownNames,
    SessionEvents(&'static str, UserId, IpAddr),
}

/// A change that was counted.
#[derive(Debug, Clone, Copy)]
pub struct Charge(Key, Timestamp);

/// Counters of changes.
#[derive(Debug)]
pub struct ChangeBudgets {
    limits: BudgetLimits,
    counters: Mutex<Counters<Key, Counter>>,
}

impl ChangeBudgets {
    pub fn new(limits: BudgetLimits) -> Self {
        Self { limits, counters: Mutex::default() }
    }

    /// Counts a change before it is made. `privileges` are those of the user.
    pub fn charge(
        &self,
        owner: BudgetOwner,
        kind: ChangeKind,
        privileges: Privileges,
        now: Timestamp,
    ) -> Result<Charge, RetryAfter> {
        let limit = match kind {
            ChangeKind::TokenCreation => self.limits.token_creations,
            ChangeKind::Rotation => self.limits.rotations,
            ChangeKind::Write | ChangeKind::Ending => self.limits.writes,
        };
        let manages = [Privilege::RepositoryManagement, Privilege::UserManagement];
        let limit = if manages.iter().any(|privilege| privileges.contains(*privilege)) {
            limit.max(MANAGER_BUDGET)
        } else {
            limit
        };
        self.take(Key::Change(owner, kind), limit, HOUR, now)
    }

    /// Takes back the charge for a change that was refused.
    pub fn refund(&self, Charge(key, since): Charge) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get_mut(&key)
            && counter.since == since
        {
            counter.count = counter.count.saturating_sub(1);
        }
    }

    /// Whether a failed password entry is stored as an event. `user` is `None` for an unknown name.
    pub fn allows_failure_event(&self, user: Option<UserId>, address: IpAddr, now: Timestamp) -> bool {
        let own = Key::FailureEvents(user, network(address));
        let (all, max) = match user {
            Some(_) => (Key::FailureEventsOfUsers, MAX_FAILURE_EVENTS_OF_USERS),
            None => (Key::FailureEventsOfUnknownNames, MAX_FAILURE_EVENTS_OF_UNKNOWN_NAMES),
        };
        let allowed =
            self.take(own, MAX_FAILURE_EVENTS, MINUTE, now).is_ok() && self.take(all, max, MINUTE, now).is_ok();
        if !allowed {
            tracing::info!(%address, "a password was wrong; there are too many such events for one of its own");
        }
        allowed
    }

    /// Whether a sign-in or a sign-out is stored as an event.
    pub fn allows_session_event(&self, action: Action, user: UserId, address: IpAddr, now: Timestamp) -> bool {
        let own = Key::SessionEvents(action.name(), user, network(address));
        let allowed = self.take(own, MAX_SESSION_EVENTS, HOUR, now).is_ok();
        if !allowed {
            tracing::info!(%address, %user, action = action.name(), "too many such events for one of its own");
        }
        allowed
    }

    /// Counts, or returns the seconds until the next window.
    fn take(&self, key: Key, limit: u32, window: i64, now: Timestamp) -> Result<Charge, RetryAfter> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(key).or_insert(Counter { count: 0, since: now });
        let passed = now.since(counter.since);
        // A clock that was set back begins a new window too.
        if !(0..window).contains(&passed) {
            *counter = Counter { count: 0, since: now };
        }
        if counter.count >= limit {
            return Err(RetryAfter((window - now.since(counter.since)).max(1)));
        }
        counter.count += 1;
        Ok(Charge(key, counter.since))
    }
}

/// How often a key was taken in its present window.
#[derive(Debug, Clone, Copy)]
struct Counter {
    count: u32,
    /// When the window began.
    since: Timestamp,
}

impl Age for Counter {
    fn time(&self) -> Timestamp {
        self.since
    }
}

#[cfg(test)]
mod tests;
