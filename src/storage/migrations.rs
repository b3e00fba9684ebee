//! The tables are brought up to date from migrations that lie in the binary.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Connection;

/// For SQLite.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// For PostgreSQL: the same names, tables and columns.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number will do, as long as every node takes the same.
const ADVISORY_LOCK: i64 = 0x746f_6b68;

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(
        "the database was created before the first release, with the migration {0}, and cannot be upgraded. Create a new database: use another data directory, or another database or schema of PostgreSQL."
    )]
    Older(String),
    #[error(
        "the database is newer than this program: it holds the migration {0}, which this version does not know. Start the version that made it, or a later one."
    )]
    Newer(String),
    #[error("cannot bring the database up to date: {0}")]
    Failed(String),
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Runs what is missing and returns how many migrations that were. Several nodes may call it at once.
pub fn run(connection: &mut Connection) -> Result<usize, MigrationError> {
    match connection {
        Connection::Sqlite(connection) => run_pending(connection, SQLITE),
        Connection::Postgres(connection) => {
            let failed = |error: diesel::result::Error| MigrationError::Failed(error.to_string());
            // Waiting for another node's migration may take longer than a statement otherwise may.
            connection
                .batch_execute(&format!(
                    "SET statement_timeout=0; SET lock_timeout=0; SELECT pg_advisory_lock({ADVISORY_LOCK});"
                ))
                .map_err(failed)?;
            let result = run_pending(connection, POSTGRES);
            connection.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK});")).map_err(failed)?;
            result
        }
    }
}

/// The name of the last migration that this program knows.
pub fn newest() -> String {
    let known: Result<Vec<Box<dyn Migration<Sqlite>>>, Cause> = SQLITE.migrations();
    known.into_iter().flatten().map(|migration| migration.name().to_string()).max().unwrap_or_default()
}

fn run_pending<B, C>(connection: &mut C, source: EmbeddedMigrations) -> Result<usize, MigrationError>
where
    B: diesel::backend::Backend,
    C: MigrationHarness<B>,
    EmbeddedMigrations: MigrationSource<B>,
{
    let failed = |cause: Cause| MigrationError::Failed(cause.to_string());
    let known: Vec<Box<dyn Migration<B>>> = source.migrations().map_err(failed)?;
    let known: BTreeSet<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied: Vec<MigrationVersion<'static>> = connection.applied_migrations().map_err(failed)?;
    let applied: BTreeSet<String> = applied.iter().map(ToString::to_string).collect();
    if let Some(unknown) = applied.difference(&known).next() {
        // Every database that a released version created has the first migration.
        let is_older = known.first().is_some_and(|first| !applied.contains(first));
        let error = if is_older { MigrationError::Older } else { MigrationError::Newer };
        return Err(error(unknown.clone()));
    }
    connection.run_pending_migrations(source).map(|run| run.len()).map_err(failed)
}
