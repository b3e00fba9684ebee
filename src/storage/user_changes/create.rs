//! A new user, who has no password yet.

use rand::CryptoRng;

use super::{Change, Refusal, in_words, roles_within};
use crate::domain::event::Action;
use crate::domain::id::UserId;
use crate::domain::secret::Digest;
use crate::domain::user::NewUser;
use crate::storage::{Connection, password_links, policies, users};

/// What became of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The code given is in force now.
    Now,
    /// The same form was submitted before; the code given was not used.
    Before,
}

impl Change {
    /// Creates a user without a password, and a set-password link with the code of `digest` where one is given: only
    /// pages give one. The form contains the id, so that it creates one user however often it is sent.
    pub fn create(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: UserId,
        wish: &NewUser,
        roles: &[String],
        digest: Option<&Digest>,
    ) -> Result<Made, Refusal> {
        // No role goes or grows meanwhile.
        policies::lock(connection)?;
        let actor = self.acting.begin(connection, &[])?;
        if let Some(made) = users::find(connection, id)? {
            return if made.username == wish.username { Ok(Made::Before) } else { Err(Refusal::FormUsed) };
        }
        let roles = roles_within(connection, self.acting.by, roles, actor.privileges)?;
        let ids: Vec<_> = roles.iter().map(|role| role.id).collect();
        if !users::insert_as(connection, id, wish, None, &ids, self.acting.now)? {
            return Err(Refusal::UsernameTaken);
        }
        if let Some(digest) = digest {
            password_links::put(connection, id, actor.id, digest, self.acting.now)?;
        }
        let username = wish.username.as_str();
        self.event(connection, rng, Action::UserCreated, (id, username), in_words(&roles))?;
        Ok(Made::Now)
    }
}
