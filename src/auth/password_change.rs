//! Changing one's own password, for which the current one is entered.

use zeroize::Zeroizing;

use super::sign_in::{Origin, Prover, Refusal, event, still_holds};
use crate::domain::event::Action;
use crate::domain::id::{SessionId, UserId};
use crate::domain::password::Password;
use crate::domain::session::Lifetimes;
use crate::randomness;
use crate::storage::{events, password_links, reveals, sessions, users};

/// A new password of a user, and the current one, which proves the right to change it.
pub struct PasswordChange {
    pub user: UserId,
    /// Username, display name and email, of which the new password must not be made.
    pub context: [String; 3],
    /// The session that changes it; all others end.
    pub session: SessionId,
    pub lifetimes: Lifetimes,
    pub current: Password,
    pub new: Zeroizing<String>,
}

/// What a change of a password did.
pub struct PasswordChanged {
    pub sessions_ended: usize,
    /// What the browser keeps, so that it stays a known device.
    pub device_binding: String,
}

impl Prover<'_> {
    /// Changes a password, which takes back a set-password link, ends all other sessions and counts as an entry. The
    /// new password is checked after the current one was verified.
    pub async fn change_password(&self, change: PasswordChange, origin: &Origin) -> Result<PasswordChanged, Refusal> {
        let PasswordChange { user, context, session, lifetimes, current, new } = change;
        let account = context[0].clone();
        let proven = self.prove_again(user, &account, current, origin).await?;
        let requester = origin.requester(account.clone());
        let hash = self.hasher.hash_new(new, context.into(), requester, &mut randomness::system()).await?;
        let device_binding = hash.device_binding();
        let (now, address) = (self.now, origin.address.to_string());
        let sessions_ended = self
            .db
            .write(move |connection| -> Result<usize, Refusal> {
                still_holds(connection, user, &proven)?;
                if !sessions::set_authenticated(connection, session, now)? {
                    return Err(Refusal::SessionEnded);
                }
                users::set_password(connection, user, &hash)?;
                password_links::withdraw(connection, user)?;
                reveals::withdraw(connection, user)?;
                let ended = sessions::end_others(connection, user, session, now, &lifetimes)?;
                let mut event = event(Action::UserPasswordChanged, user, &account, address);
                event.detail = format!("other sessions ended: {ended}");
                events::append(connection, &event, now, &mut randomness::system())?;
                Ok(ended)
            })
            .await?;
        Ok(PasswordChanged { sessions_ended, device_binding })
    }
}
