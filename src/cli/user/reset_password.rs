//! `tokenhouse user reset-password`

use clap::Args;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{append_event, hash};
use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, input, say};
use crate::config::Config;
use crate::domain::event::{Action, Actor};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::secret::random_code;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::{Connection, api_token_changes, user_changes, users};

#[derive(Args)]
pub struct Arguments {
    /// Username, in any case
    name: String,
    /// Read the password from standard input, as one line; without this one is generated and printed
    #[arg(long)]
    password_stdin: bool,
    /// Also revoke all API tokens of that user
    #[arg(long)]
    revoke_tokens: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Reset {
    username: String,
    password_hash: String,
    #[serde(default)]
    revoke_tokens: bool,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let username = Username::parse(&arguments.name).map_err(Failure::failed)?;
    let (password, generated) = if arguments.password_stdin {
        (input::secret_line("password")?, None)
    } else {
        let text = Zeroizing::new(random_code(&mut randomness::system()));
        (text.clone(), Some(text))
    };
    let password = Password::choose(&password, &[username.as_str()]).map_err(Failure::failed)?;
    let password_hash = hash(password)?.as_phc().to_owned();
    let (username, revoke_tokens) = (username.to_string(), arguments.revoke_tokens);
    let said = perform(config, Command::UserResetPassword(Reset { username, password_hash, revoke_tokens }))?;
    say(&said).map_err(Failure::failed)?;
    match generated {
        Some(password) => {
            say(&Zeroizing::new(format!("New password, shown this once: {}", *password))).map_err(|error| {
                Failure::Failed(format!("the new password could not be shown ({error}). Reset it again."))
            })
        }
        None => Ok(()),
    }
}

impl Reset {
    pub fn execute(self, connection: &mut Connection, now: Timestamp) -> Result<String, Refused> {
        let username = Username::parse(&self.username).map_err(|invalid| Refused(invalid.0))?;
        let Some(user) = users::credentials(connection, &username)? else {
            return Err(Refused::new(format!("there is no user {username}.")));
        };
        users::lock(connection, user.id)?;
        let hash = PasswordHash::from_phc(self.password_hash);
        let ended = user_changes::replace_password(connection, user.id, Some(&hash))?;
        let mut more = String::new();
        if self.revoke_tokens {
            let rng = &mut randomness::system();
            let revoked = api_token_changes::revoke_all(connection, rng, user.id, &Actor::Shell, now)?;
            more = format!(", API tokens revoked: {revoked}");
        }
        append_event(connection, Action::UserPasswordReset, user.id, &username, now)?;
        let still = if user.disabled { " The user is still disabled." } else { "" };
        Ok(format!("The password of {username} was reset; sessions ended: {ended}{more}.{still}"))
    }
}
