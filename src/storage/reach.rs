//! The API tokens that can reach a repository at this moment.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::dsl::{exists, max};
use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::roles::privileges;
use super::schema::{api_token_repositories, api_tokens, grants, roles, token_usage, user_roles, users};
use super::user_list::string_agg;
use crate::domain::grant::from_stored;
use crate::domain::id::{ApiTokenId, RepositoryId, UserId};
use crate::domain::permission::{Permission, owner_may};
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

/// A token that is good by itself, and the id of its owner.
type Row = (ApiTokenId, String, String, String, Option<i64>, Option<i64>, UserId);

/// The username of somebody who may use API tokens, and what such a one may do at the repository.
type Owner = Option<(String, Permission)>;

/// Tokens looked at together, and for one page: where few can reach a repository, most are passed over.
const AT_ONCE: usize = 250;
const MOST: usize = 1_000;

/// One page of the tokens that reach a repository.
#[derive(Debug, Default)]
pub struct Reached {
    pub tokens: Vec<Reaching>,
    /// Where the next page begins, if there may be one: behind this token.
    pub next: Option<ApiTokenId>,
}

/// The tokens that work now and open the repository, newest first: at most `limit`, of those made before `before`.
pub fn api_tokens(
    connection: &mut Connection,
    repository: RepositoryId,
    now: Timestamp,
    before: Option<ApiTokenId>,
    limit: usize,
) -> Result<Reached> {
    let mut owners: HashMap<UserId, Owner> = HashMap::new();
    let mut reached = Reached::default();
    let (mut before, mut seen, mut count) = (before, 0, limit + 1);
    loop {
        let rows = good(connection, repository, now, before, count)?;
        let all_seen = rows.len() < count;
        seen += rows.len();
        for row in rows {
            // Tokens of one owner are often neighbours.
            let id = row.0;
            let owner = match owners.entry(row.6) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(owner(connection, row.6, repository)?),
            };
            if let Some(owner) = owner {
                if reached.tokens.len() == limit {
                    reached.next = before;
                    return Ok(reached);
                }
                reached.tokens.push(to_reaching(row, owner)?);
            }
            before = Some(id);
        }
        if all_seen {
            return Ok(reached);
        }
        if seen >= MOST {
            reached.next = before;
            return Ok(reached);
        }
        count = AT_ONCE;
    }
}

/// The newest tokens that nothing of their own keeps from the repository: `count` of those made before `before`.
fn good(
    connection: &mut Connection,
    repository: RepositoryId,
    now: Timestamp,
    before: Option<ApiTokenId>,
    count: usize,
) -> Result<Vec<Row>> {
    let selected = exists(
        api_token_repositories::table
            .filter(api_token_repositories::api_token_id.eq(api_tokens::id))
            .filter(api_token_repositories::repository_id.eq(repository)),
    );
    let last_used = token_usage::table
        .filter(token_usage::api_token_id.eq(api_tokens::id))
        .select(max(token_usage::last_used_at))
        .single_value();
    Ok(on_each!(connection, |c| api_tokens::table
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::disabled_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now.unix())))
        .filter(api_tokens::repositories_permission.ne(Permission::None.name()))
        .filter(api_tokens::repository_selection.eq("all").or(selected))
        .filter(api_tokens::id.lt(before.map_or(i64::MAX, ApiTokenId::number)))
        .order(api_tokens::id.desc())
        .limit(i64::try_from(count).unwrap_or(i64::MAX))
        .select((
            api_tokens::id,
            api_tokens::name,
            api_tokens::hint,
            api_tokens::repositories_permission,
            api_tokens::expires_at,
            last_used,
            api_tokens::user_id,
        ))
        .load(c))?)
}

/// `None` for whoever can do nothing there with any token. What one may is judged by the rule that holds for checks.
fn owner(connection: &mut Connection, id: UserId, repository: RepositoryId) -> Result<Owner> {
    let own = grants::user_id.eq(users::id).and(grants::repository_id.eq(repository));
    let held = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq(users::id))
        .select(string_agg(roles::privileges, " "))
        .single_value();
    let row: Option<(String, Option<String>, Option<String>)> = on_each!(connection, |c| users::table
        .find(id)
        .left_join(grants::table.on(own))
        .filter(users::disabled_at.is_null())
        .select((users::username, held, grants::permission.nullable()))
        .get_result(c))
    .optional()?;
    let Some((username, held, grant)) = row else { return Ok(None) };
    let held = privileges(held.as_deref().unwrap_or_default()).ok_or_else(|| StorageError::corrupt("roles", id))?;
    let granted = |stored: String| from_stored(&stored).ok_or_else(|| StorageError::corrupt("grants", id));
    let may = owner_may(held, grant.map(granted).transpose()?);
    Ok((held.contains(Privilege::ApiAccess) && may > Permission::None).then_some((username, may)))
}

fn to_reaching(row: Row, (owner, may): &(String, Permission)) -> Result<Reaching> {
    let (id, name, hint, permission, expires_at, last_used_at, _) = row;
    let permission = Permission::from_name(&permission).ok_or_else(|| StorageError::corrupt("api_tokens", id))?;
    Ok(Reaching {
        id,
        name,
        hint,
        owner: owner.clone(),
        right: permission.min(*may),
        expires_at: expires_at.map(Timestamp::from_unix),
        last_used_at: last_used_at.map(Timestamp::from_unix),
    })
}
