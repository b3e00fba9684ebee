//! The form for what is known of a user, and the roles.

use std::collections::HashSet;

use serde::Deserialize;

use crate::domain::Invalid;
use crate::domain::role::Role;
use crate::domain::user::{DisplayName, Email, NewUser, User, Username};
use crate::storage::roles;
use crate::storage::user_changes::{Edition, Refusal};
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Choice, Field, FieldError, FormValue, SecretField, errors};
use crate::web::portal::Portal;

/// The form as it was sent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserInput {
    /// Of a new user.
    pub nonce: FormValue,
    username: Field,
    display_name: Field,
    email: Field,
    roles: Vec<FormValue>,
    password: SecretField,
}

/// The form of an existing user as it was sent: the username stays.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EditionInput {
    display_name: Field,
    email: Field,
    roles: Vec<FormValue>,
    password: SecretField,
}

impl From<EditionInput> for UserInput {
    fn from(EditionInput { display_name, email, roles, password }: EditionInput) -> Self {
        Self { display_name, email, roles, password, ..Self::default() }
    }
}

/// The form as it is shown.
#[derive(Default)]
pub struct UserForm {
    /// Not shown where it cannot be changed.
    pub username: Field,
    pub display_name: Field,
    pub email: Field,
    pub roles: Vec<Choice>,
    pub roles_error: Option<String>,
    pub password: SecretField,
}

/// The roles that a user may give: those that do not exceed the user's own privileges.
pub async fn roles_given_by(portal: &Portal, who: &SignedIn) -> Result<Vec<Role>, Failure> {
    let most = who.user.privileges;
    let all = portal.db.look_up(roles::list).await?;
    Ok(all.into_iter().filter(|role| most.contains_all(role.privileges)).collect())
}

impl UserForm {
    pub fn blank(offered: &[Role]) -> Self {
        Self { roles: choices(offered, |_| false), ..Self::default() }
    }

    pub fn of(user: &User, held: &[Role], offered: &[Role]) -> Self {
        Self {
            display_name: Field::of(user.display_name.as_str()),
            email: Field::of(user.email.as_str()),
            roles: choices(offered, |role| held.iter().any(|own| own.id == role.id)),
            ..Self::default()
        }
    }

    pub fn typed(input: UserInput, offered: &[Role]) -> Self {
        let chosen: HashSet<&str> = input.roles.iter().map(|name| &**name).collect();
        let known = |name: &&str| offered.iter().any(|role| role.name == *name);
        Self {
            roles: choices(offered, |role| chosen.contains(role.name.as_str())),
            roles_error: (!chosen.iter().all(known))
                .then(|| "There is a role among them that you cannot give. Choose only roles of this list.".into()),
            username: input.username,
            display_name: input.display_name,
            email: input.email,
            password: input.password,
        }
    }

    pub fn parse_new(&mut self) -> Option<(NewUser, Vec<String>)> {
        let username = self.username.parse(Username::parse);
        let display_name = self.display_name.parse(DisplayName::parse);
        let email = self.email.parse(Email::parse);
        let roles = self.chosen();
        Some((NewUser { username: username?, display_name: display_name?, email: Some(email?) }, roles?))
    }

    /// The email may stay empty for whom the shell made without one.
    pub fn parse_edition(&mut self, user: &User) -> Option<Edition> {
        let display_name = self.display_name.parse(DisplayName::parse);
        let email = self.email.parse(|text| -> Result<Option<Email>, Invalid> {
            if text.trim().is_empty() && user.email.is_empty() { Ok(None) } else { Email::parse(text).map(Some) }
        });
        let roles = self.chosen();
        Some(Edition { display_name: Some(display_name?), email: email?, roles: Some(roles?) })
    }

    fn chosen(&self) -> Option<Vec<String>> {
        let chosen = self.roles.iter().filter(|choice| choice.checked).map(|choice| choice.value.clone());
        self.roles_error.is_none().then(|| chosen.collect())
    }

    /// Puts a refusal at the field that it belongs to; hands on any other.
    pub fn refuse(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        match refusal {
            Refusal::UsernameTaken => {
                let name = self.username.value.trim().to_lowercase();
                self.username.error =
                    Some(format!("A user with the username “{name}” already exists. Choose another username."));
            }
            Refusal::RoleNotGiven(_) => {
                self.roles_error = Some("You can no longer give one of these roles. Choose again.".into());
            }
            Refusal::LastAdministrator => {
                self.roles_error = Some(
                    "This is the last enabled user with the role Administrator. Give that role to another user first."
                        .into(),
                );
            }
            refusal => return Err(refusal),
        }
        Ok(())
    }

    pub fn errors(&self) -> Vec<FieldError> {
        errors([
            ("username", &self.username.error),
            ("display_name", &self.display_name.error),
            ("email", &self.email.error),
            ("roles", &self.roles_error),
            ("password", &self.password.error),
        ])
    }
}

fn choices(offered: &[Role], checked: impl Fn(&Role) -> bool) -> Vec<Choice> {
    let choice = |role: &Role| {
        let labels: Vec<&str> = role.privileges.iter().map(|privilege| privilege.label()).collect();
        Choice {
            value: role.name.clone(),
            label: role.title.clone(),
            hint: if labels.is_empty() { "no privileges".into() } else { labels.join(", ") },
            checked: checked(role),
        }
    };
    offered.iter().map(choice).collect()
}
