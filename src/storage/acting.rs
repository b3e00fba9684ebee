//! Somebody who changes something in a session or with a token. What was judged when the request began is judged once more
//! inside the transaction, because a body may take seconds to arrive.

use rand::CryptoRng;

use super::error::{Result, StorageError};
use super::token_secrets::find_api_token;
use super::{Connection, events, sessions, users};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{SessionId, UserId};
use crate::domain::privilege::Privileges;
use crate::domain::secret::Digest;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;

/// What gives the right to act; it must still be good when the change is made.
#[derive(Debug, Clone, Copy)]
pub enum By {
    Session(SessionId),
    /// The digest of the secret that was shown.
    ApiToken(Digest),
    /// The same of a repository's own token, which may renew itself and change nothing else.
    RepositoryToken(Digest),
}

/// Who acts, with which right, and when.
#[derive(Debug, Clone)]
pub struct Acting {
    /// `None` for a repository's own token.
    pub user: Option<UserId>,
    pub actor: Actor,
    pub by: By,
    /// What the user must hold, all of it.
    pub needs: Privileges,
    pub now: Timestamp,
}

/// The right to act has gone since the request was looked at.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the session has ended")]
    Session,
    #[error("the token is no longer good")]
    Token,
    #[error("a privilege was taken away")]
    Privilege,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl By {
    /// Whether a token acts, over the API, and not a person on a page.
    pub const fn is_token(self) -> bool {
        matches!(self, Self::ApiToken(_) | Self::RepositoryToken(_))
    }

    /// Passes if it is still good and this user's, whose row is locked.
    pub fn judge(self, connection: &mut Connection, user: &User, now: Timestamp) -> Result<(), Ended> {
        match self {
            Self::Session(session) => {
                let alive = user.disabled_at.is_none() && sessions::is_of(connection, session, user.id)?;
                if alive { Ok(()) } else { Err(Ended::Session) }
            }
            Self::ApiToken(digest) => {
                let known = find_api_token(connection, &digest, None)?;
                let good = known.is_some_and(|known| known.owner == user.id && known.end(now).is_none());
                if good { Ok(()) } else { Err(Ended::Token) }
            }
            Self::RepositoryToken(_) => Err(Ended::Token),
        }
    }
}

impl Acting {
    /// Locks the user who acts and `others`, in one order for everybody, and looks whether the first still may.
    pub fn begin(&self, connection: &mut Connection, others: &[UserId]) -> Result<User, Ended> {
        let id = self.user.ok_or(Ended::Token)?;
        users::lock_all(connection, &[&[id], others].concat())?;
        let user = users::find(connection, id)?.ok_or(Ended::Session)?;
        self.by.judge(connection, &user, self.now)?;
        if user.privileges.contains_all(self.needs) { Ok(user) } else { Err(Ended::Privilege) }
    }

    /// Appends an event of what was done to a thing.
    pub fn event(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        action: Action,
        (subject_kind, subject_id, subject_name): (&'static str, String, &str),
        detail: String,
    ) -> Result<()> {
        let subject_name = subject_name.to_owned();
        let event = NewEvent { actor: self.actor.clone(), action, subject_kind, subject_id, subject_name, detail };
        events::append(connection, &event, self.now, rng)
    }
}
