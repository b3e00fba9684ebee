//! One connection type for both databases, its manager that picks by URL scheme, and what is set on each new connection.

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::r2d2::{self, CustomizeConnection, ManageConnection, R2D2Connection};
use diesel::sql_types::Text;

use super::error::Result;
use super::postgres_url::without_secrets;
pub use super::target::{Target, parameter};

/// Earlier ones may lose a commit in WAL mode.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// A connection to one of the two databases; queries are written once for both.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Opens connections for a pool. The derived `Connection::establish` is not used: it tries the databases in turn,
/// and SQLite takes any address for a file name.
#[derive(Debug, Clone)]
pub struct Manager(pub Target);

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = r2d2::Error;

    fn connect(&self) -> std::result::Result<AnyConnection, r2d2::Error> {
        match &self.0 {
            Target::Sqlite(path) => SqliteConnection::establish(&path.to_string_lossy()).map(AnyConnection::Sqlite),
            Target::Postgres(url) => PgConnection::establish(url).map(AnyConnection::Postgres).map_err(without_secrets),
        }
        .map_err(r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> std::result::Result<(), r2d2::Error> {
        match connection {
            AnyConnection::Sqlite(connection) => connection.ping().map_err(r2d2::Error::QueryError),
            AnyConnection::Postgres(connection) => require_writable(connection),
        }
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

diesel::define_sql_function! {
    fn current_setting(name: Text) -> Text;
}

/// Refuses a standby, and a server that was made read-only: what it says of a token may be out of date.
fn require_writable(connection: &mut PgConnection) -> std::result::Result<(), r2d2::Error> {
    let is_read_only: String = diesel::select(current_setting("transaction_read_only")).get_result(connection)?;
    if is_read_only == "off" {
        return Ok(());
    }
    let sentence = "the server is read-only: it is a standby, or default_transaction_read_only is on";
    Err(r2d2::Error::ConnectionError(ConnectionError::BadConnection(sentence.into())))
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Read,
    Write,
}

impl CustomizeConnection<AnyConnection, r2d2::Error> for Use {
    fn on_acquire(&self, connection: &mut AnyConnection) -> std::result::Result<(), r2d2::Error> {
        connection.prepare_for(*self).map_err(r2d2::Error::QueryError)
    }
}

impl AnyConnection {
    /// Sets the limits and guarantees that every connection must have.
    pub fn prepare_for(&mut self, purpose: Use) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => {
                // busy_timeout comes first: connections that open together would abort one another over journal_mode.
                connection.batch_execute(
                    "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
                     PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;
                     PRAGMA mmap_size=0; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864;",
                )?;
                if purpose == Use::Read {
                    connection.batch_execute("PRAGMA query_only=ON;")?;
                }
                Ok(())
            }
            Self::Postgres(connection) => connection.batch_execute(
                // A little longer than a client waits; a write sets its own.
                "SET TIME ZONE 'UTC'; SET statement_timeout='2500ms';
                 SET idle_in_transaction_session_timeout='10s'; SET client_min_messages='warning';",
            ),
        }
    }

    /// The version of SQLite, where it is older than [`OLDEST_SQLITE`].
    pub(super) fn outdated_sqlite(&mut self) -> QueryResult<Option<String>> {
        let Self::Sqlite(connection) = self else { return Ok(None) };
        let version: String = diesel::select(sql::<Text>("sqlite_version()")).get_result(connection)?;
        Ok((numbers(&version) < OLDEST_SQLITE).then_some(version))
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: a transaction that reads first and
    /// writes later fails as busy, however long it may wait.
    pub(super) fn begin_write(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE"),
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN"),
        }
    }

    /// The same on PostgreSQL, where no statement and no wait for a lock may take longer than `limit`.
    pub(super) fn begin_write_within(&mut self, limit: Duration) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => self.begin_write(),
            Self::Postgres(connection) => {
                let sql = format!("BEGIN; SET LOCAL statement_timeout={}", limit.as_millis());
                AnsiTransactionManager::begin_transaction_sql(connection, &sql)
            }
        }
    }

    /// How long SQLite waits for the lock of another process.
    pub(super) fn wait_for_lock(&mut self, limit: Duration) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(&format!("PRAGMA busy_timeout={}", limit.as_millis())),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Begins a transaction that only reads, and that sees one moment however many statements it has.
    pub(super) fn begin_read(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN DEFERRED"),
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            ),
        }
    }

    /// Commits, or tells that it could not. PostgreSQL answers COMMIT with success even where a statement failed before and
    /// all is undone; the SELECT fails then. That the transaction has ended, diesel hears from PostgreSQL.
    pub(super) fn commit(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => Transactions::commit_transaction(self),
            Self::Postgres(connection) => connection.batch_execute("SELECT 1; COMMIT"),
        }
    }

    pub(super) fn roll_back(&mut self) -> QueryResult<()> {
        Transactions::rollback_transaction(self)
    }

    /// Undoes the savepoints, and what happened in them, that a panic left open inside the transaction.
    pub(super) fn roll_back_to_the_transaction(&mut self) -> QueryResult<()> {
        while self.depth()? > 1 {
            self.roll_back()?;
        }
        Ok(())
    }

    fn depth(&mut self) -> QueryResult<u32> {
        let depth = Transactions::transaction_manager_status_mut(self).transaction_depth()?;
        Ok(depth.map_or(0, std::num::NonZeroU32::get))
    }

    /// Moves as much of the write-ahead log into the SQLite file as is possible without waiting for anybody.
    pub(super) fn checkpoint_passive(&mut self) -> Result<()> {
        if let Self::Sqlite(connection) = self {
            connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE);")?;
        }
        Ok(())
    }

    /// Moves what the write-ahead log holds into the SQLite file, so that the file alone is whole.
    pub fn checkpoint(&mut self) -> Result<()> {
        if let Self::Sqlite(connection) = self {
            connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
        Ok(())
    }
}

fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

type Transactions = <AnyConnection as diesel::Connection>::TransactionManager;

/// Runs the same diesel expression on the concrete connection: for what the joint one lacks, and for what runs often, since the
/// joint one writes the text of a statement anew at every run.
macro_rules! on_each {
    ($connection:expr, |$c:ident| $body:expr) => {
        match $connection {
            $crate::storage::Connection::Sqlite($c) => $body,
            $crate::storage::Connection::Postgres($c) => $body,
        }
    };
}
pub(super) use on_each;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_told_from_a_new_one() {
        for (version, new) in
            [("3.51.2", false), ("3.9.9", false), ("3.51.3", true), ("3.51.10", true), ("4.0", true), ("", false)]
        {
            assert_eq!(numbers(version) >= OLDEST_SQLITE, new, "{version}");
        }
    }
}
