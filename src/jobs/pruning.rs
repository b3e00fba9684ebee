//! Removes what has ended: sessions, secrets that nobody came to see, links that nobody followed, old counts of callers, former keys.

use crate::domain::session::Lifetimes;
use crate::domain::signing_key::PUBLISHED_AFTERWARDS;
use crate::domain::timestamp::{DAY, Timestamp};
use crate::storage::{
    Connection, Db, Result, callers, password_links, repository_tokens, reveals, sessions, signing_keys,
};

/// Seconds for which a replaced repository token is remembered after its end, so that the log can name it.
const REPLACED_KEPT: i64 = 30 * DAY;

/// Runs all of it once.
pub async fn run(db: &Db, now: Timestamp, lifetimes: Lifetimes) -> Result<()> {
    // Tokens that are pruned had ended long before.
    db.write_beside_checks(move |connection: &mut Connection| -> Result<()> {
        reveals::prune(connection, now)?;
        sessions::prune(connection, now.minus(lifetimes.absolute), now.minus(lifetimes.idle))?;
        callers::prune(connection, now)?;
        repository_tokens::prune(connection, now.minus(REPLACED_KEPT))?;
        password_links::prune(connection, now)?;
        signing_keys::prune(connection, now.minus(PUBLISHED_AFTERWARDS))?;
        Ok(())
    })
    .await
}
