//! The password of a user: taken away, and set anew with the link.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Refusal, keeping_an_administrator};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::UserId;
use crate::domain::password::PasswordHash;
use crate::domain::secret::Digest;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::storage::api_token_changes::revoke_all;
use crate::storage::schema::users as table;
use crate::storage::{Connection, Result as Stored, events, password_links, policies, reveals, sessions, users};

impl Change {
    /// Removes the password, ends all sessions and creates a link with the code of `digest`. Also revokes the API tokens
    /// of the user where that is wanted, and returns how many.
    pub fn reset_password(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: UserId,
        digest: &Digest,
        revoke_tokens: bool,
    ) -> Result<(User, usize), Refusal> {
        policies::lock(connection)?;
        let (actor, user) = self.begin(connection, id)?;
        if actor.id == id {
            return Err(Refusal::RESETTING_ONESELF);
        }
        let ended = keeping_an_administrator(connection, |connection| Ok(replace_password(connection, id, None)?))?;
        password_links::put(connection, id, actor.id, digest, self.acting.now)?;
        let mut detail = format!("sessions ended: {ended}");
        let mut revoked = 0;
        if revoke_tokens {
            revoked = revoke_all(connection, rng, id, &self.acting.actor, self.acting.now)?;
            detail.push_str(&format!(", API tokens revoked: {revoked}"));
        }
        self.event(connection, rng, Action::UserPasswordReset, (id, user.username.as_str()), detail)?;
        Ok((user, revoked))
    }
}

/// Sets or removes the password of a user, whoever the actor is. Ends all sessions, and all set-password links for this
/// user and made by this user. Returns how many sessions there were. The user must be locked.
pub fn replace_password(connection: &mut Connection, id: UserId, hash: Option<&PasswordHash>) -> Stored<usize> {
    diesel::update(table::table.find(id))
        .set(table::password_hash.eq(hash.map(PasswordHash::as_phc)))
        .execute(connection)?;
    password_links::withdraw(connection, id)?;
    password_links::withdraw_made_by(connection, id)?;
    // Whoever made that link must not be shown it any more.
    reveals::withdraw(connection, id)?;
    sessions::end_all_of(connection, id)
}

/// Sets a password with a link, for exactly one of those who follow it at once. Nobody is signed in then.
pub fn follow_link(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    digest: &Digest,
    hash: &PasswordHash,
    address: String,
    now: Timestamp,
) -> Result<(), Refusal> {
    let link = password_links::find(connection, digest, now)?.ok_or(Refusal::LinkEnded)?;
    users::lock_all(connection, &[link.user.id, link.made_by.id])?;
    // Another may have used it, or changed one of the two, until the locks were free.
    let user = password_links::find(connection, digest, now)?.ok_or(Refusal::LinkEnded)?.user;
    if !password_links::take(connection, digest)? {
        return Err(Refusal::LinkEnded);
    }
    let id = user.id;
    let ended = replace_password(connection, id, Some(hash))?;
    let event = NewEvent {
        actor: Actor::Anonymous { address },
        action: Action::UserPasswordSet,
        subject_kind: KIND,
        subject_id: id.to_string(),
        subject_name: user.username.to_string(),
        detail: if ended > 0 { format!("sessions ended: {ended}") } else { String::new() },
    };
    Ok(events::append(connection, &event, now, rng)?)
}
