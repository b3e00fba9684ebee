//! `--demo`: a throw-away database with people, repositories, tokens in every status and a month of use, made through the
//! same functions as everything else, so that what it shows is what the program does.

mod people;
mod repositories;
mod services;
mod tokens;
mod uses;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::command::block_on;
use crate::auth::hasher::{Cost, Hasher};
use crate::domain::id::{ApiTokenId, RepositoryId, RepositoryTokenId, ServiceId, SessionId, UserId};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::secret::random_code;
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, Db, StorageError};
use zeroize::Zeroizing;

/// A data directory that goes away with this value.
pub struct ThrowAway(PathBuf);

impl ThrowAway {
    /// Chooses a folder that nobody else has; it is made when the data directory is prepared.
    pub fn choose() -> Self {
        let name = format!("tokenhouse-demo-{}", random_code(&mut randomness::system()));
        Self(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Why the demonstration could not be made.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the demonstration breaks a rule: {0}")]
    Rule(String),
}

/// What has come to be so far.
struct World {
    keys: SealingKeys,
    hash: PasswordHash,
    users: HashMap<&'static str, (UserId, SessionId)>,
    repositories: HashMap<&'static str, (RepositoryId, RepositoryTokenId)>,
    tokens: HashMap<(&'static str, &'static str), ApiTokenId>,
    services: HashMap<&'static str, ServiceId>,
}

type Happening = Box<dyn FnOnce(&mut World, &mut Connection, Timestamp) -> Result<(), Broken> + Send>;

/// Things that happen, each at its moment: told in any order, done in the order of time, as ids and events are.
struct History(Vec<(Timestamp, Happening)>);

impl History {
    fn at(
        &mut self,
        moment: Timestamp,
        happening: impl FnOnce(&mut World, &mut Connection, Timestamp) -> Result<(), Broken> + Send + 'static,
    ) {
        self.0.push((moment, Box::new(happening)));
    }
}

/// Fills the database, and returns the lines that say who may sign in.
pub fn fill(db: &Db, keys: SealingKeys, now: Timestamp) -> Result<Vec<String>, Failure> {
    let password = random_code(&mut randomness::system())[..14].to_owned();
    let typed = Password::typed(Zeroizing::new(password.clone()));
    let hash = Hasher::hash_here(Cost::OWASP, &typed, &mut randomness::system())
        .ok_or_else(|| Failure::Failed("the password cannot be hashed: there is too little memory.".to_owned()))?;
    block_on(db.write(move |connection: &mut Connection| -> Result<(), Broken> {
        let mut history = History(Vec::new());
        people::tell(&mut history, now);
        repositories::tell(&mut history, now);
        tokens::tell(&mut history, now);
        services::tell(&mut history, now);
        history.0.sort_by_key(|(moment, _)| *moment);
        let mut world = World {
            keys,
            hash,
            users: HashMap::new(),
            repositories: HashMap::new(),
            tokens: HashMap::new(),
            services: HashMap::new(),
        };
        for (moment, happening) in history.0 {
            happening(&mut world, connection, moment)?;
        }
        uses::count(&world, connection, now)
    }))?
    .map_err(Failure::failed)?;
    let mut lines = vec!["This is a demonstration. It is thrown away when the program stops.".to_owned()];
    lines.push(format!("Sign in with the password {password} as one of:"));
    lines.extend(people::who_may_sign_in());
    Ok(lines)
}
