//! Secrets that wait to be shown, once. Whoever deletes the row shows it.

use diesel::prelude::*;

use super::Connection;
use super::error::Result;
use super::schema::reveals;
use super::sealing::Sealed;
use crate::domain::id::{ApiTokenId, SessionId, UserId};
use crate::domain::timestamp::{MINUTE, Timestamp};

/// A secret that is not looked at within this many seconds is never shown.
pub const LIFETIME: i64 = 5 * MINUTE;

/// What a sealed secret is bound to.
pub fn bound_to(user: UserId, session: SessionId, token: ApiTokenId) -> String {
    format!("reveal|v1|{user}|{session}|{token}")
}

/// Lays a secret ready for `session`, in place of one of the same token that was not shown.
pub fn put(
    connection: &mut Connection,
    token: ApiTokenId,
    session: SessionId,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<()> {
    withdraw(connection, token)?;
    diesel::insert_into(reveals::table)
        .values((
            reveals::api_token_id.eq(token.to_string()),
            reveals::session_id.eq(session.to_string()),
            reveals::sealed.eq(&sealed.bytes),
            reveals::key_id.eq(&sealed.key_id),
            reveals::expires_at.eq(now.plus(LIFETIME).unix()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Whether a secret waits for this session; changes nothing.
pub fn is_due(connection: &mut Connection, token: ApiTokenId, session: SessionId, now: Timestamp) -> Result<bool> {
    Ok(reveals::table
        .find(token.to_string())
        .filter(reveals::session_id.eq(session.to_string()))
        .filter(reveals::expires_at.gt(now.unix()))
        .count()
        .get_result::<i64>(connection)?
        > 0)
}

/// Takes the secret away and returns it, to exactly one of those who ask at once.
pub fn take(
    connection: &mut Connection,
    token: ApiTokenId,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<Sealed>> {
    let due = reveals::table
        .find(token.to_string())
        .filter(reveals::session_id.eq(session.to_string()))
        .filter(reveals::expires_at.gt(now.unix()));
    let row: Option<(Vec<u8>, String)> =
        due.select((reveals::sealed, reveals::key_id)).get_result(connection).optional()?;
    let Some((bytes, key_id)) = row else { return Ok(None) };
    // Two transactions may have read the row on PostgreSQL; only one of them deletes it.
    let deleted = diesel::delete(reveals::table.find(token.to_string()).filter(reveals::sealed.eq(&bytes)))
        .execute(connection)?;
    Ok((deleted == 1).then_some(Sealed { key_id, bytes }))
}

/// Drops what waits for this token.
pub fn withdraw(connection: &mut Connection, token: ApiTokenId) -> Result<()> {
    diesel::delete(reveals::table.find(token.to_string())).execute(connection)?;
    Ok(())
}

/// Drops what nobody came to see in time.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(reveals::table.filter(reveals::expires_at.le(now.unix()))).execute(connection)?)
}
