//! Who else may read or write a repository.

use rand::CryptoRng;

use super::{Change, KIND, Refusal, lock};
use crate::domain::event::Action;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::user::Username;
use crate::storage::{Connection, grants, users};

impl Change {
    /// Gives a user access, in place of what they had. Giving what they have changes nothing and is no error.
    pub fn grant(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        username: &Username,
        permission: Permission,
    ) -> Result<(), Refusal> {
        let user = users::credentials(connection, username)?.ok_or(Refusal::UnknownUser)?.id;
        self.acting.begin(connection, &[user])?;
        let name = lock(connection, id)?.ok_or(Refusal::NotFound)?;
        let before = grants::find(connection, user, id)?;
        if before == Some(permission) {
            return Ok(());
        }
        grants::set(connection, user, id, permission, self.acting.now)?;
        let was = before.map(|before| format!(", was {}", before.label())).unwrap_or_default();
        let subject = (KIND, id.to_string(), name.as_str());
        let detail = format!("{username}: {}{was}", permission.label());
        Ok(self.acting.event(connection, rng, Action::GrantSet, subject, detail)?)
    }

    /// Takes a user's access away, and returns whose. Taking away what is not there changes nothing and is no error.
    pub fn ungrant(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        user: UserId,
    ) -> Result<Username, Refusal> {
        self.acting.begin(connection, &[user])?;
        let name = lock(connection, id)?.ok_or(Refusal::NotFound)?;
        let username = users::find(connection, user)?.ok_or(Refusal::NotFound)?.username;
        let before = grants::find(connection, user, id)?;
        if grants::remove(connection, user, id)? {
            let was = before.unwrap_or_default().label();
            let subject = (KIND, id.to_string(), name.as_str());
            self.acting.event(connection, rng, Action::GrantRemoved, subject, format!("{username}: was {was}"))?;
        }
        Ok(username)
    }
}
