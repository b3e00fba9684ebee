//! How roles change, those excepted that are built in. Each function is called inside one writing transaction, looks once
//! more whether whoever acts still may, checks its rule and appends its event. Nobody makes or touches more than they hold.
//!
//! The policies are locked first, so that roles are changed and given one after the other.

use diesel::prelude::*;
use rand::CryptoRng;

use super::acting::{Acting, Ended};
use super::error::StorageError;
use super::schema::roles as table;
use super::{Connection, policies, roles};
use crate::domain::event::Action;
use crate::domain::id::RoleId;
use crate::domain::privilege::Privileges;
use crate::domain::role::{NewRole, Role, RoleName, RoleTitle};

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
    /// A privilege is wished for that whoever acts does not hold.
    #[error("a privilege is not held")]
    NotHeld,
    /// The role, or somebody with it, holds a privilege that whoever acts does not hold.
    #[error("the role holds more privileges")]
    HoldsMore,
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
        let held = self.begin(connection)?;
        if !held.contains_all(wish.privileges) {
            return Err(Refusal::NotHeld);
        }
        let all = roles::list(connection)?;
        if all.iter().any(|role| role.name == wish.name.as_str()) {
            return Err(Refusal::NameTaken);
        }
        is_free(&all, &wish.title, None)?;
        if i64::try_from(all.len()).is_ok_and(|count| count >= roles::MOST_ROLES) {
            return Err(Refusal::LimitReached(roles::MOST_ROLES));
        }
        let role = Role {
            id: RoleId::new(self.acting.now, rng),
            name: wish.name.to_string(),
            title: wish.title.as_str().to_owned(),
            privileges: wish.privileges,
            built_in: false,
        };
        diesel::insert_into(table::table)
            .values((
                table::id.eq(role.id.to_string()),
                table::name.eq(&role.name),
                table::title.eq(&role.title),
                table::privileges.eq(role.privileges.names()),
                table::built_in.eq(false),
            ))
            .execute(connection)?;
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
        let held = self.begin(connection)?;
        let mut role = changeable(connection, name, held)?;
        let mut were = Vec::new();
        if let Some(title) = edition.title.as_ref().filter(|title| title.as_str() != role.title) {
            is_free(&roles::list(connection)?, title, Some(role.id))?;
            were.push(format!("title was “{}”", role.title));
            title.as_str().clone_into(&mut role.title);
        }
        if let Some(privileges) = edition.privileges.filter(|privileges| *privileges != role.privileges) {
            if !held.contains_all(privileges) {
                return Err(Refusal::NotHeld);
            }
            were.push(format!("{}; was {}", privileges.in_words(), role.privileges.in_words()));
            role.privileges = privileges;
        }
        if were.is_empty() {
            return Ok(role);
        }
        diesel::update(table::table.find(role.id.to_string()))
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
        let held = self.begin(connection)?;
        let role = changeable(connection, name, held)?;
        match roles::count_holders(connection, role.id)? {
            0 => {}
            users => return Err(Refusal::InUse(users)),
        }
        diesel::delete(table::table.find(role.id.to_string())).execute(connection)?;
        Ok(self.event(connection, rng, Action::RoleDeleted, &role, role.privileges.in_words())?)
    }

    /// What whoever acts holds.
    fn begin(&self, connection: &mut Connection) -> Result<Privileges, Refusal> {
        policies::lock(connection)?;
        Ok(self.acting.begin(connection, &[])?.privileges)
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

/// The role, if whoever holds `most` may change it.
fn changeable(connection: &mut Connection, name: &RoleName, most: Privileges) -> Result<Role, Refusal> {
    let role = roles::find_by_name(connection, name.as_str())?.ok_or(Refusal::NotFound)?;
    if role.built_in {
        return Err(Refusal::BuiltIn);
    }
    let touched = role.privileges.and(roles::held_by_holders(connection, role.id)?);
    if most.contains_all(touched) { Ok(role) } else { Err(Refusal::HoldsMore) }
}

/// A role must not look like another.
fn is_free(all: &[Role], title: &RoleTitle, except: Option<RoleId>) -> Result<(), Refusal> {
    let key = title.as_str().to_lowercase();
    let taken = all.iter().any(|role| Some(role.id) != except && role.title.to_lowercase() == key);
    if taken { Err(Refusal::TitleTaken) } else { Ok(()) }
}
