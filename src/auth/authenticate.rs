//! From what a program presents to who it is: the one check behind every door.

use smol_str::SmolStr;

use super::credentials::{Presented, Unusable};
use super::recovery;
use crate::domain::caller::UsedToken;
use crate::domain::event::Actor;
use crate::domain::id::{ApiTokenId, RepositoryId, RepositoryTokenId, UserId};
use crate::domain::permission::{Permission, Permissions, owner_may};
use crate::domain::privilege::Privileges;
use crate::domain::repository::RepositoryName;
use crate::domain::secret::SecretKind;
use crate::domain::service::{KnownService, ServiceName};
use crate::domain::timestamp::Timestamp;
use crate::storage::known::{Known, Question};
use crate::storage::repository_tokens::KnownRepositoryToken;
use crate::storage::token_secrets::{End, KnownApiToken};
use crate::storage::{Db, StorageError};

/// A program that showed a good API token, with what its owner may do at this moment.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    pub token: ApiTokenId,
    /// Number of the secret that was shown.
    pub secret_number: i64,
    pub token_name: SmolStr,
    pub permissions: Permissions,
    pub selected_only: bool,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub owner: UserId,
    pub username: SmolStr,
    pub owner_privileges: Privileges,
}

/// A program that showed a repository's own token.
#[derive(Debug, Clone)]
pub struct RepositoryCaller {
    pub token: RepositoryTokenId,
    pub repository: RepositoryId,
    pub name: RepositoryName,
    pub created_at: Timestamp,
    /// When the token, replaced by another, stops working.
    pub ends_at: Option<Timestamp>,
}

/// A program that showed a good token of any kind.
#[derive(Debug, Clone)]
pub enum Caller {
    ApiToken(ApiCaller),
    Repository(RepositoryCaller),
    /// A service, which may ask about tokens and about itself, and nothing else.
    Service(KnownService),
}

/// What the caller may do at the repository asked for; never [`Permission::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    pub repository: RepositoryId,
    pub permission: Permission,
}

/// Who showed a token, and what that opens.
#[derive(Debug, Clone)]
pub struct Checked {
    pub caller: Caller,
    /// `None` where no repository was asked for, it is not there, or nothing is allowed there.
    pub right: Option<Right>,
}

impl Caller {
    /// The client in an event.
    pub fn actor(&self, address: String) -> Actor {
        match self {
            Self::ApiToken(own) => Actor::api_token((own.owner, &own.username), (own.token, &own.token_name), address),
            Self::Repository(own) => Actor::repository(own.repository, own.token, own.name.as_str(), address),
            Self::Service(own) => Actor::service(own.id, own.name.as_str(), address),
        }
    }

    /// The token, as its uses are counted.
    pub const fn used(&self) -> UsedToken {
        match self {
            Self::ApiToken(caller) => UsedToken::Api(caller.token, caller.secret_number),
            Self::Repository(caller) => UsedToken::Repository { repository: caller.repository, token: caller.token },
            Self::Service(service) => UsedToken::Service(service.id),
        }
    }
}

/// Why a token does not open anything. For the log; the answer says only that it is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("unusable credentials: {0}")]
    Unusable(#[from] Unusable),
    #[error("no such token")]
    Unknown,
    #[error("the token went bad while its request was under way")]
    EndedMeanwhile,
    #[error("token {0} is revoked")]
    Revoked(ApiTokenId),
    #[error("token {0} is expired")]
    Expired(ApiTokenId),
    #[error("token {0} is disabled")]
    Disabled(ApiTokenId),
    #[error("a replaced secret of token {0} was used after its grace period")]
    Replaced(ApiTokenId),
    #[error("the owner of token {0} is disabled")]
    OwnerDisabled(ApiTokenId),
    #[error("the owner of token {0} does not hold API Access")]
    NoApiAccess(ApiTokenId),
    #[error("token {0} came with another's username")]
    WrongUsername(ApiTokenId),
    #[error("a replaced token of repository {0} was used after its grace period")]
    RepositoryTokenReplaced(RepositoryName),
    #[error("the token of repository {0} came with another name")]
    WrongRepositoryName(RepositoryName),
    #[error("the token of service {0} came with another name")]
    WrongServiceName(ServiceName),
    #[error("a token that is no service's asked about another")]
    NotAService,
}

/// No caller: either the credentials are not good, or they could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    NotGood(#[from] Reason),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who presented this and what it opens at the repository `at`, judged by what is stored at this moment.
pub async fn authenticate(
    db: &Db,
    presented: Presented,
    at: Option<RepositoryName>,
    now: Timestamp,
) -> Result<Checked, Refusal> {
    let Presented { kind, digest, username } = presented;
    let name = username.as_deref();
    // A repository's own token is the same wherever it is shown.
    let own = (kind == SecretKind::RepositoryToken).then(|| at.clone()).flatten();
    let at = if kind == SecretKind::ApiToken { at } else { None };
    let known = db.known(Question { kind, digest, at }).await?.ok_or(Reason::Unknown)?;
    let checked = match &*known {
        Known::ApiToken(known) => judge(known, name, now)?,
        Known::RepositoryToken(known) => judge_repository(known, name, own.as_ref(), now)?,
        Known::Service(known) => judge_service(known, name)?,
    };
    if known.first_use_pending() {
        recovery::note_first_use(db, kind, digest).await;
    }
    Ok(checked)
}

fn judge_service(known: &KnownService, name: Option<&str>) -> Result<Checked, Reason> {
    if name.is_some_and(|name| name != known.name.as_str()) {
        return Err(Reason::WrongServiceName(known.name.clone()));
    }
    Ok(Checked { caller: Caller::Service(known.clone()), right: None })
}

pub(super) fn judge_repository(
    known: &KnownRepositoryToken,
    name: Option<&str>,
    at: Option<&RepositoryName>,
    now: Timestamp,
) -> Result<Checked, Reason> {
    if known.ends_at.is_some_and(|end| now >= end) {
        return Err(Reason::RepositoryTokenReplaced(known.name.clone()));
    }
    if name.is_some_and(|name| name != known.name.as_str()) {
        return Err(Reason::WrongRepositoryName(known.name.clone()));
    }
    let own = Right { repository: known.repository, permission: Permission::Write };
    let caller = RepositoryCaller {
        token: known.id,
        repository: known.repository,
        name: known.name.clone(),
        created_at: known.created_at,
        ends_at: known.ends_at,
    };
    let right = at.is_some_and(|at| *at == caller.name).then_some(own);
    Ok(Checked { caller: Caller::Repository(caller), right })
}

/// Usernames that clients send with a token when they know no user: PyPI's, GitHub's and GitLab's conventions, and none.
/// The token alone says who its owner is, so a user who has one of these as their own name stays unambiguous.
const GENERIC_USERNAMES: [&str; 5] = ["", "__token__", "x-access-token", "oauth2", "token"];

/// Whether any API token may come with this username.
fn is_generic_username(name: &str) -> bool {
    GENERIC_USERNAMES.iter().any(|generic| generic.eq_ignore_ascii_case(name))
}

pub(super) fn judge(known: &KnownApiToken, username: Option<&str>, now: Timestamp) -> Result<Checked, Reason> {
    let id = known.id;
    if let Some(end) = known.end(now) {
        return Err(match end {
            End::Revoked => Reason::Revoked(id),
            End::Replaced => Reason::Replaced(id),
            End::Expired => Reason::Expired(id),
            End::Disabled => Reason::Disabled(id),
            End::OwnerDisabled => Reason::OwnerDisabled(id),
            End::NoApiAccess => Reason::NoApiAccess(id),
        });
    }
    let fits = |name: &str| name.eq_ignore_ascii_case(&known.username) || is_generic_username(name);
    if !username.is_none_or(fits) {
        return Err(Reason::WrongUsername(id));
    }
    let right = known.at.filter(|at| at.selected || !known.selected_only).map(|at| Right {
        repository: at.id,
        permission: known.permissions.repositories.min(owner_may(known.owner_privileges, at.grant)),
    });
    let caller = ApiCaller {
        token: id,
        secret_number: known.secret_number,
        token_name: known.name.clone(),
        permissions: known.permissions,
        selected_only: known.selected_only,
        created_at: known.created_at,
        expires_at: known.secret_ends_at.or(known.expires_at),
        owner: known.owner,
        username: known.username.clone(),
        owner_privileges: known.owner_privileges,
    };
    let right = right.filter(|right| right.permission > Permission::None);
    Ok(Checked { caller: Caller::ApiToken(caller), right })
}

#[cfg(test)]
mod tests;
