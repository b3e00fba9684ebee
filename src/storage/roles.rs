//! Roles.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::{roles, user_roles};
use crate::domain::id::UserId;
use crate::domain::privilege::Privileges;
use crate::domain::role::Role;

/// Most roles that are looked at.
const MOST_ROLES: i64 = 100;

type Row = (String, String, String, String);

pub fn find_by_name(connection: &mut Connection, name: &str) -> Result<Option<Role>> {
    let row: Option<Row> = roles::table
        .filter(roles::name.eq(name))
        .select((roles::id, roles::name, roles::title, roles::privileges))
        .get_result(connection)
        .optional()?;
    row.map(from_row).transpose()
}

/// All roles, by title.
pub fn list(connection: &mut Connection) -> Result<Vec<Role>> {
    let rows: Vec<Row> = roles::table
        .order((roles::title.asc(), roles::name.asc()))
        .limit(MOST_ROLES)
        .select((roles::id, roles::name, roles::title, roles::privileges))
        .load(connection)?;
    rows.into_iter().map(from_row).collect()
}

/// The roles of one user, by title.
pub fn of(connection: &mut Connection, user: UserId) -> Result<Vec<Role>> {
    let rows: Vec<Row> = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq(user.to_string()))
        .order((roles::title.asc(), roles::name.asc()))
        .select((roles::id, roles::name, roles::title, roles::privileges))
        .load(connection)?;
    rows.into_iter().map(from_row).collect()
}

fn from_row((id, name, title, stored): Row) -> Result<Role> {
    let corrupt = || StorageError::corrupt("roles", &id);
    Ok(Role {
        id: id.parse().map_err(|_| corrupt())?,
        name,
        title,
        privileges: privileges(&stored).ok_or_else(corrupt)?,
    })
}

/// The names of all roles, for messages.
pub fn names(connection: &mut Connection) -> Result<Vec<String>> {
    Ok(roles::table.order(roles::name.asc()).limit(MOST_ROLES).select(roles::name).load(connection)?)
}

pub(super) fn privileges(stored: &str) -> Option<Privileges> {
    Privileges::from_names(stored)
}
