//! From the digest of a secret to all that a check must know, in one statement.

use diesel::prelude::*;

use super::Connection;
use super::api_tokens::permissions;
use super::error::{Result, StorageError};
use super::roles::privileges;
use super::schema::{api_token_secrets, api_tokens, roles, user_roles, users};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::Permissions;
use crate::domain::privilege::Privileges;
use crate::domain::secret::Digest;
use crate::domain::timestamp::Timestamp;

/// An API token's secret with its token and owner, as they stand now.
#[derive(Debug, Clone)]
pub struct KnownApiToken {
    pub id: ApiTokenId,
    pub name: String,
    pub permissions: Permissions,
    /// Whether the token is limited to selected repositories.
    pub selected_only: bool,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub disabled: bool,
    pub revoked: bool,
    /// When this secret, replaced by another, stops working.
    pub secret_ends_at: Option<Timestamp>,
    pub owner: UserId,
    pub username: String,
    pub owner_disabled: bool,
    pub owner_privileges: Privileges,
}

type TokenRow = (String, String, String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);
type OwnerRow = (String, String, Option<i64>, Option<String>);

pub fn find_api_token(connection: &mut Connection, digest: &Digest) -> Result<Option<KnownApiToken>> {
    // One row for each role of the owner; `load` and not `first`, because a LIMIT makes SQLite prepare anew each time.
    let rows: Vec<(Option<i64>, TokenRow, OwnerRow)> = api_token_secrets::table
        .inner_join(api_tokens::table.inner_join(users::table))
        .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
        .left_join(roles::table.on(roles::id.eq(user_roles::role_id)))
        .filter(api_token_secrets::digest.eq(digest.as_bytes().as_slice()))
        .select((
            api_token_secrets::ends_at,
            (
                api_tokens::id,
                api_tokens::name,
                api_tokens::repositories_permission,
                api_tokens::account_permission,
                api_tokens::administration_permission,
                api_tokens::repository_selection,
                api_tokens::created_at,
                api_tokens::expires_at,
                api_tokens::disabled_at,
                api_tokens::revoked_at,
            ),
            (users::id, users::username, users::disabled_at, roles::privileges.nullable()),
        ))
        .load(connection)?;
    let mut all = Privileges::NONE;
    let mut found = None;
    for (secret_ends_at, token, owner) in rows {
        let held = owner.3.as_deref().unwrap_or("");
        all = all.and(privileges(held).ok_or_else(|| StorageError::corrupt("roles", &owner.0))?);
        found = Some((secret_ends_at, token, owner));
    }
    let Some((secret_ends_at, token, owner)) = found else { return Ok(None) };
    let (id, name, repositories, account, administration, selection, created_at, expires_at, disabled_at, revoked_at) =
        token;
    let (owner, username, owner_disabled_at, _) = owner;
    let corrupt = || StorageError::corrupt("api_tokens", &id);
    Ok(Some(KnownApiToken {
        id: id.parse().map_err(|_| corrupt())?,
        name,
        permissions: permissions(&repositories, &account, &administration).ok_or_else(corrupt)?,
        selected_only: selection != "all",
        created_at: Timestamp::from_unix(created_at),
        expires_at: expires_at.map(Timestamp::from_unix),
        disabled: disabled_at.is_some(),
        revoked: revoked_at.is_some(),
        secret_ends_at: secret_ends_at.map(Timestamp::from_unix),
        owner: owner.parse().map_err(|_| corrupt())?,
        username,
        owner_disabled: owner_disabled_at.is_some(),
        owner_privileges: all,
    }))
}
