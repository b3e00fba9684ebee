//! From what a program presents to who it is: the one check behind every door.

use super::credentials::{Presented, Unusable};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::Permissions;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::secret::SecretKind;
use crate::domain::timestamp::Timestamp;
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
pub async fn authenticate(db: &Db, presented: Presented, now: Timestamp) -> Result<ApiCaller, Refusal> {
    if presented.kind != SecretKind::ApiToken {
        return Err(Reason::Unknown.into());
    }
    let digest = presented.digest;
    let known = db.look_up(move |connection| find_api_token(connection, &digest)).await?.ok_or(Reason::Unknown)?;
    Ok(judge(known, presented.username.as_deref(), now)?)
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
}
