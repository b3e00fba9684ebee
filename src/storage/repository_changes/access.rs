//! Who else may read or write a repository.

use rand::CryptoRng;

use super::{Change, KIND, Refusal, lock};
use crate::domain::event::Action;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::repository::RepositoryName;
use crate::domain::user::Username;
use crate::storage::{Connection, grants, users};

impl Change {
    /// Gives a user access, in place of what they had, and returns whose name it is. Giving what they have changes nothing
    /// and is no error. Nobody gives access to themselves.
    pub fn grant(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        user: UserId,
        permission: Permission,
    ) -> Result<Username, Refusal> {
        let (name, username) = self.begin_access(connection, id, user)?;
        if self.acting.user == Some(user) {
            return Err(Refusal::OwnGrant);
        }
        let before = grants::find(connection, user, id)?;
        if before == Some(permission) {
            return Ok(username);
        }
        grants::set(connection, user, id, permission, self.acting.now)?;
        let was = before.map(|before| format!(", was {}", before.label())).unwrap_or_default();
        let subject = (KIND, id.to_string(), name.as_str());
        let detail = format!("{username}: {}{was}", permission.label());
        self.acting.event(connection, rng, Action::GrantSet, subject, detail)?;
        Ok(username)
    }

    /// The same for a user who has access; not found where it was taken away meanwhile.
    pub fn regrant(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        user: UserId,
        permission: Permission,
    ) -> Result<Username, Refusal> {
        self.begin_access(connection, id, user)?;
        grants::find(connection, user, id)?.ok_or(Refusal::NotFound)?;
        self.grant(connection, rng, id, user, permission)
    }

    /// Takes a user's access away, and returns whose. Taking away what is not there changes nothing and is no error.
    pub fn ungrant(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        user: UserId,
    ) -> Result<Username, Refusal> {
        let (name, username) = self.begin_access(connection, id, user)?;
        let before = grants::find(connection, user, id)?;
        if grants::remove(connection, user, id)? {
            let was = before.unwrap_or_default().label();
            let subject = (KIND, id.to_string(), name.as_str());
            self.acting.event(connection, rng, Action::GrantRemoved, subject, format!("{username}: was {was}"))?;
        }
        Ok(username)
    }

    fn begin_access(
        &self,
        connection: &mut Connection,
        id: RepositoryId,
        user: UserId,
    ) -> Result<(RepositoryName, Username), Refusal> {
        self.acting.begin(connection, &[user])?;
        let name = lock(connection, id)?.ok_or(Refusal::NotFound)?;
        let username = users::find(connection, user)?.ok_or(Refusal::NotFound)?.username;
        Ok((name, username))
    }
}
