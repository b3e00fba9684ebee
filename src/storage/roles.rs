//! Roles.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::{roles, user_roles};
use crate::domain::id::{RoleId, UserId};
use crate::domain::privilege::Privileges;
use crate::domain::role::Role;

/// Most roles that are looked at, and that there may be.
pub const MOST_ROLES: i64 = 100;

type Row = (RoleId, String, String, String, bool);

macro_rules! columns {
    () => {
        (roles::id, roles::name, roles::title, roles::privileges, roles::built_in)
    };
}

pub fn find_by_name(connection: &mut Connection, name: &str) -> Result<Option<Role>> {
    let row: Option<Row> =
        roles::table.filter(roles::name.eq(name)).select(columns!()).get_result(connection).optional()?;
    row.map(from_row).transpose()
}

/// All roles, by title.
pub fn list(connection: &mut Connection) -> Result<Vec<Role>> {
    let rows: Vec<Row> = roles::table
        .order((roles::title.asc(), roles::name.asc()))
        .limit(MOST_ROLES)
        .select(columns!())
        .load(connection)?;
    rows.into_iter().map(from_row).collect()
}

/// The roles of one user, by title.
pub fn of(connection: &mut Connection, user: UserId) -> Result<Vec<Role>> {
    let rows: Vec<Row> = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq(user))
        .order((roles::title.asc(), roles::name.asc()))
        .select(columns!())
        .load(connection)?;
    rows.into_iter().map(from_row).collect()
}

/// The roles in the order of their names: at most `limit`, from after the name `after` on.
pub fn list_after(connection: &mut Connection, after: Option<String>, limit: i64) -> Result<Vec<Role>> {
    // Every name comes after the empty one.
    let later = roles::table.filter(roles::name.gt(after.unwrap_or_default()));
    let rows: Vec<Row> = later.order(roles::name.asc()).limit(limit).select(columns!()).load(connection)?;
    rows.into_iter().map(from_row).collect()
}

/// How many users hold the role.
pub fn count_holders(connection: &mut Connection, role: RoleId) -> Result<i64> {
    Ok(user_roles::table.filter(user_roles::role_id.eq(role)).count().get_result(connection)?)
}

/// All that those who hold the role hold, by whichever roles.
pub fn held_by_holders(connection: &mut Connection, role: RoleId) -> Result<Privileges> {
    let holders = diesel::alias!(user_roles as holders);
    let rows: Vec<String> = roles::table
        .inner_join(user_roles::table.on(user_roles::role_id.eq(roles::id)))
        .inner_join(holders.on(holders.field(user_roles::user_id).eq(user_roles::user_id)))
        .filter(holders.field(user_roles::role_id).eq(role))
        .select(roles::privileges)
        .distinct()
        .load(connection)?;
    rows.iter().try_fold(Privileges::NONE, |all, stored| {
        Ok(all.and(privileges(stored).ok_or_else(|| StorageError::corrupt("roles", stored))?))
    })
}

fn from_row((id, name, title, stored, built_in): Row) -> Result<Role> {
    Ok(Role {
        id,
        name,
        title,
        privileges: privileges(&stored).ok_or_else(|| StorageError::corrupt("roles", id))?,
        built_in,
    })
}

/// The names of all roles, for messages.
pub fn names(connection: &mut Connection) -> Result<Vec<String>> {
    Ok(roles::table.order(roles::name.asc()).limit(MOST_ROLES).select(roles::name).load(connection)?)
}

pub(super) fn privileges(stored: &str) -> Option<Privileges> {
    Privileges::from_names(stored)
}
