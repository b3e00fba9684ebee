//! `tokenhouse migrate`: brings the database up to date without serving.

use serde::{Deserialize, Serialize};

use super::command::{Command, Reached, Refused, reach};
use super::{Failure, say};
use crate::config::Config;
use crate::storage::{migrations, opening};

/// Asks a server whether its database is as this program wants it.
#[derive(Serialize, Deserialize)]
pub struct Migrate {
    /// The last migration that the asking program knows.
    newest: String,
}

impl Migrate {
    /// A server brought its database up to date when it started, as far as it knows.
    pub fn answer(&self) -> Result<String, Refused> {
        if migrations::newest() == self.newest {
            Ok("The database is up to date: the running server saw to it when it started.".to_owned())
        } else {
            Err(Refused::new(
                "the running server is another version than this program. Stop it, then run this again or start the new version, which migrates by itself.",
            ))
        }
    }
}

pub fn run(config: &Config) -> Result<(), Failure> {
    let said = match reach(config)? {
        Reached::Server(server) => {
            server.ask(&Command::Migrate(Migrate { newest: migrations::newest() })).map_err(Failure::Failed)?
        }
        Reached::Database(_lock) => match opening::migrate(&config.database).map_err(Failure::failed)? {
            0 => "The database is up to date.".to_owned(),
            1 => "1 migration was run; the database is up to date.".to_owned(),
            count => format!("{count} migrations were run; the database is up to date."),
        },
    };
    say(&said).map_err(Failure::failed)
}
