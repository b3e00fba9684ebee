//! `tokenhouse serve`: opens all that the server needs, in the order in which a failure costs least, and runs it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::command::Executor;
use super::data_dir::{DataDir, Lock};
use super::demo::{self, ThrowAway};
use super::oci::registry_config::Issuer;
use super::{Failure, control, key, say};
use crate::clock::Clock;
use crate::config::{Config, PublicUrl};
use crate::file_access;
use crate::randomness;
use crate::storage::Db;
use crate::storage::connection::Target;
use crate::storage::opening::Options;
use crate::storage::sealing::{KeyError, SealingKeys};
use crate::web::server::{self, Opened};

/// Connections to SQLite beside those of the workers: for the control socket and the work in the background.
const SPARE_READERS: usize = 4;
const POSTGRES_CONNECTIONS: usize = 16;
/// How long a command may hold the data directory before it counts as in use.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

pub fn run(mut config: Config) -> Result<(), Failure> {
    // Dropped, and so removed, after all that uses it.
    let throw_away = config.demo.then(ThrowAway::choose);
    if let Some(folder) = &throw_away {
        config.data_dir = folder.path().to_owned();
        config.database = Target::Sqlite(folder.path().join("tokenhouse.db"));
    }
    let data_dir = DataDir::prepare(&config.data_dir).map_err(Failure::failed)?;
    data_dir.warn_if_open_to_others();
    if let Some(path) = &config.database_url_file {
        file_access::warn_if_open("the file of the database URL", path);
    }
    let lock = lock(&data_dir)?;
    let there = keys_there(&config).map_err(Failure::failed)?;
    file_access::warn_if_open("the key file", &key::file(&config));
    let listener = listen(config.listen)?;
    let connections = match &config.database {
        Target::Sqlite(path) => {
            data_dir.keep_private(path).map_err(Failure::failed)?;
            config.workers + SPARE_READERS
        }
        Target::Postgres(_) => POSTGRES_CONNECTIONS,
    };
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    let db = Db::open_with(&config.database, connections, Options::of_server()).map_err(Failure::failed)?;
    key::require_all(&config, &db, there.as_ref())?;
    let keys = keys(&config, there).map_err(Failure::failed)?;
    let more = match &throw_away {
        Some(_) => demo::fill(&db, self::keys(&config, None).map_err(Failure::failed)?, Clock::System.now())?,
        None => Vec::new(),
    };
    let socket = control::bind(&data_dir, &lock).map_err(|error| {
        let path = data_dir.path().display();
        Failure::Failed(format!("cannot make the control socket in the data directory {path}: {error}. Its path must be short, and its file system must allow sockets."))
    })?;
    if config.public_url.is_none() {
        let address = listener.local_addr().map_err(Failure::failed)?;
        config.public_url = Some(PublicUrl::of_listener(address).map_err(Failure::Failed)?);
    }
    let own_keys = Ok(Arc::new(self::keys(&config, None).map_err(Failure::failed)?));
    let issuer = Issuer::of(&config);
    let executor = Executor { db: db.clone(), clock: Clock::System, keys: own_keys, issuer };
    let commands = control::listen(socket, executor);
    let opened = Opened { config, db, keys, clock: Clock::System, listener };
    let ended = server::run(opened, commands, |lines| {
        for line in lines.iter().chain(&more) {
            // Whoever closed standard output does not want to know.
            let _ = say(line);
        }
    });
    control::unbind(&data_dir, &lock);
    ended.map_err(|error| Failure::Failed(format!("the server failed: {error}.")))
}

/// A command in the shell holds the directory for a moment only; another server holds it and listens.
fn lock(data_dir: &DataDir) -> Result<Lock, Failure> {
    let start = Instant::now();
    loop {
        if let Some(lock) = data_dir.try_lock().map_err(Failure::failed)? {
            return Ok(lock);
        }
        if control::is_listening(data_dir) || start.elapsed() > PATIENCE {
            let path = data_dir.path().display();
            return Err(Failure::Failed(format!(
                "the data directory {path} is in use: another tokenhouse serves from it. Stop that one, or set --data-dir (TOKENHOUSE_DATA_DIR) to another folder."
            )));
        }
        thread::sleep(PAUSE);
    }
}

/// The key file in use; `None` where it is missing and may be made, because nobody asked for it by its name.
fn keys_there(config: &Config) -> Result<Option<SealingKeys>, KeyError> {
    let path = key::file(config);
    let missing = config.secret_key_file.is_none() && matches!(path.try_exists(), Ok(false));
    if missing { Ok(None) } else { SealingKeys::load(&path).map(Some) }
}

/// Those, or new ones: made only once it is known that no others are missed, in whose way they would be.
fn keys(config: &Config, there: Option<SealingKeys>) -> Result<SealingKeys, KeyError> {
    there.map_or_else(|| SealingKeys::load_or_generate(&key::file(config), &mut randomness::system()), Ok)
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "another program listens there".to_owned(),
            _ => error.to_string(),
        };
        Failure::Failed(format!(
            "cannot listen on {address}: {why}. Set --listen (TOKENHOUSE_LISTEN) to a free address and port of this machine."
        ))
    })
}
