//! Grants of repositories to users.

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::ids::numbers;
use super::schema::{grants, users as users_table};
use super::users;
use crate::domain::grant::from_stored;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::timestamp::Timestamp;

pub fn find(connection: &mut Connection, user: UserId, repository: RepositoryId) -> Result<Option<Permission>> {
    let stored: Option<String> =
        on_each!(connection, |c| grants::table.find((user, repository)).select(grants::permission).get_result(c))
            .optional()?;
    stored.map(|stored| from_stored(&stored).ok_or_else(|| StorageError::corrupt("grants", repository))).transpose()
}

/// Sets the grant of `user` on `repository`, in place of any former.
pub fn set(
    connection: &mut Connection,
    user: UserId,
    repository: RepositoryId,
    permission: Permission,
    now: Timestamp,
) -> Result<()> {
    // Two at once would both delete and then both insert.
    if !users::lock(connection, user)? {
        return Err(diesel::result::Error::NotFound.into());
    }
    diesel::delete(grants::table.find((user, repository))).execute(connection)?;
    diesel::insert_into(grants::table)
        .values((
            grants::user_id.eq(user),
            grants::repository_id.eq(repository),
            grants::permission.eq(permission.name()),
            grants::created_at.eq(now.unix()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Whether there was a grant to take away.
pub fn remove(connection: &mut Connection, user: UserId, repository: RepositoryId) -> Result<bool> {
    Ok(diesel::delete(grants::table.find((user, repository))).execute(connection)? == 1)
}

/// The strongest grant that a user has on any repository, or on any of `among`.
pub fn strongest(
    connection: &mut Connection,
    user: UserId,
    among: Option<&[RepositoryId]>,
) -> Result<Option<Permission>> {
    let mut own = grants::table.filter(grants::user_id.eq(user)).select(grants::permission).distinct().into_boxed();
    if let Some(ids) = among {
        own = own.filter(grants::repository_id.eq_any(numbers(ids)));
    }
    let stored: Vec<String> = own.load(connection)?;
    let parse = |stored: &String| from_stored(stored).ok_or_else(|| StorageError::corrupt("grants", stored));
    let permissions: Vec<Permission> = stored.iter().map(parse).collect::<Result<_>>()?;
    Ok(permissions.into_iter().max())
}

/// Whether a user has any grant at all.
pub fn any_of(connection: &mut Connection, user: UserId) -> Result<bool> {
    let own = grants::table.filter(grants::user_id.eq(user));
    Ok(on_each!(connection, |c| diesel::select(diesel::dsl::exists(own)).get_result(c))?)
}

type GrantedRow = (UserId, String, String, String, i64);

macro_rules! granted {
    () => {
        grants::table.inner_join(users_table::table).select((
            users_table::id,
            users_table::username,
            users_table::display_name,
            grants::permission,
            grants::created_at,
        ))
    };
}

/// A grant with the user who has it.
#[derive(Debug, Clone)]
pub struct Granted {
    pub user: UserId,
    pub username: String,
    pub display_name: String,
    pub permission: Permission,
    pub created_at: Timestamp,
}

/// The grants on a repository in the order of the usernames: at most `limit`, after the first `offset`.
pub fn list(connection: &mut Connection, repository: RepositoryId, offset: i64, limit: i64) -> Result<Vec<Granted>> {
    let rows: Vec<GrantedRow> = on_each!(connection, |c| granted!()
        .filter(grants::repository_id.eq(repository))
        .order(users_table::username.asc())
        .limit(limit)
        .offset(offset)
        .load(c))?;
    rows.into_iter().map(|row| to_granted(row, repository)).collect()
}

/// The same from after the username `after` on.
pub fn list_after(
    connection: &mut Connection,
    repository: RepositoryId,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Granted>> {
    let of_repository = granted!().filter(grants::repository_id.eq(repository));
    // Every username comes after the empty one.
    let later = of_repository.filter(users_table::username.gt(after.unwrap_or_default()));
    let rows: Vec<GrantedRow> = later.order(users_table::username.asc()).limit(limit).load(connection)?;
    rows.into_iter().map(|row| to_granted(row, repository)).collect()
}

/// One user's grant on a repository.
pub fn of(connection: &mut Connection, user: UserId, repository: RepositoryId) -> Result<Option<Granted>> {
    let of_user = granted!().filter(grants::user_id.eq(user));
    let row: Option<GrantedRow> =
        of_user.filter(grants::repository_id.eq(repository)).get_result(connection).optional()?;
    row.map(|row| to_granted(row, repository)).transpose()
}

fn to_granted(row: GrantedRow, repository: RepositoryId) -> Result<Granted> {
    let (user, username, display_name, permission, created_at) = row;
    Ok(Granted {
        user,
        username,
        display_name,
        permission: from_stored(&permission).ok_or_else(|| StorageError::corrupt("grants", repository))?,
        created_at: Timestamp::from_unix(created_at),
    })
}
