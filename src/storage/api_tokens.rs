//! API tokens as they stand; how they change is in `api_token_changes`.

use std::collections::HashMap;

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::ids::numbers;
use super::schema::{api_token_repositories, api_token_secrets, api_tokens, token_usage};
use crate::domain::api_token::{ApiToken, LastUse, ReplacedSecret, RepositorySelection};
use crate::domain::id::{ApiTokenId, RepositoryId, UserId};
use crate::domain::name::{Note, TokenName};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::secret::Digest;
use crate::domain::timestamp::Timestamp;

#[derive(Queryable)]
struct Row {
    id: ApiTokenId,
    user_id: UserId,
    name: String,
    _name_key: String,
    note: Option<String>,
    hint: String,
    secret_number: i64,
    repositories_permission: String,
    account_permission: String,
    administration_permission: String,
    repository_selection: String,
    lifetime: Option<i64>,
    created_at: i64,
    rotated_at: Option<i64>,
    expires_at: Option<i64>,
    disabled_at: Option<i64>,
    revoked_at: Option<i64>,
}

/// The current tokens of an owner, then those revoked since `revoked_since`; newest first, at most `limit`.
pub fn list(connection: &mut Connection, owner: UserId, revoked_since: Timestamp, limit: i64) -> Result<Vec<ApiToken>> {
    // One query for each index.
    let mut tokens = list_current(connection, owner, None, limit)?;
    let rest = limit - i64::try_from(tokens.len()).unwrap_or(limit);
    if rest > 0 {
        let rows: Vec<Row> = on_each!(connection, |c| api_tokens::table
            .filter(api_tokens::user_id.eq(owner))
            .filter(api_tokens::revoked_at.ge(revoked_since.unix()))
            .order(api_tokens::id.desc())
            .limit(rest)
            .load(c))?;
        tokens.extend(to_tokens(connection, rows)?);
    }
    Ok(tokens)
}

/// At most `limit` current tokens of an owner, newest first, from after `after` on.
pub fn list_current(
    connection: &mut Connection,
    owner: UserId,
    after: Option<ApiTokenId>,
    limit: i64,
) -> Result<Vec<ApiToken>> {
    let rows: Vec<Row> = on_each!(connection, |c| api_tokens::table
        .filter(api_tokens::user_id.eq(owner))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::id.lt(after.map_or(i64::MAX, ApiTokenId::number)))
        .order(api_tokens::id.desc())
        .limit(limit)
        .load(c))?;
    to_tokens(connection, rows)
}

/// The number of the secret with this digest.
pub fn secret_of(connection: &mut Connection, digest: &Digest) -> Result<Option<i64>> {
    Ok(api_token_secrets::table
        .filter(api_token_secrets::digest.eq(digest.as_bytes().as_slice()))
        .select(api_token_secrets::number)
        .get_result(connection)
        .optional()?)
}

/// The names of the owner's current tokens, in lower case.
pub fn current_names(connection: &mut Connection, owner: UserId) -> Result<Vec<String>> {
    Ok(api_tokens::table
        .filter(api_tokens::user_id.eq(owner))
        .filter(api_tokens::revoked_at.is_null())
        .select(api_tokens::name_key)
        .load(connection)?)
}

/// How many count towards the limit: all but the revoked ones.
pub fn count_current(connection: &mut Connection, owner: UserId) -> Result<usize> {
    let count: i64 = on_each!(connection, |c| api_tokens::table
        .filter(api_tokens::user_id.eq(owner))
        .filter(api_tokens::revoked_at.is_null())
        .count()
        .get_result(c))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// A token of this owner; another's is not found.
pub fn find(connection: &mut Connection, owner: UserId, id: ApiTokenId) -> Result<Option<ApiToken>> {
    let row: Option<Row> =
        api_tokens::table.find(id).filter(api_tokens::user_id.eq(owner)).get_result(connection).optional()?;
    Ok(to_tokens(connection, row.into_iter().collect())?.pop())
}

/// Whether another current token of the owner has this name, in any case.
pub fn name_is_taken(
    connection: &mut Connection,
    owner: UserId,
    name: &TokenName,
    except: Option<ApiTokenId>,
) -> Result<bool> {
    let holders: Vec<ApiTokenId> = on_each!(connection, |c| api_tokens::table
        .filter(api_tokens::user_id.eq(owner))
        .filter(api_tokens::name_key.eq(name.key()))
        .filter(api_tokens::revoked_at.is_null())
        .select(api_tokens::id)
        .load(c))?;
    Ok(holders.into_iter().any(|id| Some(id) != except))
}

/// The former secrets that still work.
pub fn replaced_secrets(connection: &mut Connection, token: ApiTokenId, now: Timestamp) -> Result<Vec<ReplacedSecret>> {
    let rows: Vec<(String, i64)> = api_token_secrets::table
        .filter(api_token_secrets::api_token_id.eq(token))
        .filter(api_token_secrets::valid_until.gt(now.unix()))
        .order(api_token_secrets::valid_until.asc())
        .select((api_token_secrets::hint, api_token_secrets::valid_until.assume_not_null()))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(hint, ends_at)| ReplacedSecret { hint, ends_at: Timestamp::from_unix(ends_at) })
        .collect())
}

/// The tokens of an owner of which a former secret still works, and until when the last of them does.
pub fn replaced_until(
    connection: &mut Connection,
    owner: UserId,
    now: Timestamp,
) -> Result<HashMap<ApiTokenId, Timestamp>> {
    let rows: Vec<(ApiTokenId, i64)> = on_each!(connection, |c| api_tokens::table
        .inner_join(api_token_secrets::table)
        .filter(api_tokens::user_id.eq(owner))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_token_secrets::valid_until.gt(now.unix()))
        .order(api_token_secrets::valid_until.asc())
        .select((api_tokens::id, api_token_secrets::valid_until.assume_not_null()))
        .load(c))?;
    Ok(rows.into_iter().map(|(id, end)| (id, Timestamp::from_unix(end))).collect())
}

/// The repositories a token was limited to.
pub fn selected_repositories(connection: &mut Connection, token: ApiTokenId) -> Result<Vec<RepositoryId>> {
    Ok(api_token_repositories::table
        .filter(api_token_repositories::api_token_id.eq(token))
        .select(api_token_repositories::repository_id)
        .load(connection)?)
}

pub(super) fn permissions(repositories: &str, account: &str, administration: &str) -> Option<Permissions> {
    Some(Permissions {
        repositories: Permission::from_name(repositories)?,
        account: Permission::from_name(account)?,
        administration: Permission::from_name(administration)?,
    })
}

/// Removes replaced secrets that ended, and tokens that were revoked, before `ended_before`.
pub fn prune(connection: &mut Connection, ended_before: Timestamp) -> Result<usize> {
    let secrets =
        diesel::delete(api_token_secrets::table.filter(api_token_secrets::valid_until.lt(ended_before.unix())))
            .execute(connection)?;
    let tokens =
        diesel::delete(api_tokens::table.filter(api_tokens::revoked_at.lt(ended_before.unix()))).execute(connection)?;
    Ok(secrets + tokens)
}

/// The last use of each of these tokens that was used, with any secret.
fn last_uses(connection: &mut Connection, ids: &[ApiTokenId]) -> Result<HashMap<ApiTokenId, LastUse>> {
    let rows: Vec<(ApiTokenId, i64, Option<String>)> = token_usage::table
        .filter(token_usage::api_token_id.eq_any(numbers(ids)))
        .order(token_usage::last_used_at.asc())
        .select((token_usage::api_token_id, token_usage::last_used_at, token_usage::last_used_address))
        .load(connection)?;
    let last_use = |(id, at, address): (_, _, Option<String>)| {
        (id, LastUse { at: Timestamp::from_unix(at), address: address.unwrap_or_default() })
    };
    // Of several rows of a token the last one stays.
    Ok(rows.into_iter().map(last_use).collect())
}

fn to_tokens(connection: &mut Connection, rows: Vec<Row>) -> Result<Vec<ApiToken>> {
    let ids: Vec<ApiTokenId> = rows.iter().map(|row| row.id).collect();
    let mut last_uses = last_uses(connection, &ids)?;
    rows.into_iter()
        .map(|row| {
            let last_use = last_uses.remove(&row.id);
            to_token(connection, row, last_use)
        })
        .collect()
}

fn to_token(connection: &mut Connection, row: Row, last_use: Option<LastUse>) -> Result<ApiToken> {
    let id = row.id;
    let corrupt = || StorageError::corrupt("api_tokens", id);
    let repositories = match row.repository_selection.as_str() {
        "all" => RepositorySelection::All,
        "selected" => RepositorySelection::Selected(selected_repositories(connection, id)?),
        _ => return Err(corrupt()),
    };
    Ok(ApiToken {
        id,
        owner: row.user_id,
        name: TokenName::parse(&row.name).map_err(|_| corrupt())?,
        note: row.note.as_deref().map(Note::parse).transpose().map_err(|_| corrupt())?.flatten(),
        current_secret: row.secret_number,
        permissions: permissions(&row.repositories_permission, &row.account_permission, &row.administration_permission)
            .ok_or_else(corrupt)?,
        repositories,
        lifetime: row.lifetime,
        created_at: Timestamp::from_unix(row.created_at),
        rotated_at: row.rotated_at.map(Timestamp::from_unix),
        expires_at: row.expires_at.map(Timestamp::from_unix),
        disabled_at: row.disabled_at.map(Timestamp::from_unix),
        revoked_at: row.revoked_at.map(Timestamp::from_unix),
        last_use,
        hint: row.hint,
    })
}
