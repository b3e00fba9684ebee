//! `tokenhouse user create`

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{append_event, hash};
use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, input, say};
use crate::config::Config;
use crate::domain::Invalid;
use crate::domain::event::Action;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{DisplayName, Email, NewUser, Username};
use crate::randomness;
use crate::storage::{Connection, roles, users};

#[derive(Args)]
pub struct Arguments {
    /// Username, in any case
    name: String,
    /// Name of a role: administrator, repository-manager, developer, viewer, or one that was added
    #[arg(long)]
    role: String,
    /// How the user is addressed on pages [default: the username]
    #[arg(long)]
    display_name: Option<String>,
    #[arg(long)]
    email: Option<String>,
    /// Read the password from standard input, as one line
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// A user to be made, all of it checked.
#[derive(Serialize, Deserialize)]
pub struct Create {
    username: String,
    display_name: String,
    email: Option<String>,
    role: String,
    password_hash: String,
}

pub fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let username = Username::parse(&arguments.name).map_err(Failure::failed)?;
    let display_name = arguments.display_name.unwrap_or_else(|| username.to_string());
    let mut create = Create {
        username: username.to_string(),
        display_name,
        email: arguments.email,
        role: arguments.role.trim().to_lowercase(),
        password_hash: String::new(),
    };
    create.user().map_err(Failure::failed)?;
    let context = [create.username.as_str(), &create.display_name, create.email.as_deref().unwrap_or_default()];
    let password = Password::choose(&input::secret_line("password")?, &context).map_err(Failure::failed)?;
    create.password_hash = hash(password)?.as_phc().to_owned();
    let said = perform(config, Command::UserCreate(create))?;
    say(&said).map_err(Failure::failed)
}

impl Create {
    fn user(&self) -> Result<NewUser, Invalid> {
        Ok(NewUser {
            username: Username::parse(&self.username)?,
            display_name: DisplayName::parse(&self.display_name)?,
            email: self.email.as_deref().map(Email::parse).transpose()?,
        })
    }

    pub fn execute(self, connection: &mut Connection, now: Timestamp) -> Result<String, Refused> {
        let user = self.user().map_err(|invalid| Refused(invalid.0))?;
        let Some(role) = roles::find_by_name(connection, &self.role)? else {
            let names = roles::names(connection)?.join(", ");
            return Err(Refused::new(format!("there is no role “{}”. Choose one of: {names}.", self.role)));
        };
        let hash = PasswordHash::from_phc(self.password_hash);
        let made = users::insert(connection, &user, Some(&hash), role.id, now, &mut randomness::system())?;
        let Some(id) = made else {
            return Err(Refused::new(format!("the username {} is taken. Choose another.", user.username)));
        };
        append_event(connection, Action::UserCreated, id, &user.username, now)?;
        Ok(format!("User {} was created with the role {}.", user.username, role.title))
    }
}
