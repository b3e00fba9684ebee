//! Grants of repositories to users.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::grants;
use super::users;
use crate::domain::grant::from_stored;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::timestamp::Timestamp;

pub fn find(connection: &mut Connection, user: UserId, repository: RepositoryId) -> Result<Option<Permission>> {
    grants::table
        .find((user.to_string(), repository.to_string()))
        .select(grants::permission)
        .get_result::<String>(connection)
        .optional()?
        .map(|stored| from_stored(&stored).ok_or_else(|| StorageError::corrupt("grants", repository)))
        .transpose()
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
    users::lock(connection, user)?;
    diesel::delete(grants::table.find((user.to_string(), repository.to_string()))).execute(connection)?;
    diesel::insert_into(grants::table)
        .values((
            grants::user_id.eq(user.to_string()),
            grants::repository_id.eq(repository.to_string()),
            grants::permission.eq(permission.name()),
            grants::created_at.eq(now.unix()),
        ))
        .execute(connection)?;
    Ok(())
}
