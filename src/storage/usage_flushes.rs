//! Which parts of the usage counts are written. A part has the id of its process and a number, written in the transaction
//! of the part: one whose COMMIT was not answered can be tried again, and counts once.

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::schema::usage_flushes;
use crate::domain::timestamp::Timestamp;

/// Notes that this part is written, and returns whether it was not yet. The numbers of a process grow by time.
pub fn begin(connection: &mut Connection, process_id: &str, number: i64, last_used_at: Timestamp) -> Result<bool> {
    let values = (usage_flushes::number.eq(number), usage_flushes::last_used_at.eq(last_used_at.unix()));
    let earlier = usage_flushes::table.find(process_id).filter(usage_flushes::number.lt(number));
    if on_each!(connection, |c| diesel::update(earlier).set(values).execute(c))? > 0 {
        return Ok(true);
    }
    // On PostgreSQL this waits for a transaction of the same part that has not ended yet.
    let inserted = on_each!(connection, |c| diesel::insert_into(usage_flushes::table)
        .values((usage_flushes::process_id.eq(process_id), values))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(inserted > 0)
}

/// Forgets processes that counted nothing since then.
pub fn prune(connection: &mut Connection, before: Timestamp) -> Result<usize> {
    let old = usage_flushes::table.filter(usage_flushes::last_used_at.lt(before.unix()));
    Ok(diesel::delete(old).execute(connection)?)
}
