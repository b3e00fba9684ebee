//! Links with which a user sets a password, at most one a user. Whoever deletes the row has used it.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::{password_links, users};
use crate::domain::id::UserId;
use crate::domain::secret::Digest;
use crate::domain::timestamp::{DAY, Timestamp};

/// Seconds for which a link works.
pub const LIFETIME: i64 = DAY;

/// Makes a link with the code of this digest, in place of any former.
pub fn put(connection: &mut Connection, user: UserId, digest: &Digest, now: Timestamp) -> Result<()> {
    withdraw(connection, user)?;
    diesel::insert_into(password_links::table)
        .values((
            password_links::user_id.eq(user.to_string()),
            password_links::digest.eq(digest.as_bytes().as_slice()),
            password_links::created_at.eq(now.unix()),
            password_links::expires_at.eq(now.plus(LIFETIME).unix()),
        ))
        .execute(connection)?;
    Ok(())
}

/// The user whose link has a code of this digest, unless it has expired or the user is disabled.
pub fn user_of(connection: &mut Connection, digest: &Digest, now: Timestamp) -> Result<Option<UserId>> {
    let user: Option<String> = password_links::table
        .inner_join(users::table)
        .filter(password_links::digest.eq(digest.as_bytes().as_slice()))
        .filter(password_links::expires_at.gt(now.unix()))
        .filter(users::disabled_at.is_null())
        .select(password_links::user_id)
        .get_result(connection)
        .optional()?;
    user.map(|id| id.parse().map_err(|_| StorageError::corrupt("password_links", &id))).transpose()
}

/// When the link that waits for a user expires.
pub fn expires_at(connection: &mut Connection, user: UserId, now: Timestamp) -> Result<Option<Timestamp>> {
    let end: Option<i64> = password_links::table
        .find(user.to_string())
        .filter(password_links::expires_at.gt(now.unix()))
        .select(password_links::expires_at)
        .get_result(connection)
        .optional()?;
    Ok(end.map(Timestamp::from_unix))
}

/// Takes the link with this code away, from exactly one of those who ask at once.
pub fn take(connection: &mut Connection, digest: &Digest) -> Result<bool> {
    let link = password_links::table.filter(password_links::digest.eq(digest.as_bytes().as_slice()));
    Ok(diesel::delete(link).execute(connection)? == 1)
}

/// Takes a user's link away, and says whether there was one.
pub fn withdraw(connection: &mut Connection, user: UserId) -> Result<bool> {
    Ok(diesel::delete(password_links::table.find(user.to_string())).execute(connection)? == 1)
}

/// Removes what nobody followed in time.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(password_links::table.filter(password_links::expires_at.le(now.unix()))).execute(connection)?)
}
