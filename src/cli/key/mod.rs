//! `tokenhouse key …`: the keys that seal repository tokens, and the check at the start that none of them is missing.

pub mod forget;

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use super::command::block_on;
use crate::config::Config;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, Db, Result as Stored, repository_tokens};

#[derive(Subcommand)]
pub enum Task {
    /// Give up the repository tokens that a lost key sealed: they go on working, but can no longer be shown
    Forget(forget::Arguments),
}

pub fn run(config: &Config, task: &Task) -> Result<(), Failure> {
    match task {
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
    let count = |connection: &mut Connection| -> Stored<Vec<(String, i64)>> {
        let ids = repository_tokens::key_ids(connection)?;
        ids.into_iter().map(|id| Ok((id.clone(), repository_tokens::count_sealed(connection, &id)?))).collect()
    };
    let mut missing = block_on(db.read(count))?.map_err(Failure::failed)?;
    missing.retain(|(id, _)| !keys.is_some_and(|keys| keys.knows(id)));
    if missing.is_empty() {
        return Ok(());
    }
    let tokens = |count: i64| if count == 1 { "1 token".to_owned() } else { format!("{count} tokens") };
    let path = file(config);
    let lost: Vec<_> = missing.iter().map(|(id, count)| format!("{id} ({})", tokens(*count))).collect();
    let commands: Vec<_> = missing.iter().map(|(id, _)| format!("tokenhouse key forget {id}")).collect();
    Err(Failure::Failed(format!(
        "the key file {} lacks a key that repository tokens are sealed with: {}. Put the right key file back from your backup. If it is lost for good, run: {}. The tokens go on working then, but can no longer be shown, only renewed with Generate New.",
        path.display(),
        lost.join(", "),
        commands.join(" && "),
    )))
}
