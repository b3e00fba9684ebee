//! `tokenhouse key forget`: for a key that is lost for good.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::file;
use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, say};
use crate::config::Config;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, events, idempotency, repository_tokens, signing_keys};

#[derive(Args)]
pub struct Arguments {
    /// Id of the key, as `serve` tells it when it misses the key
    id: String,
    /// There is no key file any more, on no node: on PostgreSQL it must be said, as no server is asked
    #[arg(long)]
    lost: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Forget {
    key_id: String,
    /// The ids of the keys that whoever asks has.
    known: Vec<String>,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let path = file(config);
    // One that is not there is not made, as `serve` would do.
    let known = match path.try_exists() {
        // On PostgreSQL no server is asked, and its key file may be elsewhere: who shows none could forget the one in use.
        Ok(false) if !config.database.is_sqlite() && !arguments.lost => {
            return Err(Failure::Failed(format!(
                "there is no key file {}. Name the one that the servers use with --secret-key-file (TOKENHOUSE_SECRET_KEY_FILE), so that no key in use is forgotten; or add --lost if it is gone from all of them.",
                path.display()
            )));
        }
        Ok(false) => Vec::new(),
        _ => SealingKeys::load(&path).map_err(Failure::failed)?.ids(),
    };
    let key_id = arguments.id.trim().to_lowercase();
    let said = perform(config, Command::KeyForget(Forget { key_id, known }))?;
    say(&said).map_err(Failure::failed)
}

impl Forget {
    /// `known` are the ids of the keys of a running server, which may use another key file than whoever asks.
    pub fn execute(self, connection: &mut Connection, now: Timestamp, known: &[String]) -> Result<String, Refused> {
        let id = &self.key_id;
        if self.known.contains(id) || known.contains(id) {
            return Err(Refused::new(format!(
                "the key {id} is in the key file in use, so nothing is lost; nothing was changed."
            )));
        }
        let count = repository_tokens::forget_sealed(connection, id)?;
        let signing = signing_keys::forget_sealed(connection, id)?;
        // The requests can be sent again; without their answers they are made again.
        idempotency::forget_sealed(connection, id)?;
        if count + signing == 0 {
            return Err(Refused::new(format!(
                "nothing is sealed with a key of the id “{id}”; nothing was changed. Look at what serve says when it starts."
            )));
        }
        let event = NewEvent {
            actor: Actor::Shell,
            action: Action::SealedTokensForgotten,
            subject_kind: "key",
            subject_id: id.clone(),
            subject_name: id.clone(),
            detail: format!("repository tokens: {count}, signing keys: {signing}"),
        };
        events::append(connection, &event, now, &mut randomness::system())?;
        let anew = if signing > 0 {
            "\nThe keys that sign registry tokens are lost with it: the next start makes new ones. Container registries take no token of theirs before you have written the bundle anew and restarted them: tokenhouse oci registry-config --bundle FILE"
        } else {
            ""
        };
        Ok(format!(
            "The key {id} was forgotten; repository tokens that can no longer be shown: {count}. They go on working until Generate New replaces them.{anew}"
        ))
    }
}
