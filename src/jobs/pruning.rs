//! Removes what has ended: sessions, secrets that nobody came to see, old counts of callers.

use crate::domain::session::Lifetimes;
use crate::domain::timestamp::Timestamp;
use crate::storage::{Connection, Db, Result, callers, reveals, sessions};

/// Runs all of it once.
pub async fn run(db: &Db, now: Timestamp, lifetimes: Lifetimes) -> Result<()> {
    db.write(move |connection: &mut Connection| -> Result<()> {
        reveals::prune(connection, now)?;
        sessions::prune(connection, now.minus(lifetimes.absolute), now.minus(lifetimes.idle))?;
        callers::prune(connection, now)?;
        Ok(())
    })
    .await
}
