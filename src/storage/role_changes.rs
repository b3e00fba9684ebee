//! How roles change, those excepted that are built in. Each function is called inside one writing transaction, looks once
//! more whether whoever acts still may, checks its rule and appends its event. An actor cannot grant privileges that
//! the actor does not have, and cannot change a role of a user who can do more.
//!
//! The policies are locked first, so that roles are changed and given one after the other.

use diesel::prelude::*;
use rand::CryptoRng;

use super::acting::{Acting, Ended};
use super::connection::on_each;
use super::error::StorageError;
use super::ids::insert_with_new_id;
use super::schema::roles as table;
use super::user_changes::can_grant;
use super::{Connection, password_links, policies, roles, user_access};
use crate::domain::access::UserAccess;
use crate::domain::event::Action;
use crate::domain::id::RoleId;
use crate::domain::privilege::Privileges;
use crate::domain::role::{NewRole, Role, RoleName, RoleTitle};
use crate::domain::user::User;

/// The kind of subject in events.
pub const KIND: &str = "role";

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such role")]
    NotFound,
    #[error("the name is taken")]
    NameTaken,
    #[error("the title is taken")]
    TitleTaken,
    #[error("there are {0} roles")]
    LimitReached(i64),
    #[error("the role is built in")]
    BuiltIn,
    /// A privilege that the actor does not have.
    #[error("a privilege is not held")]
    NotHeld,
    /// A privilege of Administration, which a token cannot grant.
    #[error("only pages grant privileges of Administration")]
    NotOverApi,
    /// The role, or a user with it, has a privilege or access to a repository that the actor does not have.
    #[error("the role has more access")]
    HoldsMore,
    /// A user with the role has a privilege of Administration, and a token acts.
    #[error("only pages change users with privileges of Administration")]
    OnlyOnPages,
    /// So many users hold it.
    #[error("{0} users hold the role")]
    InUse(i64),
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// A validated wish for how a role shall be; what is `None` stays as it is.
#[derive(Debug, Clone)]
pub struct Edition {
    pub title: Option<RoleTitle>,
    pub privileges: Option<Privileges>,
}

/// Changes by somebody with *User Management*.
#[derive(Debug, Clone)]
pub struct Change {
    pub acting: Acting,
}

impl Change {
    pub fn create(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        wish: &NewRole,
    ) -> Result<Role, Refusal> {
        let actor = self.begin(connection)?;
        self.require_grantable(&actor, wish.privileges)?;
        let all = roles::list(connection)?;
        if all.iter().any(|role| role.name == wish.name.as_str()) {
            return Err(Refusal::NameTaken);
        }
        is_free(&all, &wish.title, None)?;
        if i64::try_from(all.len()).is_ok_and(|count| count >= roles::MOST_ROLES) {
            return Err(Refusal::LimitReached(roles::MOST_ROLES));
        }
        let (title, privileges) = (wish.title.as_str(), wish.privileges.names());
        let id = insert_with_new_id(
            || RoleId::new(self.acting.now, rng),
            |id| -> Result<usize, Refusal> {
                let row = (
                    table::id.eq(id),
                    table::name.eq(wish.name.as_str()),
                    table::title.eq(title),
                    table::privileges.eq(&privileges),
                    table::built_in.eq(false),
                );
                Ok(on_each!(connection, |c| diesel::insert_into(table::table)
                    .values(row)
                    .on_conflict(table::id)
                    .do_nothing()
                    .execute(c))?)
            },
        )?;
        let role = Role {
            id,
            name: wish.name.to_string(),
            title: wish.title.as_str().to_owned(),
            privileges: wish.privileges,
            built_in: false,
        };
        self.event(connection, rng, Action::RoleCreated, &role, role.privileges.in_words())?;
        Ok(role)
    }

    /// Returns the role as it is then. Wishing for what is there changes nothing and is no error.
    pub fn edit(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        name: &RoleName,
        edition: &Edition,
    ) -> Result<Role, Refusal> {
        let actor = self.begin(connection)?;
        let mut role = self.changeable(connection, name, &actor)?;
        let mut were = Vec::new();
        if let Some(title) = edition.title.as_ref().filter(|title| title.as_str() != role.title) {
            is_free(&roles::list(connection)?, title, Some(role.id))?;
            were.push(format!("title was “{}”", role.title));
            title.as_str().clone_into(&mut role.title);
        }
        if let Some(privileges) = edition.privileges.filter(|privileges| *privileges != role.privileges) {
            self.require_grantable(&actor, privileges)?;
            if !privileges.contains_all(role.privileges) {
                password_links::withdraw_made_with(connection, role.id)?;
            }
            were.push(format!("{}; was {}", privileges.in_words(), role.privileges.in_words()));
            role.privileges = privileges;
        }
        if were.is_empty() {
            return Ok(role);
        }
        diesel::update(table::table.find(role.id))
            .set((table::title.eq(&role.title), table::privileges.eq(role.privileges.names())))
            .execute(connection)?;
        self.event(connection, rng, Action::RoleEdited, &role, were.join(", "))?;
        Ok(role)
    }

    /// Only a role that nobody holds.
    pub fn delete(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        name: &RoleName,
    ) -> Result<(), Refusal> {
        let actor = self.begin(connection)?;
        let role = self.changeable(connection, name, &actor)?;
        match roles::count_holders(connection, role.id)? {
            0 => {}
            users => return Err(Refusal::InUse(users)),
        }
        diesel::delete(table::table.find(role.id)).execute(connection)?;
        Ok(self.event(connection, rng, Action::RoleDeleted, &role, role.privileges.in_words())?)
    }

    fn begin(&self, connection: &mut Connection) -> Result<User, Refusal> {
        policies::lock(connection)?;
        Ok(self.acting.begin(connection, &[])?)
    }

    fn require_grantable(&self, actor: &User, privileges: Privileges) -> Result<(), Refusal> {
        if !actor.privileges.contains_all(privileges) {
            return Err(Refusal::NotHeld);
        }
        let grantable = can_grant(self.acting.by, actor.privileges, privileges);
        if grantable { Ok(()) } else { Err(Refusal::NotOverApi) }
    }

    /// The role, if the actor may change everybody who has it.
    fn changeable(&self, connection: &mut Connection, name: &RoleName, actor: &User) -> Result<Role, Refusal> {
        let role = roles::find_by_name(connection, name.as_str())?.ok_or(Refusal::NotFound)?;
        if role.built_in {
            return Err(Refusal::BuiltIn);
        }
        let (own, holders) = user_access::of_role(connection, (actor.id, actor.privileges), role.id)?;
        if !own.covers(&UserAccess::new(role.privileges, [])) || !own.covers(&holders) {
            return Err(Refusal::HoldsMore);
        }
        let only_on_pages = self.acting.by.is_token() && holders.privileges().administers();
        if only_on_pages { Err(Refusal::OnlyOnPages) } else { Ok(role) }
    }

    fn event(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        action: Action,
        role: &Role,
        detail: String,
    ) -> Result<(), StorageError> {
        self.acting.event(connection, rng, action, (KIND, role.id.to_string(), &role.name), detail)
    }
}

/// A role must not look like another.
fn is_free(all: &[Role], title: &RoleTitle, except: Option<RoleId>) -> Result<(), Refusal> {
    let key = title.as_str().to_lowercase();
    let taken = all.iter().any(|role| Some(role.id) != except && role.title.to_lowercase() == key);
    if taken { Err(Refusal::TitleTaken) } else { Ok(()) }
}
