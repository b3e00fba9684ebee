//! Reads everything that users can do, to compare them. Call it in the transaction of the change.

use diesel::prelude::*;

use super::error::{Result, StorageError};
use super::schema::{grants, user_roles};
use super::{Connection, roles};
use crate::domain::access::UserAccess;
use crate::domain::grant::from_stored;
use crate::domain::id::{RepositoryId, RoleId, UserId};
use crate::domain::permission::{Permission, owner_may};
use crate::domain::privilege::Privileges;

/// A user, with the privileges that the user has.
pub type UserPrivileges = (UserId, Privileges);

/// Everything that the actor and the user can do, as far as it decides whether the actor covers the user: grants that the
/// privileges of one of them include are not read.
pub fn of_both(
    connection: &mut Connection,
    actor: UserPrivileges,
    user: UserPrivileges,
) -> Result<(UserAccess, UserAccess)> {
    Ok((of(connection, actor, Privileges::NONE)?, of(connection, user, actor.1)?))
}

fn of(connection: &mut Connection, (user, privileges): UserPrivileges, actor: Privileges) -> Result<UserAccess> {
    let own = grants::table.filter(grants::user_id.eq(user));
    let rows = match grants_beyond(privileges.and(actor)) {
        None => Vec::new(),
        Some(names) => own
            .filter(grants::permission.eq_any(names))
            .select((grants::repository_id, grants::permission))
            .load(connection)?,
    };
    to_access(privileges, rows)
}

/// The same for the actor and all users who have the role, together.
pub fn of_role(connection: &mut Connection, actor: UserPrivileges, role: RoleId) -> Result<(UserAccess, UserAccess)> {
    let own = of(connection, actor, Privileges::NONE)?;
    let privileges = roles::held_by_holders(connection, role)?;
    let of_holders = grants::table.inner_join(user_roles::table.on(user_roles::user_id.eq(grants::user_id)));
    let rows = match grants_beyond(privileges.and(actor.1)) {
        None => Vec::new(),
        Some(names) => of_holders
            .filter(user_roles::role_id.eq(role))
            .filter(grants::permission.eq_any(names))
            .select((grants::repository_id, grants::permission))
            .distinct()
            .load(connection)?,
    };
    Ok((own, to_access(privileges, rows)?))
}

/// The names of the permissions that a grant can add to these privileges.
fn grants_beyond(privileges: Privileges) -> Option<Vec<&'static str>> {
    let included = owner_may(privileges, None);
    let names: Vec<_> =
        Permission::ALL.into_iter().filter(|permission| *permission > included).map(Permission::name).collect();
    (!names.is_empty()).then_some(names)
}

fn to_access(privileges: Privileges, rows: Vec<(RepositoryId, String)>) -> Result<UserAccess> {
    let grants = rows.into_iter().map(|(repository, permission)| {
        let permission = from_stored(&permission).ok_or_else(|| StorageError::corrupt("grants", repository))?;
        Ok((repository, permission))
    });
    Ok(UserAccess::new(privileges, grants.collect::<Result<Vec<_>>>()?))
}
