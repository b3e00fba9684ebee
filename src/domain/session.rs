//! Sessions of signed-in users, and when they end.

use super::id::SessionId;
use super::timestamp::Timestamp;

/// Most sessions of one user; a further sign-in ends the oldest.
pub const MOST_SESSIONS: usize = 10;

/// Seconds by which the clocks of two nodes may differ.
const MAX_CLOCK_SKEW: i64 = 300;

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
        let age = now.since(self.created_at);
        // One that was made while a clock was wrong would outlive its absolute limit by as much.
        age >= -MAX_CLOCK_SKEW && age < lifetimes.absolute && now.since(self.last_seen_at) < lifetimes.idle
    }

    pub fn authenticated_recently(&self, now: Timestamp, lifetimes: &Lifetimes) -> bool {
        let age = now.since(self.authenticated_at);
        age >= -MAX_CLOCK_SKEW && age < lifetimes.reauthentication
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes { idle: 1_800, absolute: 43_200, reauthentication: 1_800 };

    fn session(at: i64) -> Session {
        let at = Timestamp::from_unix(at);
        let id = "1".parse().unwrap();
        Session { id, created_at: at, last_seen_at: at, authenticated_at: at }
    }

    #[test]
    fn session_from_the_future_is_neither_live_nor_authenticated() {
        let now = Timestamp::from_unix(1_795_270_000);
        for (seconds, live) in
            [(0, true), (-1_799, true), (-1_800, false), (299, true), (301, false), (3_456_000, false)]
        {
            let session = session(now.unix() + seconds);
            assert_eq!(session.is_live(now, &LIFETIMES), live, "{seconds}");
            assert_eq!(session.authenticated_recently(now, &LIFETIMES), live, "{seconds}");
        }
    }
}
