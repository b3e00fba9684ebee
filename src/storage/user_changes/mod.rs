//! How users change. Each function is called inside one writing transaction, looks once more whether whoever acts still
//! may, locks the user, checks its rule and appends its event. Nobody gives or touches more than they hold.
//!
//! What may leave the portal without an Administrator locks the policies first, so that two at once are decided one after
//! the other.

mod create;
mod edit;
mod password;
mod status;

use rand::CryptoRng;

use super::acting::{Acting, Ended};
use super::error::{Result, StorageError};
use super::{Connection, roles, sessions, users};
use crate::domain::event::Action;
use crate::domain::id::UserId;
use crate::domain::privilege::Privileges;
use crate::domain::role::{ADMINISTRATOR, Role};
use crate::domain::user::User;

pub use create::Made;
pub use edit::Edition;
pub use password::{follow_link, replace_password};
pub use status::disable;

/// The kind of subject in events.
pub const KIND: &str = "user";

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such user")]
    NotFound,
    #[error("the username is taken")]
    UsernameTaken,
    /// The form was used for something else before.
    #[error("the form was used before")]
    FormUsed,
    /// A role that is not there, or holds a privilege that whoever gives it does not hold.
    #[error("the role {0} cannot be given")]
    RoleNotGiven(String),
    /// The user holds a privilege that whoever acts does not hold.
    #[error("the user holds more privileges")]
    HoldsMore,
    #[error("the last enabled Administrator")]
    LastAdministrator,
    /// What nobody does to themselves, in a sentence.
    #[error("{0}")]
    Oneself(&'static str),
    #[error("the link was used or has expired")]
    LinkEnded,
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Refusal {
    pub const DISABLING_ONESELF: Self =
        Self::Oneself("You cannot disable yourself. Ask another administrator to do it.");
    pub const RESETTING_ONESELF: Self =
        Self::Oneself("You cannot reset your own password. Change it in My Profile, under Sessions & Security.");
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Changes by somebody with *User Management*.
#[derive(Debug, Clone)]
pub struct Change {
    pub acting: Acting,
}

impl Change {
    /// Begins, locks the user and returns who acts and on whom.
    fn begin(&self, connection: &mut Connection, id: UserId) -> Result<(User, User), Refusal> {
        let actor = self.acting.begin(connection, &[id])?;
        let user = users::find(connection, id)?.ok_or(Refusal::NotFound)?;
        if !actor.privileges.contains_all(user.privileges) {
            return Err(Refusal::HoldsMore);
        }
        Ok((actor, user))
    }

    fn event(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        action: Action,
        (id, username): (UserId, &str),
        detail: String,
    ) -> Result<()> {
        self.acting.event(connection, rng, action, (KIND, id.to_string(), username), detail)
    }

    /// Ends all sessions of a user, and returns how many there were. The user may sign in again.
    pub fn sign_out(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: UserId,
    ) -> Result<(User, usize), Refusal> {
        let (_, user) = self.begin(connection, id)?;
        let ended = sessions::end_all_of(connection, id)?;
        if ended > 0 {
            let detail = format!("sessions ended: {ended}");
            self.event(connection, rng, Action::UserSignedOut, (id, user.username.as_str()), detail)?;
        }
        Ok((user, ended))
    }
}

/// The roles of these names, all of them within `most`.
fn roles_within(connection: &mut Connection, names: &[String], most: Privileges) -> Result<Vec<Role>, Refusal> {
    let all = roles::list(connection)?;
    let given = |name: &String| {
        let role = all.iter().find(|role| role.name == *name && most.contains_all(role.privileges));
        role.cloned().ok_or_else(|| Refusal::RoleNotGiven(name.clone()))
    };
    let mut found = names.iter().map(given).collect::<Result<Vec<_>, Refusal>>()?;
    found.sort_by(|one, other| one.title.cmp(&other.title));
    found.dedup_by(|one, other| one.id == other.id);
    Ok(found)
}

/// Titles for people: "Developer, Viewer".
fn in_words(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "no role".into();
    }
    roles.iter().map(|role| role.title.as_str()).collect::<Vec<_>>().join(", ")
}

/// Makes a change after which an enabled Administrator must be left, if there was one. The policies must be locked.
fn keeping_an_administrator<T>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let before = users::count_enabled_with_role(connection, ADMINISTRATOR)?;
    let changed = change(connection)?;
    if before > 0 && users::count_enabled_with_role(connection, ADMINISTRATOR)? == 0 {
        return Err(Refusal::LastAdministrator);
    }
    Ok(changed)
}
