//! How users change. Each function is called inside one writing transaction, looks once more whether whoever acts still
//! may, locks the user, checks its rule and appends its event. An actor cannot change a user who can do more, and
//! cannot grant privileges that the actor does not have.
//!
//! What may leave the portal without an Administrator locks the policies first, so that two at once are decided one after
//! the other.

mod create;
mod edit;
mod password;
mod status;

use rand::CryptoRng;

use super::acting::{Acting, By, Ended};
use super::error::{Result, StorageError};
use super::user_access::{self, UserPrivileges};
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
    /// A role that does not exist, or has a privilege that the actor does not have or cannot grant over the API.
    #[error("the role {0} cannot be given")]
    RoleNotGiven(String),
    /// The user has a privilege, or access to a repository, that the actor does not have.
    #[error("the user has more access")]
    HoldsMore,
    /// The user has a privilege of Administration, and a token acts.
    #[error("only pages change users with privileges of Administration")]
    OnlyOnPages,
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
        require_covered(connection, self.acting.by, (actor.id, actor.privileges), (user.id, user.privileges))?;
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

/// Passes if the actor can do everything that the user can do. Over the API, nobody changes a user who has a privilege
/// of Administration: a stolen token must not lead to more than its owner granted to it.
pub fn require_covered(
    connection: &mut Connection,
    by: By,
    actor: UserPrivileges,
    user: UserPrivileges,
) -> Result<(), Refusal> {
    let (own, access) = user_access::of_both(connection, actor, user)?;
    if !own.covers(&access) {
        return Err(Refusal::HoldsMore);
    }
    if by.is_token() && user.1.administers() { Err(Refusal::OnlyOnPages) } else { Ok(()) }
}

/// Whether an actor with these privileges can grant those of a role.
pub const fn can_grant(by: By, most: Privileges, granted: Privileges) -> bool {
    most.contains_all(granted) && !(by.is_token() && granted.administers())
}

/// The roles of these names, if the actor can grant all of them.
fn roles_within(connection: &mut Connection, by: By, names: &[String], most: Privileges) -> Result<Vec<Role>, Refusal> {
    let all = roles::list(connection)?;
    let given = |name: &String| {
        let role = all.iter().find(|role| role.name == *name && can_grant(by, most, role.privileges));
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
