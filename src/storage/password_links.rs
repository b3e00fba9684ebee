//! Links with which a user sets a password, at most one a user. Whoever deletes the row has used it.

use diesel::prelude::*;

use super::Connection;
use super::error::Result;
use super::schema::{password_links, user_roles};
use super::{user_access, users};
use crate::domain::id::{RoleId, UserId};
use crate::domain::privilege::Privilege;
use crate::domain::secret::Digest;
use crate::domain::timestamp::{DAY, Timestamp};
use crate::domain::user::User;

/// Seconds for which a link works.
pub const LIFETIME: i64 = DAY;

/// Makes a link with the code of this digest, in place of any former.
pub fn put(connection: &mut Connection, user: UserId, made_by: UserId, digest: &Digest, now: Timestamp) -> Result<()> {
    withdraw(connection, user)?;
    diesel::insert_into(password_links::table)
        .values((
            password_links::user_id.eq(user),
            password_links::made_by.eq(made_by),
            password_links::digest.eq(digest.as_bytes().as_slice()),
            password_links::created_at.eq(now.unix()),
            password_links::expires_at.eq(now.plus(LIFETIME).unix()),
        ))
        .execute(connection)?;
    Ok(())
}

/// A link that works, with both ends of it as they stand now.
#[derive(Debug)]
pub struct Link {
    pub user: User,
    pub made_by: User,
}

/// The link with a code of this digest. It works until it expires, for a user who is enabled, and as long as whoever made it
/// could make it again: with *User Management*, and with everything that the user can do.
pub fn find(connection: &mut Connection, digest: &Digest, now: Timestamp) -> Result<Option<Link>> {
    let row: Option<(UserId, UserId)> = password_links::table
        .filter(password_links::digest.eq(digest.as_bytes().as_slice()))
        .filter(password_links::expires_at.gt(now.unix()))
        .select((password_links::user_id, password_links::made_by))
        .get_result(connection)
        .optional()?;
    let Some((user, made_by)) = row else { return Ok(None) };
    let (user, made_by) = (users::find(connection, user)?, users::find(connection, made_by)?);
    let Some((user, made_by)) = user.zip(made_by) else { return Ok(None) };
    if user.disabled_at.is_some() || made_by.disabled_at.is_some() || !made_by.holds(Privilege::UserManagement) {
        return Ok(None);
    }
    let (maker, target) = ((made_by.id, made_by.privileges), (user.id, user.privileges));
    let (own, access) = user_access::of_both(connection, maker, target)?;
    Ok(own.covers(&access).then_some(Link { user, made_by }))
}

/// When the link that waits for a user expires.
pub fn expires_at(connection: &mut Connection, user: UserId, now: Timestamp) -> Result<Option<Timestamp>> {
    let end: Option<i64> = password_links::table
        .find(user)
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
    Ok(diesel::delete(password_links::table.find(user)).execute(connection)? == 1)
}

/// Ends all links that a user made. They stay ended when the user gets privileges or account back.
pub fn withdraw_made_by(connection: &mut Connection, maker: UserId) -> Result<usize> {
    Ok(diesel::delete(password_links::table.filter(password_links::made_by.eq(maker))).execute(connection)?)
}

/// Ends all links made by the users who have this role.
pub fn withdraw_made_with(connection: &mut Connection, role: RoleId) -> Result<usize> {
    let holders = user_roles::table.filter(user_roles::role_id.eq(role)).select(user_roles::user_id);
    Ok(diesel::delete(password_links::table.filter(password_links::made_by.eq_any(holders))).execute(connection)?)
}

/// Removes what nobody followed in time.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(password_links::table.filter(password_links::expires_at.le(now.unix()))).execute(connection)?)
}
