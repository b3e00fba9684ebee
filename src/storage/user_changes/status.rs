//! Whether a user may sign in at all.

use rand::CryptoRng;

use super::{Change, Refusal, keeping_an_administrator};
use crate::domain::event::Action;
use crate::domain::id::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::storage::{Connection, password_links, policies, reveals, sessions, users};

impl Change {
    /// Disabling who is disabled changes nothing and is no error.
    pub fn disable(&self, connection: &mut Connection, rng: &mut impl CryptoRng, id: UserId) -> Result<User, Refusal> {
        policies::lock(connection)?;
        let (actor, user) = self.begin(connection, id)?;
        if actor.id == id {
            return Err(Refusal::DISABLING_ONESELF);
        }
        if let Some(ended) = disable(connection, id, self.acting.now)? {
            let detail = format!("sessions ended: {ended}");
            self.event(connection, rng, Action::UserDisabled, (id, user.username.as_str()), detail)?;
        }
        Ok(user)
    }

    /// Enabling who is enabled changes nothing and is no error.
    pub fn enable(&self, connection: &mut Connection, rng: &mut impl CryptoRng, id: UserId) -> Result<User, Refusal> {
        let (_, user) = self.begin(connection, id)?;
        if users::enable(connection, id)? {
            self.event(connection, rng, Action::UserEnabled, (id, user.username.as_str()), String::new())?;
        }
        Ok(user)
    }
}

/// Disables a user, whoever asks for it, and returns how many sessions that ended; `None` if the user was disabled before.
/// The policies and the user must be locked, in this order.
pub fn disable(connection: &mut Connection, id: UserId, now: Timestamp) -> Result<Option<usize>, Refusal> {
    if !keeping_an_administrator(connection, |connection| Ok(users::disable(connection, id, now)?))? {
        return Ok(None);
    }
    password_links::withdraw(connection, id)?;
    password_links::withdraw_made_by(connection, id)?;
    reveals::withdraw(connection, id)?;
    Ok(Some(sessions::end_all_of(connection, id)?))
}
