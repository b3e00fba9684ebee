//! How a database is opened for the first time in a process: its tables are brought up to date.

use diesel::r2d2::ManageConnection as _;

use super::Connection;
use super::connection::{Manager, Target, Use};
use super::migrations;

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
    #[error(
        "this program holds SQLite {0}, which has known faults. Build it with SQLite 3.51.3 or later, as it comes by default."
    )]
    OldSqlite(String),
    #[error(transparent)]
    Migration(#[from] migrations::MigrationError),
    #[error("cannot start the database threads: {0}")]
    Threads(String),
}

/// Brings the tables up to date and returns how many migrations that took.
pub fn migrate(target: &Target) -> std::result::Result<usize, OpenError> {
    connect_and_migrate(&Manager(target.clone())).map(|(_, run)| run)
}

pub(super) fn connect_and_migrate(manager: &Manager) -> std::result::Result<(Connection, usize), OpenError> {
    let failed = |error: &dyn std::fmt::Display| cannot_open(&manager.0, error);
    let mut connection = manager.connect().map_err(|error| failed(&error))?;
    connection.prepare_for(Use::Write).map_err(|error| failed(&error))?;
    if let Some(found) = connection.outdated_sqlite().map_err(|error| failed(&error))? {
        return Err(OpenError::OldSqlite(found));
    }
    let run = migrations::run(&mut connection)?;
    Ok((connection, run))
}

pub(super) fn cannot_open(target: &Target, cause: &dyn std::fmt::Display) -> OpenError {
    match target {
        Target::Sqlite(path) => OpenError::Sqlite { path: path.display().to_string(), cause: cause.to_string() },
        Target::Postgres(_) => OpenError::Postgres(cause.to_string().trim().replace('\n', " ")),
    }
}
