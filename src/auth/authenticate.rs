//! From what a program presents to who it is: the one check behind every door.

use super::credentials::{Presented, Unusable};
use crate::domain::caller::UsedToken;
use crate::domain::id::{ApiTokenId, RepositoryId, RepositoryTokenId, UserId};
use crate::domain::permission::Permissions;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::RepositoryName;
use crate::domain::secret::SecretKind;
use crate::domain::timestamp::Timestamp;
use crate::storage::repository_tokens::{KnownRepositoryToken, find_by_digest};
use crate::storage::token_secrets::{KnownApiToken, find_api_token};
use crate::storage::{Db, StorageError};

/// A program that showed a good API token, with what its owner may do at this moment.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    pub token: ApiTokenId,
    pub token_name: String,
    pub permissions: Permissions,
    pub selected_only: bool,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub owner: UserId,
    pub username: String,
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

/// A program that showed a good token of either kind.
#[derive(Debug, Clone)]
pub enum Caller {
    ApiToken(ApiCaller),
    Repository(RepositoryCaller),
}

impl Caller {
    /// The token, as its uses are counted.
    pub const fn used(&self) -> UsedToken {
        match self {
            Self::ApiToken(caller) => UsedToken::Api(caller.token),
            Self::Repository(caller) => UsedToken::Repository { repository: caller.repository, token: caller.token },
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
}

/// No caller: either the credentials are not good, or they could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    NotGood(#[from] Reason),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who presented this, judged by what is stored at this moment. Nothing is remembered from one check to the next.
pub async fn authenticate(db: &Db, presented: Presented, now: Timestamp) -> Result<Caller, Refusal> {
    let digest = presented.digest;
    let name = presented.username.as_deref();
    match presented.kind {
        SecretKind::ApiToken => {
            let known = db.look_up(move |connection| find_api_token(connection, &digest)).await?;
            Ok(Caller::ApiToken(judge(known.ok_or(Reason::Unknown)?, name, now)?))
        }
        SecretKind::RepositoryToken => {
            let known = db.look_up(move |connection| find_by_digest(connection, &digest)).await?;
            Ok(Caller::Repository(judge_repository(known.ok_or(Reason::Unknown)?, name, now)?))
        }
        SecretKind::ServiceToken => Err(Reason::Unknown.into()),
    }
}

fn judge_repository(
    known: KnownRepositoryToken,
    name: Option<&str>,
    now: Timestamp,
) -> Result<RepositoryCaller, Reason> {
    if known.ends_at.is_some_and(|end| now >= end) {
        return Err(Reason::RepositoryTokenReplaced(known.name));
    }
    if name.is_some_and(|name| name != known.name.as_str()) {
        return Err(Reason::WrongRepositoryName(known.name));
    }
    Ok(RepositoryCaller {
        token: known.id,
        repository: known.repository,
        name: known.name,
        created_at: known.created_at,
        ends_at: known.ends_at,
    })
}

fn judge(known: KnownApiToken, username: Option<&str>, now: Timestamp) -> Result<ApiCaller, Reason> {
    let id = known.id;
    let passed = |end: Option<Timestamp>| end.is_some_and(|end| now >= end);
    if known.revoked {
        return Err(Reason::Revoked(id));
    }
    if passed(known.secret_ends_at) {
        return Err(Reason::Replaced(id));
    }
    // A replaced secret may live on for its grace period, which never exceeds the expiry it was made with.
    if known.secret_ends_at.is_none() && passed(known.expires_at) {
        return Err(Reason::Expired(id));
    }
    if known.disabled {
        return Err(Reason::Disabled(id));
    }
    if known.owner_disabled {
        return Err(Reason::OwnerDisabled(id));
    }
    if !known.owner_privileges.contains(Privilege::ApiAccess) {
        return Err(Reason::NoApiAccess(id));
    }
    if username.is_some_and(|name| !name.eq_ignore_ascii_case(&known.username)) {
        return Err(Reason::WrongUsername(id));
    }
    Ok(ApiCaller {
        token: id,
        token_name: known.name,
        permissions: known.permissions,
        selected_only: known.selected_only,
        created_at: known.created_at,
        expires_at: known.expires_at,
        owner: known.owner,
        username: known.username,
        owner_privileges: known.owner_privileges,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    fn known() -> KnownApiToken {
        KnownApiToken {
            id: "019a9f3c-0000-7000-8000-000000000001".parse().unwrap(),
            name: "ci".into(),
            permissions: Permissions::default(),
            selected_only: false,
            created_at: NOW,
            expires_at: None,
            disabled: false,
            revoked: false,
            secret_ends_at: None,
            owner: "019a9f3c-0000-7000-8000-000000000002".parse().unwrap(),
            username: "ada".into(),
            owner_disabled: false,
            owner_privileges: Privileges::NONE.with(Privilege::ApiAccess),
        }
    }

    #[test]
    fn a_good_token_is_its_owners() {
        assert_eq!(judge(known(), None, NOW).unwrap().username, "ada");
        assert!(judge(known(), Some("ADA"), NOW).is_ok());
    }

    #[test]
    fn each_way_of_being_bad_is_refused_at_its_very_moment() {
        let id = known().id;
        for (bad, reason) in [
            (KnownApiToken { revoked: true, ..known() }, Reason::Revoked(id)),
            (KnownApiToken { expires_at: Some(NOW), ..known() }, Reason::Expired(id)),
            (KnownApiToken { secret_ends_at: Some(NOW), ..known() }, Reason::Replaced(id)),
            (KnownApiToken { disabled: true, ..known() }, Reason::Disabled(id)),
            (KnownApiToken { owner_disabled: true, ..known() }, Reason::OwnerDisabled(id)),
            (KnownApiToken { owner_privileges: Privileges::NONE, ..known() }, Reason::NoApiAccess(id)),
        ] {
            assert_eq!(judge(bad, None, NOW).unwrap_err(), reason);
        }
        assert_eq!(judge(known(), Some("eve"), NOW).unwrap_err(), Reason::WrongUsername(id));
        assert_eq!(judge(known(), Some(""), NOW).unwrap_err(), Reason::WrongUsername(id));
        assert!(judge(KnownApiToken { expires_at: Some(NOW.plus(1)), ..known() }, None, NOW).is_ok());
    }

    #[test]
    fn a_repositorys_token_is_good_until_the_very_second_of_its_end_and_under_its_own_name() {
        let known = KnownRepositoryToken {
            id: "019a9f3c-0000-7000-8000-000000000003".parse().unwrap(),
            repository: "019a9f3c-0000-7000-8000-000000000004".parse().unwrap(),
            name: RepositoryName::parse("payments").unwrap(),
            created_at: NOW,
            ends_at: None,
        };
        let ending = |end| KnownRepositoryToken { ends_at: Some(end), ..known.clone() };
        assert!(judge_repository(known.clone(), None, NOW).is_ok());
        assert!(judge_repository(ending(NOW.plus(1)), Some("payments"), NOW).is_ok());
        assert!(matches!(judge_repository(ending(NOW), None, NOW), Err(Reason::RepositoryTokenReplaced(_))));
        for name in ["", "Payments", "payment", "payments-x"] {
            let refusal = judge_repository(known.clone(), Some(name), NOW);
            assert!(matches!(refusal, Err(Reason::WrongRepositoryName(_))), "{name}");
        }
    }
}
