//! Users and the roles they hold.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError, insert_unless_taken};
use super::roles::privileges;
use super::schema::{roles, user_roles, users};
use crate::domain::id::{RoleId, UserId};
use crate::domain::password::PasswordHash;
use crate::domain::privilege::Privileges;
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{NewUser, User, Username};

/// What sign-in needs to know of a user.
#[derive(Debug)]
pub struct Credentials {
    pub id: UserId,
    pub disabled: bool,
    /// `None` until a password was set.
    pub password_hash: Option<PasswordHash>,
}

pub fn any(connection: &mut Connection) -> Result<bool> {
    Ok(users::table.count().get_result::<i64>(connection)? > 0)
}

/// `None` if the username is taken.
pub fn insert(
    connection: &mut Connection,
    user: &NewUser,
    hash: Option<&PasswordHash>,
    role: RoleId,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Option<UserId>> {
    let id = UserId::new(now, rng);
    Ok(insert_as(connection, id, user, hash, &[role], now)?.then_some(id))
}

/// `false` if the username is taken, or the id.
pub fn insert_as(
    connection: &mut Connection,
    id: UserId,
    user: &NewUser,
    hash: Option<&PasswordHash>,
    roles: &[RoleId],
    now: Timestamp,
) -> Result<bool> {
    let email = user.email.as_ref().map_or("", |email| email.as_str());
    let row = (
        users::id.eq(id),
        users::username.eq(user.username.as_str()),
        users::display_name.eq(user.display_name.as_str()),
        users::email.eq(email),
        users::password_hash.eq(hash.map(PasswordHash::as_phc)),
        users::created_at.eq(now.unix()),
        users::revision.eq(0),
        users::search_key.eq(search_key(&user.username, user.display_name.as_str(), email)),
    );
    let inserted = insert_unless_taken(connection, |connection| {
        Ok(diesel::insert_into(users::table).values(row).execute(connection)?)
    })?;
    if inserted.is_none() {
        return Ok(false);
    }
    give_roles(connection, id, roles)?;
    Ok(true)
}

/// Gives the user these roles, in place of all former ones.
pub fn set_roles(connection: &mut Connection, id: UserId, roles: &[RoleId]) -> Result<()> {
    diesel::delete(user_roles::table.filter(user_roles::user_id.eq(id))).execute(connection)?;
    give_roles(connection, id, roles)
}

fn give_roles(connection: &mut Connection, id: UserId, roles: &[RoleId]) -> Result<()> {
    for role in roles {
        diesel::insert_into(user_roles::table)
            .values((user_roles::user_id.eq(id), user_roles::role_id.eq(*role)))
            .execute(connection)?;
    }
    Ok(())
}

pub fn credentials(connection: &mut Connection, username: &Username) -> Result<Option<Credentials>> {
    Ok(users::table
        .filter(users::username.eq(username.as_str()))
        .select((users::id, users::disabled_at, users::password_hash))
        .get_result::<(UserId, Option<i64>, Option<String>)>(connection)
        .optional()?
        .map(to_credentials))
}

pub fn credentials_of(connection: &mut Connection, user: UserId) -> Result<Option<Credentials>> {
    Ok(users::table
        .find(user)
        .select((users::id, users::disabled_at, users::password_hash))
        .get_result::<(UserId, Option<i64>, Option<String>)>(connection)
        .optional()?
        .map(to_credentials))
}

fn to_credentials((id, disabled_at, hash): (UserId, Option<i64>, Option<String>)) -> Credentials {
    Credentials { id, disabled: disabled_at.is_some(), password_hash: hash.map(PasswordHash::from_phc) }
}

/// The columns of [`User`] that lie in the table itself.
pub(super) type UserRow = (UserId, String, String, String, Option<i64>, i64);
/// Title and privileges of one role.
pub(super) type RoleRow = (Option<String>, Option<String>);

/// The columns that make a [`UserRow`] and a [`RoleRow`].
macro_rules! user_columns {
    () => {
        (
            (users::id, users::username, users::display_name, users::email, users::disabled_at, users::created_at),
            (roles::title.nullable(), roles::privileges.nullable()),
        )
    };
}
pub(super) use user_columns;

pub fn find(connection: &mut Connection, id: UserId) -> Result<Option<User>> {
    let rows: Vec<(UserRow, RoleRow)> = users::table
        .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
        .left_join(roles::table.on(roles::id.eq(user_roles::role_id)))
        .filter(users::id.eq(id))
        .select(user_columns!())
        .load(connection)?;
    from_rows(rows)
}

/// One row a role makes one user.
pub(super) fn from_rows(rows: Vec<(UserRow, RoleRow)>) -> Result<Option<User>> {
    let mut titles = Vec::with_capacity(rows.len());
    let mut all = Privileges::NONE;
    let mut row = None;
    for (user, (title, stored)) in rows {
        let id = user.0;
        titles.extend(title);
        all = all.and(privileges(stored.as_deref().unwrap_or("")).ok_or_else(|| StorageError::corrupt("roles", id))?);
        row = Some(user);
    }
    titles.sort();
    row.map(|(id, username, display_name, email, disabled_at, created_at)| {
        Ok(User {
            id,
            username: Username::parse(&username).map_err(|_| StorageError::corrupt("users", id))?,
            display_name,
            email,
            disabled_at: disabled_at.map(Timestamp::from_unix),
            created_at: Timestamp::from_unix(created_at),
            privileges: all,
            roles: titles,
        })
    })
    .transpose()
}

/// Holds off every other transaction that calls this for the same user, until the end of the present one.
pub fn lock(connection: &mut Connection, id: UserId) -> Result<bool> {
    let hit = on_each!(connection, |c| diesel::update(users::table.find(id))
        .set(users::revision.eq(users::revision + 1))
        .execute(c))?;
    Ok(hit == 1)
}

/// Locks several users, in one order for everybody, so that two who lock the same ones never wait for each other in a circle.
pub fn lock_all(connection: &mut Connection, ids: &[UserId]) -> Result<()> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        lock(connection, id)?;
    }
    Ok(())
}

/// What a search looks into, in lower case and NFC.
pub fn search_key(username: &Username, display_name: &str, email: &str) -> String {
    text::search_key(&format!("{username} {display_name} {email}"))
}

/// Whether the user was there and enabled.
pub fn disable(connection: &mut Connection, id: UserId, now: Timestamp) -> Result<bool> {
    let hit = diesel::update(users::table.find(id).filter(users::disabled_at.is_null()))
        .set(users::disabled_at.eq(now.unix()))
        .execute(connection)?;
    Ok(hit == 1)
}

/// Whether the user was there and disabled.
pub fn enable(connection: &mut Connection, id: UserId) -> Result<bool> {
    let hit = diesel::update(users::table.find(id).filter(users::disabled_at.is_not_null()))
        .set(users::disabled_at.eq(None::<i64>))
        .execute(connection)?;
    Ok(hit == 1)
}

pub fn set_password(connection: &mut Connection, id: UserId, hash: &PasswordHash) -> Result<bool> {
    let hit = diesel::update(users::table.find(id)).set(users::password_hash.eq(hash.as_phc())).execute(connection)?;
    Ok(hit == 1)
}

/// How many enabled users, who have set a password, hold the role.
pub fn count_enabled_with_role(connection: &mut Connection, role: &str) -> Result<i64> {
    Ok(users::table
        .inner_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
        .inner_join(roles::table.on(roles::id.eq(user_roles::role_id)))
        .filter(roles::name.eq(role))
        .filter(users::disabled_at.is_null())
        .filter(users::password_hash.is_not_null())
        .count()
        .get_result(connection)?)
}
