//! What can go wrong with a database, told apart by what the caller can do about it.

use std::sync::Arc;

use diesel::Connection as _;
use diesel::result::{DatabaseErrorKind, Error};

use super::Connection;

/// Result of everything in `storage`.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The database is busy, full or out of reach; the same request may succeed later.
    #[error("the database cannot be asked now: {0}")]
    Unavailable(String),
    /// A row that the program itself could not have written.
    #[error("corrupt row {id} in table {table}")]
    Corrupt { table: &'static str, id: String },
    /// The write was given up because its thread ended.
    #[error("the write was interrupted")]
    Interrupted,
    #[error("unexpected database error")]
    Unexpected(#[source] Arc<Error>),
}

impl StorageError {
    pub fn corrupt(table: &'static str, id: impl ToString) -> Self {
        Self::Corrupt { table, id: id.to_string() }
    }

    /// `refusal` where a unique constraint was broken: somebody was first, at the same moment. Nothing more can be asked in
    /// the transaction then.
    pub(super) fn or_taken<E: From<Self>>(self, refusal: E) -> E {
        match &self {
            Self::Unexpected(error)
                if matches!(**error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) =>
            {
                refusal
            }
            _ => self.into(),
        }
    }
}

/// What SQLite and PostgreSQL say when waiting is the cure; diesel gives no code for any of them.
const PASSING: [&str; 12] = [
    "database is locked",
    "database table is locked",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "canceling statement",
    "terminating connection",
    "the database system is",
    "could not serialize",
    "deadlock detected",
    "no connection to the server",
    "server closed the connection",
];

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let passing = matches!(
            error,
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure, _)
                | Error::BrokenTransactionManager
        ) || PASSING.iter().any(|words| text.contains(words));
        if passing { Self::Unavailable(text) } else { Self::Unexpected(Arc::new(error)) }
    }
}

impl From<diesel::r2d2::PoolError> for StorageError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether something was inserted; `false` if that would have broken a unique constraint. It happens in a savepoint,
/// because on PostgreSQL a broken constraint spoils all that surrounds it.
pub(super) fn insert_unless_taken(
    connection: &mut Connection,
    insert: impl FnOnce(&mut Connection) -> diesel::QueryResult<usize>,
) -> Result<bool> {
    match connection.transaction(insert) {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
