//! How a database is opened for the first time in a process: its tables are brought up to date.

use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection as _};
use diesel::sql_query;
use diesel::sql_types::{Bool, Integer};

use super::Connection;
use super::connection::{Manager, Target, Use};
use super::job::Timeouts;
use super::migrations;

/// How often a connection to PostgreSQL is tried, and how often the log says so.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
const NOTICE_INTERVAL: Duration = Duration::from_secs(4);

/// Why the database could not be opened; each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "cannot open the SQLite database {path}: {cause}. Check that the data directory is writable and the disk is not full."
    )]
    Sqlite { path: String, cause: String },
    #[error(
        "cannot reach PostgreSQL: {0}. Check TOKENHOUSE_DATABASE_URL, and that the server runs and lets this user in."
    )]
    Postgres(String),
    #[error("{0}. Correct TOKENHOUSE_DATABASE_URL.")]
    PostgresUrl(String),
    #[error(
        "PostgreSQL is reached through a pooler in transaction mode, such as PgBouncer with pool_mode=transaction, which runs statements on connections of others. Set pool_mode=session for this database, or connect to PostgreSQL itself."
    )]
    Pooler,
    #[error(
        "this program holds SQLite {0}, which has known faults. Build it with SQLite 3.51.3 or later, as it comes by default."
    )]
    OldSqlite(String),
    #[error(transparent)]
    Migration(#[from] migrations::MigrationError),
    #[error("cannot start the database threads: {0}")]
    Threads(String),
}

/// How the database is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How long to try again while PostgreSQL cannot be reached.
    pub wait: Duration,
    /// Whether to warn of a connection to PostgreSQL that could use TLS and does not.
    pub warns_without_tls: bool,
    pub timeouts: Timeouts,
}

impl Options {
    /// For a server, which may be started before its database.
    pub fn of_server() -> Self {
        Self { wait: Duration::from_secs(30), warns_without_tls: true, ..Self::default() }
    }
}

/// Brings the tables up to date and returns how many migrations that took.
pub fn migrate(target: &Target) -> std::result::Result<usize, OpenError> {
    let manager = Manager(target.clone());
    let mut connection = connect(&manager, Duration::ZERO)?;
    check_server(&manager, &mut connection)?;
    Ok(migrations::run(&mut connection)?)
}

/// Makes the first connection. While PostgreSQL cannot be reached, says so every few seconds and tries again.
pub(super) fn connect(manager: &Manager, wait: Duration) -> std::result::Result<Connection, OpenError> {
    let start = Instant::now();
    let mut last_notice: Option<Instant> = None;
    loop {
        let error = match try_to_connect(manager) {
            Err(error @ OpenError::Postgres(_)) if start.elapsed() < wait => error,
            result => return result,
        };
        if last_notice.is_none_or(|last| last.elapsed() >= NOTICE_INTERVAL) {
            last_notice = Some(Instant::now());
            let left = wait.saturating_sub(start.elapsed()).as_secs();
            tracing::warn!("{error} Trying again for {left} seconds.");
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

fn try_to_connect(manager: &Manager) -> std::result::Result<Connection, OpenError> {
    let failed = |error: &dyn std::fmt::Display| cannot_open(&manager.0, error);
    let mut connection = manager.connect().map_err(|error| match error {
        r2d2::Error::ConnectionError(ConnectionError::InvalidConnectionUrl(sentence)) => {
            OpenError::PostgresUrl(sentence)
        }
        error => failed(&error),
    })?;
    connection.prepare_for(Use::Write).map_err(|error| failed(&error))?;
    match connection.outdated_sqlite().map_err(|error| failed(&error))? {
        Some(found) => Err(OpenError::OldSqlite(found)),
        None => Ok(connection),
    }
}

/// Refuses a PostgreSQL server that cannot serve: one behind a pooler in transaction mode, or one that is read-only.
pub(super) fn check_server(manager: &Manager, connection: &mut Connection) -> std::result::Result<(), OpenError> {
    if !manager.0.is_sqlite() {
        let mut second = try_to_connect(manager)?;
        let refused = |error: diesel::result::Error| cannot_open(&manager.0, &error);
        if is_pooled(connection, &mut second).map_err(refused)? {
            return Err(OpenError::Pooler);
        }
        manager.is_valid(connection).map_err(|error| cannot_open(&manager.0, &error))?;
    }
    Ok(())
}

/// Whether there is a pooler in transaction mode. It gives each statement the server process that is free at the moment:
/// our settings, locks and prepared statements would be those of others. Two connections, each used several times, show
/// it: one of them meets two processes, or both meet the same.
fn is_pooled(first: &mut Connection, second: &mut Connection) -> QueryResult<bool> {
    let pids = |connection: &mut Connection| -> QueryResult<Vec<i32>> {
        let Connection::Postgres(connection) = connection else { return Ok(Vec::new()) };
        // Not prepared, because the next process would not know the statement.
        let pid = "SELECT pg_backend_pid() AS pid";
        (0..3).map(|_| Ok(sql_query(pid).get_result::<Backend>(connection)?.pid)).collect()
    };
    let (of_first, of_second, again) = (pids(first)?, pids(second)?, pids(first)?);
    let is_one = |pids: &[i32]| pids.windows(2).all(|pair| pair[0] == pair[1]);
    Ok(!is_one(&of_first) || !is_one(&of_second) || again != of_first || of_first == of_second)
}

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Warns where the server offers TLS and the connection goes without it over a network.
pub(super) fn warn_without_tls(connection: &mut Connection) {
    let Connection::Postgres(connection) = connection else { return };
    let condition = sql::<Bool>(
        "current_setting('ssl')::boolean AND inet_server_addr() IS NOT NULL
         AND EXISTS (SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND NOT ssl)",
    );
    let advice = if cfg!(feature = "postgres-tls") {
        "Add sslmode=verify-full to TOKENHOUSE_DATABASE_URL."
    } else {
        "Use a build with --features postgres-tls, and add sslmode=verify-full to TOKENHOUSE_DATABASE_URL."
    };
    if matches!(diesel::select(condition).get_result(connection), Ok(true)) {
        tracing::warn!("the connection to PostgreSQL is not encrypted, though the server offers TLS. {advice}");
    }
}

pub(super) fn cannot_open(target: &Target, cause: &dyn std::fmt::Display) -> OpenError {
    match target {
        Target::Sqlite(path) => OpenError::Sqlite { path: path.display().to_string(), cause: cause.to_string() },
        Target::Postgres(_) => {
            let cause: Vec<_> = cause.to_string().split_whitespace().map(str::to_owned).collect();
            OpenError::Postgres(cause.join(" ").trim_end_matches('.').to_owned())
        }
    }
}
