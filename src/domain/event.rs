//! Events: the lines of the audit log. Each is written in the transaction of the change it tells of.

use super::id::UserId;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    User {
        id: UserId,
        username: String,
        address: String,
    },
    /// Somebody with a shell on the machine.
    Shell,
    /// Nobody who is known: a failed sign-in, the set-up.
    Anonymous {
        address: String,
    },
    /// The program itself.
    System,
}

impl Actor {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Shell => "shell",
            Self::Anonymous { .. } => "anonymous",
            Self::System => "system",
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::User { username, .. } => username,
            Self::Shell => "shell",
            Self::Anonymous { .. } => "",
            Self::System => "tokenhouse",
        }
    }

    pub fn address(&self) -> Option<&str> {
        match self {
            Self::User { address, .. } | Self::Anonymous { address } => Some(address),
            Self::Shell | Self::System => None,
        }
    }
}

/// What happened; the name is what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    UserCreated,
    UserDisabled,
    UserPasswordReset,
    SignedIn,
    SignInFailed,
    SignedOut,
    Reauthenticated,
    ReauthenticationFailed,
    ApiTokenCreated,
    ApiTokenRevealed,
    ApiTokenRenamed,
    ApiTokenRotated,
    ApiTokenDisabled,
    ApiTokenEnabled,
    ApiTokenRevoked,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserDisabled => "user.disabled",
            Self::UserPasswordReset => "user.password_reset",
            Self::SignedIn => "session.signed_in",
            Self::SignInFailed => "session.sign_in_failed",
            Self::SignedOut => "session.signed_out",
            Self::Reauthenticated => "session.reauthenticated",
            Self::ReauthenticationFailed => "session.reauthentication_failed",
            Self::ApiTokenCreated => "api_token.created",
            Self::ApiTokenRevealed => "api_token.revealed",
            Self::ApiTokenRenamed => "api_token.renamed",
            Self::ApiTokenRotated => "api_token.rotated",
            Self::ApiTokenDisabled => "api_token.disabled",
            Self::ApiTokenEnabled => "api_token.enabled",
            Self::ApiTokenRevoked => "api_token.revoked",
        }
    }
}

/// An event that is about to be written. Holds no secret.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub actor: Actor,
    pub action: Action,
    /// Kind, id and name of the thing it happened to.
    pub subject_kind: &'static str,
    pub subject_id: String,
    pub subject_name: String,
    /// What more there is to say, in words; may be empty.
    pub detail: String,
}
