//! From the digest of a secret to all that a check must know, in one statement.

use diesel::prelude::*;
use smol_str::SmolStr;

use super::Connection;
use super::api_tokens::permissions;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::roles::privileges;
use super::schema::{
    api_token_repositories, api_token_secrets, api_tokens, grants, repositories, roles, user_roles, users,
};
use crate::domain::grant::from_stored;
use crate::domain::id::{ApiTokenId, RepositoryId, UserId};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::RepositoryName;
use crate::domain::secret::Digest;
use crate::domain::timestamp::Timestamp;

/// An API token's secret with its token and owner, as they stand now.
#[derive(Debug, Clone)]
pub struct KnownApiToken {
    pub id: ApiTokenId,
    /// Number of this secret.
    pub secret_number: i64,
    pub name: SmolStr,
    pub permissions: Permissions,
    /// Whether the token is limited to selected repositories.
    pub selected_only: bool,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub disabled: bool,
    pub revoked: bool,
    /// When this secret, replaced by another, stops working.
    pub secret_ends_at: Option<Timestamp>,
    /// Whether the first use of this secret must be noted: see `idempotency`.
    pub first_use_pending: bool,
    pub owner: UserId,
    pub username: SmolStr,
    pub owner_disabled: bool,
    pub owner_privileges: Privileges,
    /// The repository that was asked for, if it is there.
    pub at: Option<KnownRepository>,
}

/// Why a token opens nothing, whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Revoked,
    /// Its secret was replaced, and the grace period is over.
    Replaced,
    Expired,
    Disabled,
    OwnerDisabled,
    /// The owner does not hold *API Access*.
    NoApiAccess,
}

impl KnownApiToken {
    /// Why it opens nothing at `now`; `None` for a good one.
    pub fn end(&self, now: Timestamp) -> Option<End> {
        let passed = |end: Option<Timestamp>| end.is_some_and(|end| now >= end);
        if self.revoked {
            return Some(End::Revoked);
        }
        if passed(self.secret_ends_at) {
            return Some(End::Replaced);
        }
        // A replaced secret may live on for its grace period, which never exceeds the expiry it was made with.
        if self.secret_ends_at.is_none() && passed(self.expires_at) {
            return Some(End::Expired);
        }
        if self.disabled {
            return Some(End::Disabled);
        }
        if self.owner_disabled {
            return Some(End::OwnerDisabled);
        }
        (!self.owner_privileges.contains(Privilege::ApiAccess)).then_some(End::NoApiAccess)
    }
}

/// A repository, and what ties the token and its owner to it.
#[derive(Debug, Clone, Copy)]
pub struct KnownRepository {
    pub id: RepositoryId,
    /// Of the owner.
    pub grant: Option<Permission>,
    /// Whether it is among the repositories that the token is limited to.
    pub selected: bool,
}

type TokenRow = (ApiTokenId, String, String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);
type OwnerRow = (UserId, String, Option<i64>, Option<String>);
/// Repository, grant, and the repository once more where it is selected.
type AtRow = (Option<RepositoryId>, Option<String>, Option<RepositoryId>);
type SecretRow = (i64, Option<i64>, bool);
type Row = (SecretRow, TokenRow, OwnerRow, AtRow);

pub fn find_api_token(
    connection: &mut Connection,
    digest: &Digest,
    at: Option<&RepositoryName>,
) -> Result<Option<KnownApiToken>> {
    // No repository has the empty name.
    let name = at.map_or_else(String::new, ToString::to_string);
    let digest = digest.as_bytes().as_slice();
    // One row for each role of the owner; `load` and not `first`, because a LIMIT makes SQLite prepare anew each time. On the
    // connection itself: the joint one writes the text of the statement anew each time.
    let rows: Vec<Row> =
        on_each!(connection, |c| api_token_secrets::table
            .inner_join(api_tokens::table.inner_join(users::table))
            .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
            .left_join(roles::table.on(roles::id.eq(user_roles::role_id)))
            .left_join(repositories::table.on(repositories::name.eq(name)))
            .left_join(grants::table.on(
                grants::user_id.eq(users::id).and(grants::repository_id.nullable().eq(repositories::id.nullable()))
            ),)
            .left_join(
                api_token_repositories::table.on(api_token_repositories::api_token_id
                    .eq(api_tokens::id)
                    .and(api_token_repositories::repository_id.nullable().eq(repositories::id.nullable()))),
            )
            .filter(api_token_secrets::digest.eq(digest))
            .select((
                (api_token_secrets::number, api_token_secrets::valid_until, api_token_secrets::first_use_pending),
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
                (
                    repositories::id.nullable(),
                    grants::permission.nullable(),
                    api_token_repositories::repository_id.nullable(),
                ),
            ))
            .load(c))?;
    let mut all = Privileges::NONE;
    let mut found = None;
    for (secret, token, owner, at) in rows {
        let held = owner.3.as_deref().unwrap_or("");
        all = all.and(privileges(held).ok_or_else(|| StorageError::corrupt("roles", owner.0))?);
        found = Some((secret, token, owner, at));
    }
    let Some(((secret_number, secret_ends_at, first_use_pending), token, owner, at)) = found else { return Ok(None) };
    let (id, name, repositories, account, administration, selection, created_at, expires_at, disabled_at, revoked_at) =
        token;
    let (owner, username, owner_disabled_at, _) = owner;
    let corrupt = || StorageError::corrupt("api_tokens", id);
    Ok(Some(KnownApiToken {
        id,
        secret_number,
        name: name.into(),
        permissions: permissions(&repositories, &account, &administration).ok_or_else(corrupt)?,
        selected_only: selection != "all",
        created_at: Timestamp::from_unix(created_at),
        expires_at: expires_at.map(Timestamp::from_unix),
        disabled: disabled_at.is_some(),
        revoked: revoked_at.is_some(),
        secret_ends_at: secret_ends_at.map(Timestamp::from_unix),
        first_use_pending,
        owner,
        username: username.into(),
        owner_disabled: owner_disabled_at.is_some(),
        owner_privileges: all,
        at: known_repository(at)?,
    }))
}

fn known_repository((id, grant, selected): AtRow) -> Result<Option<KnownRepository>> {
    let Some(id) = id else { return Ok(None) };
    let corrupt = || StorageError::corrupt("grants", id);
    Ok(Some(KnownRepository {
        grant: grant.map(|stored| from_stored(&stored).ok_or_else(corrupt)).transpose()?,
        selected: selected.is_some(),
        id,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    impl KnownApiToken {
        /// A token that is good, for other tests too.
        pub(crate) fn good(now: Timestamp) -> Self {
            Self {
                id: "1".parse().unwrap(),
                secret_number: 1,
                name: "ci".into(),
                permissions: Permissions::default(),
                selected_only: false,
                created_at: now,
                expires_at: None,
                disabled: false,
                revoked: false,
                secret_ends_at: None,
                first_use_pending: false,
                owner: "2".parse().unwrap(),
                username: "ada".into(),
                owner_disabled: false,
                owner_privileges: Privileges::NONE.with(Privilege::ApiAccess),
                at: None,
            }
        }
    }

    #[test]
    fn each_way_of_being_bad_is_an_end() {
        let known = || KnownApiToken { expires_at: Some(NOW.plus(1)), ..KnownApiToken::good(NOW) };
        assert!(known().end(NOW).is_none());
        assert!(KnownApiToken { secret_ends_at: Some(NOW.plus(9)), ..known() }.end(NOW.plus(8)).is_none());
        for bad in [
            KnownApiToken { revoked: true, ..known() },
            KnownApiToken { disabled: true, ..known() },
            KnownApiToken { owner_disabled: true, ..known() },
            KnownApiToken { expires_at: Some(NOW), ..known() },
            KnownApiToken { secret_ends_at: Some(NOW), ..known() },
            KnownApiToken { owner_privileges: Privileges::NONE, ..known() },
        ] {
            assert!(bad.end(NOW).is_some(), "{bad:?}");
        }
    }
}
