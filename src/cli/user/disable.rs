//! `tokenhouse user disable`

use clap::Args;
use serde::{Deserialize, Serialize};

use super::append_event;
use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, say};
use crate::config::Config;
use crate::domain::event::Action;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::storage::user_changes::Refusal;
use crate::storage::{Connection, policies, user_changes, users};

#[derive(Args)]
pub struct Arguments {
    /// Username, in any case
    name: String,
}

#[derive(Serialize, Deserialize)]
pub struct Disable {
    username: String,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let username = Username::parse(&arguments.name).map_err(Failure::failed)?;
    let said = perform(config, Command::UserDisable(Disable { username: username.to_string() }))?;
    say(&said).map_err(Failure::failed)
}

impl Disable {
    pub fn execute(self, connection: &mut Connection, now: Timestamp) -> Result<String, Refused> {
        let username = Username::parse(&self.username).map_err(|invalid| Refused(invalid.0))?;
        // Two administrators disabled at once must not both count the other one.
        policies::lock(connection)?;
        let Some(user) = users::credentials(connection, &username)? else {
            return Err(Refused::new(format!("there is no user {username}.")));
        };
        users::lock(connection, user.id)?;
        let ended = match user_changes::disable(connection, user.id, now) {
            Ok(Some(ended)) => ended,
            Ok(None) => return Ok(format!("User {username} is disabled already; nothing was changed.")),
            Err(Refusal::LastAdministrator) => {
                return Err(Refused::new(format!(
                    "{username} is the last enabled Administrator. Create another one first: tokenhouse user create NAME --role administrator --password-stdin"
                )));
            }
            Err(Refusal::Storage(error)) => return Err(error.into()),
            Err(refusal) => return Err(Refused::new(format!("{refusal}."))),
        };
        append_event(connection, Action::UserDisabled, user.id, &username, now)?;
        Ok(format!("User {username} was disabled; sessions ended: {ended}."))
    }
}
