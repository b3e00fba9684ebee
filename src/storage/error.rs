//! What can go wrong with a database, told apart by what the caller can do about it.

use std::cell::RefCell;
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
    /// The disk that holds the SQLite file is full, or cannot be read or written.
    #[error("the disk of the data directory {}: {cause}", if *.is_full { "is full" } else { "cannot be read or written" })]
    Disk { is_full: bool, cause: String },
    /// A commit that was not confirmed. It may have been done.
    #[error("whether the change was made is unknown: {0}")]
    OutcomeUnknown(String),
    /// The write was given up because its thread ended.
    #[error("the write was interrupted")]
    Interrupted,
    /// This credential has as many stored answers to requests with an `Idempotency-Key` as it can have.
    #[error("too many answers are stored; the first expires in {seconds} seconds")]
    TooManyAnswers { seconds: i64 },
    #[error("the database refused a statement: {0}")]
    Unexpected(Arc<Error>),
}

impl StorageError {
    pub fn corrupt(table: &'static str, id: impl ToString) -> Self {
        Self::Corrupt { table, id: id.to_string() }
    }

    /// An answer that cannot be written as JSON.
    pub fn serialization(error: serde_json::Error) -> Self {
        Error::SerializationError(Box::new(error)).into()
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

/// What an error is, as far as diesel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Waiting helps.
    Passing,
    /// SQLite waits for the lock of another process.
    Locked,
    DiskFull,
    Disk,
    Unexpected,
}

/// The kind of an error. diesel passes on SQLSTATE for a few kinds only and no code of SQLite at all. What is left is the
/// primary message: SQLite has one text for each code, and never translates it. PostgreSQL translates its own where
/// `lc_messages` says so; such a message counts as unexpected.
fn kind(error: &Error) -> Kind {
    use DatabaseErrorKind::{
        ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand, Unknown,
    };
    const TEXTS: [(Kind, &[&str]); 4] = [
        (Kind::Locked, &["database is locked", "database table is locked"]),
        (Kind::DiskFull, &["database or disk is full"]),
        (
            Kind::Disk,
            &[
                "disk I/O error",
                "unable to open database file",
                "attempt to write a readonly database",
                "database disk image is malformed",
                "malformed database schema",
                "file is not a database",
                "access permission denied",
            ],
        ),
        (
            Kind::Passing,
            &[
                "out of memory",
                "locking protocol",
                "canceling statement due to",
                "terminating connection due to",
                "deadlock detected",
                "could not extend file",
            ],
        ),
    ];
    match error {
        Error::DatabaseError(
            ClosedConnection | SerializationFailure | ReadOnlyTransaction | UnableToSendCommand,
            _,
        )
        | Error::BrokenTransactionManager => Kind::Passing,
        Error::DatabaseError(Unknown, information) => {
            let message = information.message().trim_start();
            let is_of = |texts: &&[&str]| texts.iter().any(|text| message.starts_with(text));
            TEXTS.iter().find(|(_, texts)| is_of(texts)).map_or(Kind::Unexpected, |(kind, _)| *kind)
        }
        Error::RollbackErrorOnCommit { commit_error, .. } => kind(commit_error),
        _ => Kind::Unexpected,
    }
}

thread_local! {
    /// The first error of this thread's connection after which SQLite may have undone the whole transaction by itself.
    static FAULT: RefCell<Option<StorageError>> = const { RefCell::new(None) };
}

/// The error since the last [`take_fault`] after which nothing of the transaction can be relied on.
pub(super) fn fault() -> Option<StorageError> {
    FAULT.with_borrow(Clone::clone)
}

pub(super) fn take_fault() -> Option<StorageError> {
    FAULT.take()
}

/// What is refused while the disk is full.
pub(super) fn disk_full() -> StorageError {
    StorageError::Disk { is_full: true, cause: "what is left is kept for revocations".into() }
}

/// Whether another process holds the lock of the SQLite file.
pub(super) fn is_locked(error: &Error) -> bool {
    kind(error) == Kind::Locked
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        let kind = kind(&error);
        let text = || error.to_string().trim().to_owned();
        let is_full = kind == Kind::DiskFull;
        match kind {
            Kind::Passing | Kind::Locked => Self::Unavailable(text()),
            Kind::Unexpected => Self::Unexpected(Arc::new(error)),
            Kind::DiskFull | Kind::Disk => {
                let error = Self::Disk { is_full, cause: text() };
                FAULT.with_borrow_mut(|fault| {
                    fault.get_or_insert_with(|| error.clone());
                });
                error
            }
        }
    }
}

impl From<diesel::r2d2::PoolError> for StorageError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What `insert` returned; `None` if it would have broken a unique constraint. It runs in a savepoint, because on PostgreSQL
/// a broken constraint ends the transaction.
pub(super) fn insert_unless_taken<T>(
    connection: &mut Connection,
    insert: impl FnOnce(&mut Connection) -> Result<T, InsertError>,
) -> Result<Option<T>> {
    match connection.transaction(insert) {
        Ok(inserted) => Ok(Some(inserted)),
        Err(InsertError::Diesel(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))) => Ok(None),
        Err(InsertError::Diesel(error)) => Err(error.into()),
        Err(InsertError::Storage(error)) => Err(error),
    }
}

/// Why a row was not inserted, with diesel's error as it was.
#[derive(Debug)]
pub(super) enum InsertError {
    Diesel(Error),
    Storage(StorageError),
}

impl From<Error> for InsertError {
    fn from(error: Error) -> Self {
        Self::Diesel(error)
    }
}

impl From<StorageError> for InsertError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}
