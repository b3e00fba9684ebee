//! Somebody who changes something in a session or with a token. What was judged when the request began is judged once more
//! inside the transaction, because a body may take seconds to arrive.

use rand::CryptoRng;

use super::error::{Result, StorageError};
use super::token_secrets::{KnownApiToken, find_api_token};
use super::{Connection, events, sessions, users};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{SessionId, UserId};
use crate::domain::privilege::{Privilege, Privileges};
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
    /// Passes if it is still good and this user's, whose row is locked.
    pub fn judge(self, connection: &mut Connection, user: &User, now: Timestamp) -> Result<(), Ended> {
        match self {
            Self::Session(session) => {
                let alive = user.disabled_at.is_none() && sessions::is_of(connection, session, user.id)?;
                if alive { Ok(()) } else { Err(Ended::Session) }
            }
            Self::ApiToken(digest) => {
                let known = find_api_token(connection, &digest, None)?;
                let good = known.is_some_and(|known| known.owner == user.id && is_good(&known, now));
                if good { Ok(()) } else { Err(Ended::Token) }
            }
            Self::RepositoryToken(_) => Err(Ended::Token),
        }
    }
}

/// What `auth::authenticate` asks of a token, whose name has been compared by then.
fn is_good(known: &KnownApiToken, now: Timestamp) -> bool {
    // A replaced secret has an end of its own.
    let ended = known.secret_ends_at.or(known.expires_at).is_some_and(|end| now >= end);
    let usable = !(known.revoked || known.disabled || known.owner_disabled || ended);
    usable && known.owner_privileges.contains(Privilege::ApiAccess)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permission::Permissions;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    #[test]
    fn each_way_of_being_bad_ends_the_right_to_act() {
        let known = || KnownApiToken {
            id: "019a9f3c-0000-7000-8000-000000000001".parse().unwrap(),
            name: "ci".into(),
            permissions: Permissions::default(),
            selected_only: false,
            created_at: NOW,
            expires_at: Some(NOW.plus(1)),
            disabled: false,
            revoked: false,
            secret_ends_at: None,
            owner: "019a9f3c-0000-7000-8000-000000000002".parse().unwrap(),
            username: "ada".into(),
            owner_disabled: false,
            owner_privileges: Privileges::NONE.with(Privilege::ApiAccess),
            at: None,
        };
        assert!(is_good(&known(), NOW));
        assert!(is_good(&KnownApiToken { secret_ends_at: Some(NOW.plus(9)), ..known() }, NOW.plus(8)));
        for bad in [
            KnownApiToken { revoked: true, ..known() },
            KnownApiToken { disabled: true, ..known() },
            KnownApiToken { owner_disabled: true, ..known() },
            KnownApiToken { expires_at: Some(NOW), ..known() },
            KnownApiToken { secret_ends_at: Some(NOW), ..known() },
            KnownApiToken { owner_privileges: Privileges::NONE, ..known() },
        ] {
            assert!(!is_good(&bad, NOW), "{bad:?}");
        }
    }
}
