//! Sessions of signed-in users, and when they end.

use super::id::SessionId;
use super::timestamp::Timestamp;

/// Most sessions of one user; a further sign-in ends the oldest.
pub const MOST_SESSIONS: usize = 10;

/// How long sessions last, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Without any request.
    pub idle: i64,
    /// From sign-in, whatever happens.
    pub absolute: i64,
    /// A password entry counts as recent for so long.
    pub reauthentication: i64,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The last time the password was entered.
    pub authenticated_at: Timestamp,
}

/// A session as its user is shown it.
#[derive(Debug, Clone)]
pub struct BegunSession {
    pub session: Session,
    /// Where it was begun, and what with.
    pub address: String,
    pub user_agent: String,
}

impl Session {
    pub fn is_live(&self, now: Timestamp, lifetimes: &Lifetimes) -> bool {
        now.since(self.last_seen_at) < lifetimes.idle && now.since(self.created_at) < lifetimes.absolute
    }

    pub fn authenticated_recently(&self, now: Timestamp, lifetimes: &Lifetimes) -> bool {
        now.since(self.authenticated_at) < lifetimes.reauthentication
    }
}
