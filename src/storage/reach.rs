//! The API tokens that can reach a repository at this moment.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::roles::privileges;
use super::schema::{api_token_repositories, api_tokens, grants, roles, user_roles, users};
use crate::domain::grant::from_stored;
use crate::domain::id::{ApiTokenId, RepositoryId};
use crate::domain::permission::{Permission, owner_may};
use crate::domain::privilege::{Privilege, Privileges};
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

type Row = (String, String, String, String, Option<i64>, Option<i64>, (String, String));

/// The tokens that work now and open the repository, newest first: at most `limit`, after the first `offset`.
pub fn api_tokens(
    connection: &mut Connection,
    repository: RepositoryId,
    now: Timestamp,
    offset: i64,
    limit: i64,
) -> Result<Vec<Reaching>> {
    let held = privileges_of_roles(connection)?;
    let with = |wanted: &[Privilege]| -> Vec<String> {
        let has = |held: &Privileges| wanted.iter().any(|&privilege| held.contains(privilege));
        held.iter().filter(|(_, held)| has(held)).map(|(id, _)| id.clone()).collect()
    };
    let repository = repository.to_string();
    let holds = |roles: Vec<String>| {
        exists(user_roles::table.filter(user_roles::user_id.eq(users::id)).filter(user_roles::role_id.eq_any(roles)))
    };
    let granted =
        exists(grants::table.filter(grants::user_id.eq(users::id)).filter(grants::repository_id.eq(&repository)));
    let selected = exists(
        api_token_repositories::table
            .filter(api_token_repositories::api_token_id.eq(api_tokens::id))
            .filter(api_token_repositories::repository_id.eq(&repository)),
    );
    let rows: Vec<Row> = api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::disabled_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now.unix())))
        .filter(api_tokens::repositories_permission.ne(Permission::None.name()))
        .filter(users::disabled_at.is_null())
        .filter(holds(with(&[Privilege::ApiAccess])))
        .filter(holds(with(&[Privilege::ViewRepositories, Privilege::RepositoryManagement])).or(granted))
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
            (users::id, users::username),
        ))
        .load(connection)?;
    let owners = rights_of_owners(connection, &rows, &repository, &held)?;
    rows.into_iter()
        .map(|(id, name, hint, permission, expires_at, last_used_at, (owner, username))| {
            let corrupt = || StorageError::corrupt("api_tokens", &id);
            let most = Permission::from_name(&permission).ok_or_else(corrupt)?;
            Ok(Reaching {
                id: id.parse().map_err(|_| corrupt())?,
                name,
                hint,
                owner: username,
                right: most.min(owners.get(&owner).copied().unwrap_or_default()),
                expires_at: expires_at.map(Timestamp::from_unix),
                last_used_at: last_used_at.map(Timestamp::from_unix),
            })
        })
        .collect()
}

fn privileges_of_roles(connection: &mut Connection) -> Result<HashMap<String, Privileges>> {
    let rows: Vec<(String, String)> = roles::table.select((roles::id, roles::privileges)).load(connection)?;
    rows.into_iter()
        .map(|(id, stored)| {
            let held = privileges(&stored).ok_or_else(|| StorageError::corrupt("roles", &id))?;
            Ok((id, held))
        })
        .collect()
}

/// What each owner of these tokens may do on the repository.
fn rights_of_owners(
    connection: &mut Connection,
    rows: &[Row],
    repository: &str,
    held: &HashMap<String, Privileges>,
) -> Result<HashMap<String, Permission>> {
    let mut ids: Vec<&str> = rows.iter().map(|row| row.6.0.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let roles: Vec<(String, String)> = user_roles::table.filter(user_roles::user_id.eq_any(&ids)).load(connection)?;
    let grants: Vec<(String, String)> = grants::table
        .filter(grants::user_id.eq_any(&ids))
        .filter(grants::repository_id.eq(repository))
        .select((grants::user_id, grants::permission))
        .load(connection)?;
    let rights = ids.into_iter().map(|owner| {
        let own = roles.iter().filter(|(user, _)| user == owner);
        let all = own.filter_map(|(_, role)| held.get(role)).fold(Privileges::NONE, |all, &more| all.and(more));
        let grant = grants.iter().find(|(user, _)| user == owner).and_then(|(_, stored)| from_stored(stored));
        (owner.to_owned(), owner_may(all, grant))
    });
    Ok(rights.collect())
}
