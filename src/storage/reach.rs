//! The API tokens that can reach a repository at this moment.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{api_token_repositories, api_tokens, grants, roles, user_roles, users};
use crate::domain::grant::from_stored;
use crate::domain::id::{ApiTokenId, RepositoryId};
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::timestamp::Timestamp;

/// An API token with its right on a repository.
#[derive(Debug, Clone)]
pub struct Reaching {
    pub id: ApiTokenId,
    pub name: String,
    pub hint: String,
    /// Username of the owner.
    pub owner: String,
    pub right: Permission,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

type Row = (String, String, String, String, Option<i64>, Option<i64>, String, (bool, Option<String>));

/// The tokens that work now and open the repository, newest first: at most `limit`, after the first `offset`.
pub fn api_tokens(
    connection: &mut Connection,
    repository: RepositoryId,
    now: Timestamp,
    offset: i64,
    limit: i64,
) -> Result<Vec<Reaching>> {
    let repository = repository.to_string();
    // The names of privileges are words of their own in the column: none is a part of another.
    let holds = |privilege: Privilege| {
        exists(
            user_roles::table
                .inner_join(roles::table)
                .filter(user_roles::user_id.eq(users::id))
                .filter(roles::privileges.like(format!("%{}%", privilege.name()))),
        )
    };
    let own = grants::user_id.eq(users::id).and(grants::repository_id.eq(repository.clone()));
    let selected = exists(
        api_token_repositories::table
            .filter(api_token_repositories::api_token_id.eq(api_tokens::id))
            .filter(api_token_repositories::repository_id.eq(repository)),
    );
    let reads = grants::permission
        .is_not_null()
        .or(holds(Privilege::ViewRepositories))
        .or(holds(Privilege::RepositoryManagement));
    let rows: Vec<Row> = on_each!(connection, |c| api_tokens::table
        .inner_join(users::table)
        .left_join(grants::table.on(own))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::disabled_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now.unix())))
        .filter(api_tokens::repositories_permission.ne(Permission::None.name()))
        .filter(users::disabled_at.is_null())
        .filter(holds(Privilege::ApiAccess))
        .filter(reads)
        .filter(api_tokens::repository_selection.eq("all").or(selected))
        .order(api_tokens::id.desc())
        .limit(limit)
        .offset(offset)
        .select((
            api_tokens::id,
            api_tokens::name,
            api_tokens::hint,
            api_tokens::repositories_permission,
            api_tokens::expires_at,
            api_tokens::last_used_at,
            users::username,
            (holds(Privilege::RepositoryManagement), grants::permission.nullable()),
        ))
        .load(c))?;
    rows.into_iter().map(to_reaching).collect()
}

fn to_reaching(row: Row) -> Result<Reaching> {
    let (id, name, hint, permission, expires_at, last_used_at, owner, (manages, grant)) = row;
    let corrupt = || StorageError::corrupt("api_tokens", &id);
    let grant = grant.map(|stored| from_stored(&stored).ok_or_else(corrupt)).transpose()?;
    // Whoever is here without managing and without a grant holds the privilege to view.
    let owner_may = if manages { Permission::Write } else { grant.unwrap_or(Permission::Read) };
    Ok(Reaching {
        id: id.parse().map_err(|_| corrupt())?,
        name,
        hint,
        owner,
        right: Permission::from_name(&permission).ok_or_else(corrupt)?.min(owner_may),
        expires_at: expires_at.map(Timestamp::from_unix),
        last_used_at: last_used_at.map(Timestamp::from_unix),
    })
}
