//! Somebody who changes something in a session. What was judged when the request began is judged once more inside the
//! transaction, because a body may take seconds to arrive.

use rand::CryptoRng;

use super::error::{Result, StorageError};
use super::{Connection, events, sessions, users};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{SessionId, UserId};
use crate::domain::privilege::Privileges;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;

/// Who acts, with which right, and when.
#[derive(Debug, Clone)]
pub struct Acting {
    pub user: UserId,
    pub actor: Actor,
    pub session: SessionId,
    /// What the user must hold, all of it.
    pub needs: Privileges,
    pub now: Timestamp,
}

/// The right to act has gone since the request was looked at.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the session has ended")]
    Session,
    #[error("a privilege was taken away")]
    Privilege,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Acting {
    /// Locks the user who acts and `others`, in one order for everybody, and looks whether the first still may.
    pub fn begin(&self, connection: &mut Connection, others: &[UserId]) -> Result<User, Ended> {
        users::lock_all(connection, &[&[self.user], others].concat())?;
        let user = users::find(connection, self.user)?.ok_or(Ended::Session)?;
        if user.disabled_at.is_some() || !sessions::is_of(connection, self.session, self.user)? {
            return Err(Ended::Session);
        }
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
