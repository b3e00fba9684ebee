//! What is known of a user, and the roles.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, Refusal, in_words, keeping_an_administrator, roles_within};
use crate::domain::event::Action;
use crate::domain::id::{RoleId, UserId};
use crate::domain::privilege::Privileges;
use crate::domain::role::Role;
use crate::domain::user::{DisplayName, Email, User};
use crate::storage::schema::users as table;
use crate::storage::users::search_key;
use crate::storage::{Connection, StorageError, password_links, policies, roles, users};

/// A validated wish for how a user shall be; what is `None` stays as it is.
#[derive(Debug, Clone)]
pub struct Edition {
    pub display_name: Option<DisplayName>,
    pub email: Option<Email>,
    /// Names of all roles that the user shall hold.
    pub roles: Option<Vec<String>>,
}

impl Change {
    /// Returns the user as it is then. Wishing for what is there changes nothing and is no error.
    pub fn edit(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: UserId,
        edition: &Edition,
    ) -> Result<User, Refusal> {
        policies::lock(connection)?;
        let (actor, user) = self.begin(connection, id)?;
        self.describe(connection, rng, &user, edition)?;
        if let Some(names) = &edition.roles {
            let wanted = roles_within(connection, self.acting.by, names, actor.privileges)?;
            self.give_roles(connection, rng, &user, &wanted)?;
        }
        users::find(connection, id)?.ok_or(Refusal::NotFound)
    }

    fn give_roles(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        user: &User,
        wanted: &[Role],
    ) -> Result<(), Refusal> {
        let id = user.id;
        let held = roles::of(connection, id)?;
        let (wanted_ids, held_ids) = (ids(wanted), ids(&held));
        if wanted_ids != held_ids {
            keeping_an_administrator(connection, |connection| Ok(users::set_roles(connection, id, &wanted_ids)?))?;
            let now = wanted.iter().fold(Privileges::NONE, |all, role| all.and(role.privileges));
            if !now.contains_all(user.privileges) {
                password_links::withdraw_made_by(connection, id)?;
            }
            let detail = format!("{}; was {}", in_words(wanted), in_words(&held));
            self.event(connection, rng, Action::UserRolesChanged, (id, user.username.as_str()), detail)?;
        }
        Ok(())
    }

    fn describe(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        user: &User,
        edition: &Edition,
    ) -> Result<(), StorageError> {
        let name = edition.display_name.as_ref().map_or(user.display_name.as_str(), DisplayName::as_str);
        let email = edition.email.as_ref().map_or(user.email.as_str(), Email::as_str);
        let mut were = Vec::new();
        if user.display_name != name {
            were.push(format!("display name was “{}”", user.display_name));
        }
        if user.email != email {
            were.push(if user.email.is_empty() { "had no email".into() } else { format!("email was {}", user.email) });
        }
        if were.is_empty() {
            return Ok(());
        }
        diesel::update(table::table.find(user.id))
            .set((
                table::display_name.eq(name),
                table::email.eq(email),
                table::search_key.eq(search_key(&user.username, name, email)),
            ))
            .execute(connection)?;
        self.event(connection, rng, Action::UserEdited, (user.id, user.username.as_str()), were.join(", "))
    }
}

fn ids(roles: &[Role]) -> Vec<RoleId> {
    let mut ids: Vec<RoleId> = roles.iter().map(|role| role.id).collect();
    ids.sort_unstable();
    ids
}
