//! The commands that change something: written down, so that a running server can be asked to execute them, and executed
//! in one way wherever that happens.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::data_dir::{DataDir, Lock};
use super::oci::registry_config::{self, Issuer};
use super::{Failure, control, key, migrate, token, user};
use crate::clock::Clock;
use crate::config::Config;
use crate::storage::connection::Target;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Db, StorageError};

/// How long a command waits for another one, or for a server that is starting or stopping.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(50);

/// What the shell asks for. No `Debug`: a token or a hash is in it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Migrate(migrate::Migrate),
    UserCreate(user::create::Create),
    UserDisable(user::disable::Disable),
    UserResetPassword(user::reset_password::Reset),
    TokenRevoke(token::revoke::Revoke),
    KeyForget(key::forget::Forget),
    KeyRotate(key::rotate::Rotate),
    OciRegistryConfig(registry_config::Ask),
    OciBundled(registry_config::Bundled),
}

/// Why a command changed nothing, in a sentence.
#[derive(Debug)]
pub struct Refused(pub String);

impl Refused {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self(match error {
            StorageError::Unavailable(cause) => {
                format!("the database cannot be asked now ({cause}). Try again in a moment.")
            }
            other => format!("{other}."),
        })
    }
}

/// What it takes to execute commands.
#[derive(Clone)]
pub struct Executor {
    pub db: Db,
    pub clock: Clock,
    /// The keys of the key file, or why there are none.
    pub keys: Result<Arc<SealingKeys>, String>,
    pub issuer: Issuer,
}

impl Executor {
    /// Executes a command in one transaction, its event included, and returns what to tell.
    pub async fn execute(&self, command: Command) -> Result<String, String> {
        let Self { db, clock, keys, issuer } = self.clone();
        let now = clock.now();
        match command {
            Command::Migrate(migrate) => migrate.answer(),
            Command::UserCreate(create) => db.write(move |connection| create.execute(connection, now)).await,
            Command::UserDisable(disable) => db.write(move |connection| disable.execute(connection, now)).await,
            Command::UserResetPassword(reset) => db.write(move |connection| reset.execute(connection, now)).await,
            Command::TokenRevoke(revoke) => db.write(move |connection| revoke.execute(connection, now, &keys)).await,
            Command::KeyForget(forget) => {
                let known = keys.map(|keys| keys.ids()).unwrap_or_default();
                db.write(move |connection| forget.execute(connection, now, &known)).await
            }
            Command::KeyRotate(rotate) => {
                let keys = keys?;
                db.write(move |connection| rotate.execute(connection, now, &keys)).await
            }
            Command::OciBundled(bundled) => db.write(move |connection| bundled.execute(connection, now)).await,
            Command::OciRegistryConfig(ask) => db.read(move |connection| ask.execute(connection, &issuer)).await,
        }
        .map_err(|refused| refused.0)
    }
}

/// Has a command executed: by the server, if one serves from the data directory, and else right here.
pub fn perform(config: &Config, command: Command) -> Result<String, Failure> {
    match reach(config)? {
        Reached::Server(server) => server.ask(&command).map_err(Failure::Failed),
        Reached::Database(_lock) => {
            let db = Db::open(&config.database, 1).map_err(Failure::failed)?;
            let keys = SealingKeys::load(&key::file(config)).map(Arc::new).map_err(|error| error.to_string());
            let executor = Executor { db, clock: Clock::System, keys, issuer: Issuer::of(config) };
            block_on(executor.execute(command))?.map_err(Failure::Failed)
        }
    }
}

/// Who may write now.
pub enum Reached {
    Server(control::Client),
    /// This process, as long as it holds the lock. PostgreSQL takes many writers and needs none.
    Database(Option<Lock>),
}

/// Whoever holds the lock is a server, asked through its socket, or another command, which is done in a moment.
pub fn reach(config: &Config) -> Result<Reached, Failure> {
    let Target::Sqlite(database) = &config.database else { return Ok(Reached::Database(None)) };
    let data_dir = DataDir::prepare(&config.data_dir).map_err(Failure::failed)?;
    let start = Instant::now();
    loop {
        if let Some(lock) = data_dir.try_lock().map_err(Failure::failed)? {
            data_dir.keep_private(database).map_err(Failure::failed)?;
            return Ok(Reached::Database(Some(lock)));
        }
        if let Some(server) = control::Client::connect(&data_dir) {
            return Ok(Reached::Server(server));
        }
        if start.elapsed() > PATIENCE {
            let path = data_dir.path().display();
            return Err(Failure::Failed(format!(
                "the data directory {path} is held by another tokenhouse that does not answer. Try again, or look what that process does."
            )));
        }
        thread::sleep(PAUSE);
    }
}

/// Runs a future on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(future))
        .map_err(|error| Failure::Failed(format!("cannot start: {error}.")))
}
