//! Roles.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::roles;
use crate::domain::privilege::Privileges;
use crate::domain::role::Role;

pub fn find_by_name(connection: &mut Connection, name: &str) -> Result<Option<Role>> {
    let row: Option<(String, String, String, String)> = roles::table
        .filter(roles::name.eq(name))
        .select((roles::id, roles::name, roles::title, roles::privileges))
        .get_result(connection)
        .optional()?;
    row.map(|(id, name, title, stored)| {
        let corrupt = || StorageError::corrupt("roles", &id);
        Ok(Role {
            id: id.parse().map_err(|_| corrupt())?,
            name,
            title,
            privileges: privileges(&stored).ok_or_else(corrupt)?,
        })
    })
    .transpose()
}

/// The names of all roles, for messages.
pub fn names(connection: &mut Connection) -> Result<Vec<String>> {
    Ok(roles::table.order(roles::name.asc()).limit(100).select(roles::name).load(connection)?)
}

pub(super) fn privileges(stored: &str) -> Option<Privileges> {
    Privileges::from_names(stored)
}
