//! API tokens: what they are, their status, and what they may do.

use super::caller::Caller;
use super::id::{ApiTokenId, RepositoryId, UserId};
use super::name::{Note, TokenName};
use super::permission::Permissions;
use super::timestamp::{DAY, Timestamp};

/// A token counts as expiring soon within this many seconds of its end.
pub const SOON: i64 = 7 * DAY;
/// A revoked token can be looked at for so many seconds.
pub const REVOKED_SHOWN: i64 = 30 * DAY;

/// Which repositories a token reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositorySelection {
    /// All that its owner can access, later ones included.
    All,
    Selected(Vec<RepositoryId>),
}

impl RepositorySelection {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Selected(_) => "selected",
        }
    }
}

/// The one word that says whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    ExpiringSoon,
    Expired,
    Disabled,
    Revoked,
}

impl Status {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::ExpiringSoon => "Expiring soon",
            Self::Expired => "Expired",
            Self::Disabled => "Disabled",
            Self::Revoked => "Revoked",
        }
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ExpiringSoon => "expiring_soon",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }

    pub const fn works(self) -> bool {
        matches!(self, Self::Active | Self::ExpiringSoon)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    pub address: String,
}

/// An API token as stored.
#[derive(Debug, Clone)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub owner: UserId,
    pub name: TokenName,
    pub note: Option<Note>,
    /// `thp_AbCdEf…` of the current secret.
    pub hint: String,
    /// Number of the current secret; the one that was made with the token has 1.
    pub current_secret: i64,
    pub permissions: Permissions,
    pub repositories: RepositorySelection,
    /// Seconds from the last renewal to the end; `None` for no expiry.
    pub lifetime: Option<i64>,
    pub created_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_use: Option<LastUse>,
}

impl ApiToken {
    /// Whether it was rotated at or after that moment.
    pub fn rotated_since(&self, moment: Timestamp) -> bool {
        self.rotated_at.is_some_and(|at| at >= moment)
    }

    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked_at.is_some() {
            Status::Revoked
        } else if self.expires_at.is_some_and(|end| now >= end) {
            Status::Expired
        } else if self.disabled_at.is_some() {
            Status::Disabled
        } else if self.expires_at.is_some_and(|end| end.since(now) <= SOON) {
            Status::ExpiringSoon
        } else {
            Status::Active
        }
    }

    pub fn can_rotate(&self, now: Timestamp) -> bool {
        self.status(now).works()
    }

    pub fn can_disable(&self, now: Timestamp) -> bool {
        self.status(now).works()
    }

    pub fn can_enable(&self, now: Timestamp) -> bool {
        self.status(now) == Status::Disabled
    }

    pub fn can_revoke(&self) -> bool {
        self.revoked_at.is_none()
    }

    pub fn can_recreate(&self, now: Timestamp) -> bool {
        matches!(self.status(now), Status::Expired | Status::Disabled)
    }
}

/// A validated wish for a token.
#[derive(Debug)]
pub struct NewApiToken {
    pub name: TokenName,
    pub note: Option<Note>,
    pub permissions: Permissions,
    pub repositories: RepositorySelection,
    pub expires_at: Option<Timestamp>,
    /// The token whose settings were taken; revoked when this one is made.
    pub recreates: Option<ApiTokenId>,
}

/// A former secret inside its grace period.
#[derive(Debug, Clone)]
pub struct ReplacedSecret {
    pub hint: String,
    pub ends_at: Timestamp,
}

/// What the token's page tells beside the token itself.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    pub callers: Vec<Caller>,
    /// Uses of each of the last 30 days, oldest first.
    pub per_day: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permission::Permissions;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    fn token() -> ApiToken {
        ApiToken {
            id: "1".parse().unwrap(),
            owner: "2".parse().unwrap(),
            name: TokenName::parse("ci").unwrap(),
            note: None,
            hint: String::new(),
            current_secret: 1,
            permissions: Permissions::default(),
            repositories: RepositorySelection::All,
            lifetime: None,
            created_at: NOW,
            rotated_at: None,
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            last_use: None,
        }
    }

    #[test]
    fn a_token_is_dead_at_its_very_last_second() {
        let token = ApiToken { expires_at: Some(NOW), ..token() };
        assert_eq!(token.status(NOW.minus(1)), Status::ExpiringSoon);
        assert_eq!(token.status(NOW), Status::Expired);
    }

    #[test]
    fn the_graver_status_is_the_one_shown() {
        let expired = ApiToken { expires_at: Some(NOW), disabled_at: Some(NOW), ..token() };
        assert_eq!(expired.status(NOW), Status::Expired);
        assert_eq!(ApiToken { revoked_at: Some(NOW), ..expired }.status(NOW), Status::Revoked);
        assert_eq!(ApiToken { disabled_at: Some(NOW), ..token() }.status(NOW), Status::Disabled);
        assert_eq!(ApiToken { expires_at: Some(NOW.plus(SOON + 1)), ..token() }.status(NOW), Status::Active);
        assert_eq!(token().status(NOW), Status::Active);
    }
}
