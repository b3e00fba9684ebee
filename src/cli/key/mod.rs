//! `tokenhouse key …`: the keys that sign registry tokens; the keys that seal those and repository tokens, and the check
//! at the start that none of them is missing.

pub mod forget;
pub mod rotate;

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use super::command::block_on;
use crate::config::Config;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, Db, Result as Stored, repository_tokens, signing_keys};

#[derive(Subcommand)]
pub enum Task {
    /// Sign registry tokens with the next key, and make another next one
    Rotate(rotate::Arguments),
    /// Give up what a lost key sealed: repository tokens go on working, but can no longer be shown; signing keys are made anew
    Forget(forget::Arguments),
}

pub fn run(config: &Config, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Rotate(arguments) => rotate::run(config, arguments),
        Task::Forget(arguments) => forget::run(config, arguments),
    }
}

/// Where the key file in use lies.
pub fn file(config: &Config) -> PathBuf {
    config.secret_key_file.clone().unwrap_or_else(|| config.data_dir.join("secret.key"))
}

/// Refuses to go on with a key file that is not the one which sealed what lies in the database: whoever put the wrong one
/// there learns of it now, and not when somebody needs a token.
pub fn require_all(config: &Config, db: &Db, keys: Option<&SealingKeys>) -> Result<(), Failure> {
    let sealed = |connection: &mut Connection| -> Stored<Vec<Sealed>> {
        let signing = signing_keys::key_ids(connection)?;
        let mut ids = repository_tokens::key_ids(connection)?;
        ids.extend(signing.iter().cloned());
        ids.sort();
        ids.dedup();
        let sealed = ids.into_iter().map(|id| {
            let tokens = repository_tokens::count_sealed(connection, &id)?;
            Ok(Sealed { signing: signing.contains(&id), tokens, id })
        });
        sealed.collect()
    };
    let mut missing = block_on(db.read(sealed))?.map_err(Failure::failed)?;
    missing.retain(|sealed| !keys.is_some_and(|keys| keys.knows(&sealed.id)));
    if missing.is_empty() {
        return Ok(());
    }
    let path = file(config);
    let lost: Vec<_> = missing.iter().map(Sealed::in_words).collect();
    let commands: Vec<_> = missing.iter().map(|sealed| format!("tokenhouse key forget {}", sealed.id)).collect();
    let anew = if missing.iter().any(|sealed| sealed.signing) {
        " Signing keys are made anew, and container registries need a new bundle then."
    } else {
        ""
    };
    Err(Failure::Failed(format!(
        "the key file {} lacks a key that is needed to open what lies sealed in the database: {}. Put the right key file back from your backup. If it is lost for good, run: {}. Repository tokens go on working then, but can no longer be shown, only renewed with Generate New.{anew}",
        path.display(),
        lost.join(", "),
        commands.join(" && "),
    )))
}

/// What lies sealed with one key.
struct Sealed {
    id: String,
    tokens: i64,
    /// Whether signing keys are among it.
    signing: bool,
}

impl Sealed {
    fn in_words(&self) -> String {
        let tokens = match self.tokens {
            0 => None,
            1 => Some("1 token".to_owned()),
            count => Some(format!("{count} tokens")),
        };
        let signing = self.signing.then(|| "signing keys".to_owned());
        let what: Vec<_> = tokens.into_iter().chain(signing).collect();
        format!("{} ({})", self.id, what.join(" and "))
    }
}
