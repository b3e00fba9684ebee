//! Events: the lines of the audit log. Each is written in the transaction of the change it tells of.

use super::id::{ApiTokenId, EventId, RepositoryId, RepositoryTokenId, ServiceId, UserId};
use super::timestamp::Timestamp;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    User {
        id: UserId,
        username: String,
        address: String,
    },
    /// A user by an API token of theirs.
    ApiToken {
        owner: UserId,
        token: ApiTokenId,
        /// Both of them: see [`Actor::api_token`].
        name: String,
        address: String,
    },
    /// A repository by its own token.
    Repository {
        id: RepositoryId,
        token: RepositoryTokenId,
        /// See [`Actor::repository`].
        name: String,
        address: String,
    },
    /// A service by its token.
    Service {
        id: ServiceId,
        /// See [`Actor::service`].
        name: String,
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
    pub fn api_token((owner, username): (UserId, &str), (token, name): (ApiTokenId, &str), address: String) -> Self {
        Self::ApiToken { owner, token, name: format!("{username} with token “{name}”"), address }
    }

    /// The name says that it is a repository: a user may have the same one.
    pub fn repository(id: RepositoryId, token: RepositoryTokenId, name: &str, address: String) -> Self {
        Self::Repository { id, token, name: format!("repository “{name}”"), address }
    }

    /// The name says that it is a service: a user may have the same one.
    pub fn service(id: ServiceId, name: &str, address: String) -> Self {
        Self::Service { id, name: format!("service “{name}”"), address }
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::ApiToken { .. } => "api_token",
            Self::Repository { .. } => "repository",
            Self::Service { .. } => "service",
            Self::Shell => "shell",
            Self::Anonymous { .. } => "anonymous",
            Self::System => "system",
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::User { username, .. } => username,
            Self::ApiToken { name, .. } | Self::Repository { name, .. } | Self::Service { name, .. } => name,
            Self::Shell => "shell",
            Self::Anonymous { .. } => "",
            Self::System => "tokenhouse",
        }
    }

    pub fn address(&self) -> Option<&str> {
        match self {
            Self::User { address, .. }
            | Self::ApiToken { address, .. }
            | Self::Repository { address, .. }
            | Self::Service { address, .. }
            | Self::Anonymous { address } => Some(address),
            Self::Shell | Self::System => None,
        }
    }

    /// The user, the repository or the service.
    pub const fn id(&self) -> Option<i64> {
        match self {
            Self::User { id, .. } | Self::ApiToken { owner: id, .. } => Some(id.number()),
            Self::Repository { id, .. } => Some(id.number()),
            Self::Service { id, .. } => Some(id.number()),
            Self::Shell | Self::Anonymous { .. } | Self::System => None,
        }
    }

    /// The token that acted.
    pub const fn token(&self) -> Option<i64> {
        match self {
            Self::ApiToken { token, .. } => Some(token.number()),
            Self::Repository { token, .. } => Some(token.number()),
            _ => None,
        }
    }
}

macro_rules! actions {
    ($($action:ident $name:literal $words:literal)*) => {
        /// What happened; the name is what is stored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($action,)*
        }

        impl Action {
            /// The names of all of them.
            pub const NAMES: &[&str] = &[$($name),*];

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)*
                }
            }

            /// What the actor did, to be read after the actor's name.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$action => $words,)*
                }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$action),)*
                    _ => None,
                }
            }
        }
    };
}

actions! {
    AuthorizationDenied "authorization.denied" "was denied access"
    UserCreated "user.created" "created the user"
    UserEdited "user.edited" "edited the user"
    UserRolesChanged "user.roles_changed" "changed the roles of the user"
    UserDisabled "user.disabled" "disabled the user"
    UserEnabled "user.enabled" "enabled the user"
    UserPasswordReset "user.password_reset" "reset the password"
    UserPasswordSet "user.password_set" "set the password with the link"
    UserPasswordChanged "user.password_changed" "changed the password"
    UserSignedOut "user.signed_out_everywhere" "signed the user out everywhere"
    PasswordLinkRevealed "user.password_link_revealed" "saw the set-password link"
    RoleCreated "role.created" "created the role"
    RoleEdited "role.edited" "edited the role"
    RoleDeleted "role.deleted" "deleted the role"
    SignedIn "session.signed_in" "signed in"
    SignInFailed "session.sign_in_failed" "failed to sign in"
    SignedOut "session.signed_out" "signed out"
    SessionEnded "session.ended" "ended a session"
    Reauthenticated "session.reauthenticated" "confirmed the password"
    ReauthenticationFailed "session.reauthentication_failed" "failed to confirm the password"
    RepositoryCreated "repository.created" "created the repository"
    RepositoryDescribed "repository.described" "changed the description"
    RepositoryDeleted "repository.deleted" "deleted the repository"
    RepositoryTokenRevealed "repository_token.revealed" "saw the token"
    RepositoryTokenRotated "repository_token.rotated" "generated a new token"
    RepositoryTokenRevoked "repository_token.revoked" "revoked the token"
    GrantSet "grant.set" "gave access"
    GrantRemoved "grant.removed" "removed access"
    ServiceCreated "service.created" "created the service"
    ServiceTokenRevealed "service.token_revealed" "saw the token"
    ServiceTokenRotated "service.token_rotated" "rotated the token"
    ServiceTokenRevoked "service.token_revoked" "revoked the token"
    ServiceDeleted "service.deleted" "deleted the service"
    PoliciesChanged "policies.changed" "changed the policies"
    SealedTokensForgotten "key.forgotten" "gave up what a lost key sealed"
    SigningKeyCreated "signing_key.created" "made a key for registry tokens"
    SigningKeysBundled "signing_key.bundled" "wrote a bundle of signing keys for registries"
    SigningKeyRotated "signing_key.rotated" "let the next key sign registry tokens"
    ApiTokenCreated "api_token.created" "created the API token"
    ApiTokenRevealed "api_token.revealed" "saw the API token"
    ApiTokenRenamed "api_token.renamed" "renamed the API token"
    ApiTokenRotated "api_token.rotated" "rotated the API token"
    ApiTokenDisabled "api_token.disabled" "disabled the API token"
    ApiTokenEnabled "api_token.enabled" "enabled the API token"
    ApiTokenRevoked "api_token.revoked" "revoked the API token"
    NoticeDismissed "revocation_notice.dismissed" "dismissed the notice of the revocation"
    ReplacedSecretRevoked "api_token.replaced_secret_revoked" "revoked a replaced secret of the API token"
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

impl NewEvent {
    /// A wrong password. An unknown name is not stored: it may be a password.
    pub fn failed_password(user: Option<UserId>, username: String, address: String, action: Action) -> Self {
        Self {
            actor: Actor::Anonymous { address },
            action,
            subject_kind: "user",
            subject_id: user.map(|id| id.to_string()).unwrap_or_default(),
            subject_name: user.map(|_| username).unwrap_or_default(),
            detail: String::new(),
        }
    }
}

/// A line of the audit log as stored.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: EventId,
    pub at: Timestamp,
    /// Empty where nobody is known.
    pub actor_name: String,
    pub address: Option<String>,
    /// What the actor did, to be read after the actor's name.
    pub words: String,
    pub detail: String,
}
