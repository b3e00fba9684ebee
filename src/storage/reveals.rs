//! Secrets that wait to be shown, once, to the session that asked for them. Whoever deletes the row shows it.
//! The subject is whatever the secret belongs to: an API token, a repository, a user with a set-password link.

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::schema::reveals;
use super::sealing::Sealed;
use crate::domain::id::{SessionId, UserId};
use crate::domain::timestamp::{MINUTE, Timestamp};

/// A secret that is not looked at within this many seconds is never shown.
pub const LIFETIME: i64 = 5 * MINUTE;

/// What a sealed secret is bound to.
pub fn bound_to(user: UserId, session: SessionId, subject: i64) -> String {
    format!("reveal|v1|{user}|{session}|{subject}")
}

/// Lays a secret ready for `session`, in place of one of the same subject that it did not look at.
pub fn put(
    connection: &mut Connection,
    subject: impl Into<i64>,
    session: SessionId,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<()> {
    let subject = subject.into();
    on_each!(connection, |c| diesel::delete(reveals::table.find((subject, session))).execute(c))?;
    on_each!(connection, |c| diesel::insert_into(reveals::table)
        .values((
            reveals::subject_id.eq(subject),
            reveals::session_id.eq(session),
            reveals::sealed.eq(&sealed.bytes),
            reveals::key_id.eq(&sealed.key_id),
            reveals::expires_at.eq(now.plus(LIFETIME).unix()),
        ))
        .execute(c))?;
    Ok(())
}

/// Whether a secret waits for this session; changes nothing.
pub fn is_due(
    connection: &mut Connection,
    subject: impl Into<i64>,
    session: SessionId,
    now: Timestamp,
) -> Result<bool> {
    let subject = subject.into();
    let waiting: i64 = on_each!(connection, |c| reveals::table
        .find((subject, session))
        .filter(reveals::expires_at.gt(now.unix()))
        .count()
        .get_result(c))?;
    Ok(waiting > 0)
}

/// Takes the secret away and returns it, to exactly one of those who ask at once.
pub fn take(
    connection: &mut Connection,
    subject: impl Into<i64>,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Sealed>> {
    let due = reveals::table.find((subject.into(), session));
    let row: Option<(Vec<u8>, String)> = due
        .filter(reveals::expires_at.gt(now.unix()))
        .select((reveals::sealed, reveals::key_id))
        .get_result(connection)
        .optional()?;
    let Some((bytes, key_id)) = row else { return Ok(None) };
    // Two transactions may have read the row on PostgreSQL; only one of them deletes it.
    let deleted = diesel::delete(due.filter(reveals::sealed.eq(&bytes))).execute(connection)?;
    Ok((deleted == 1).then_some(Sealed { key_id, bytes }))
}

/// Drops what waits of this subject, whoever it waits for.
pub fn withdraw(connection: &mut Connection, subject: impl Into<i64>) -> Result<()> {
    diesel::delete(reveals::table.filter(reveals::subject_id.eq(subject.into()))).execute(connection)?;
    Ok(())
}

/// Drops what nobody came to see in time.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(reveals::table.filter(reveals::expires_at.le(now.unix()))).execute(connection)?)
}
