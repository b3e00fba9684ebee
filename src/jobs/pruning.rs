//! Removes what has ended: sessions, secrets that nobody came to see, links that nobody followed, old counts of callers, former keys.

use std::time::{Duration, Instant};

use super::clock_monitor::{ClockMonitor, ClockState};
use crate::domain::session::Lifetimes;
use crate::domain::signing_key::PUBLISHED_AFTERWARDS;
use crate::domain::timestamp::{DAY, Timestamp};
use crate::storage::{
    Connection, Db, Result, api_tokens, callers, events, idempotency, password_links, repositories, repository_tokens,
    reveals, sessions, signing_keys, usage_flushes,
};

/// Seconds for which a replaced secret and a revoked token are kept after their end, so that the log can name them.
const REPLACED_KEPT: i64 = 30 * DAY;

/// The newest time that the database contains, as far as it is found quickly.
pub fn newest_stored(connection: &mut Connection) -> Result<Option<Timestamp>> {
    Ok(events::newest(connection)?.max(repositories::last_use(connection)?))
}

/// Prunes as long as the system clock can be trusted.
pub struct Pruner {
    clock: ClockMonitor,
    started: Instant,
}

impl Pruner {
    /// The first run only reads the clocks: a wrong clock at boot is corrected before the second one.
    pub fn new(newest_stored: Option<Timestamp>) -> Self {
        Self { clock: ClockMonitor::new(newest_stored), started: Instant::now() }
    }

    /// Prunes once, unless the system clock jumped.
    pub async fn run(&mut self, db: &Db, now: Timestamp, lifetimes: Lifetimes) -> Result<()> {
        let elapsed = self.started.elapsed();
        self.run_after(elapsed, db, now, lifetimes).await
    }

    /// The same with the monotonic time since the start as an argument.
    pub async fn run_after(&mut self, elapsed: Duration, db: &Db, now: Timestamp, lifetimes: Lifetimes) -> Result<()> {
        match self.clock.read(now, elapsed) {
            ClockState::Trusted => run(db, now, lifetimes).await,
            ClockState::Untrusted => Ok(()),
            ClockState::Jumped(seconds) => {
                tracing::warn!(
                    seconds,
                    "the system clock is far from what it was before; nothing that has ended is removed until it is set back or steady for 24 \
                     hours. Check the time synchronisation of this machine."
                );
                Ok(())
            }
        }
    }
}

/// Prunes once, whatever the clock did before.
pub async fn run(db: &Db, now: Timestamp, lifetimes: Lifetimes) -> Result<()> {
    // Tokens that are pruned had ended long before.
    db.write_beside_checks(move |connection: &mut Connection| -> Result<()> {
        reveals::prune(connection, now)?;
        sessions::prune(connection, now.minus(lifetimes.absolute), now.minus(lifetimes.idle))?;
        callers::prune(connection, now)?;
        usage_flushes::prune(connection, now.minus(callers::DAYS * DAY))?;
        repository_tokens::prune(connection, now.minus(REPLACED_KEPT))?;
        api_tokens::prune(connection, now.minus(REPLACED_KEPT))?;
        password_links::prune(connection, now)?;
        idempotency::prune(connection, now)?;
        signing_keys::prune(connection, now.minus(PUBLISHED_AFTERWARDS))?;
        Ok(())
    })
    .await
}
