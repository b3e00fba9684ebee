//! The database as the rest of the program sees it: a closure is a transaction.

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;

use super::Connection;
use super::connection::{Manager, Target, Use};
use super::error::{Result, StorageError};
use super::index::Index;
use super::known::{self, Answer, Question};
use super::opening::{OpenError, cannot_open, connect_and_migrate};
use super::writer::{Touches, Writer};

/// How long a request waits for a connection before it is told that the database is unavailable.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a request waits for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// A handle that is cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

enum Inner {
    /// Reads run where they are asked for, on a connection of their own: they take microseconds and never wait for a
    /// writer, so handing them to another thread would cost more than they do.
    Sqlite { readers: Pool<Manager>, writer: Writer, index: Arc<Index> },
    /// Everything runs on threads that may block, so that a database that hangs does not hang the portal.
    Postgres { pool: Pool<Manager> },
}

impl Db {
    /// Opens the database, brings its tables up to date and makes the pool of `readers` connections.
    pub fn open(target: &Target, readers: u32) -> std::result::Result<Self, OpenError> {
        let manager = Manager(target.clone());
        let (first, _) = connect_and_migrate(&manager)?;
        let pool = |purpose: Use, size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(!target.is_sqlite())
                .connection_timeout(PATIENCE)
                .connection_customizer(Box::new(purpose))
                .build(manager.clone())
                .map_err(|error| cannot_open(target, &error))
        };
        Ok(Self(Arc::new(if target.is_sqlite() {
            let index = Arc::new(Index::default());
            let writer =
                Writer::start(first, manager.clone(), index.clone()).map_err(|e| OpenError::Threads(e.to_string()))?;
            Inner::Sqlite { readers: pool(Use::Read, readers)?, writer, index }
        } else {
            drop(first);
            Inner::Postgres { pool: pool(Use::Write, readers)? }
        })))
    }

    /// Runs `question` in one transaction that only reads: all that it sees is of one moment.
    pub async fn read<T, E>(
        &self,
        question: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.ask(|connection| {
            connection.begin_read().map_err(|error| E::from(error.into()))?;
            in_begun_transaction(connection, question)
        })
        .await
    }

    /// Runs a single statement that reads, without the cost of a transaction around it.
    pub async fn look_up<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.ask(question).await
    }

    /// What is known of a token now. On SQLite what earlier checks found holds until something is written.
    pub async fn known(&self, question: Question) -> Result<Option<Answer>> {
        match &*self.0 {
            Inner::Sqlite { readers, index, .. } => {
                let moment = index.moment();
                if let Some(answer) = moment.and_then(|moment| index.get(&question, moment)) {
                    return Ok(Some(answer));
                }
                let Some(known) = known::find(&mut *readers.get()?, &question)? else { return Ok(None) };
                let answer = Answer::new(question, moment, known);
                if moment.is_some() {
                    index.put(answer.clone());
                }
                Ok(Some(answer))
            }
            Inner::Postgres { pool } => {
                let find = move |connection: &mut Connection| -> Result<_> {
                    Ok(known::find(connection, &question)?.map(|known| Answer::new(question, None, known)))
                };
                on_blocking_thread(pool.clone(), find).await
            }
        }
    }

    /// Runs `change` in one transaction and returns once it is durable. An error undoes all of it.
    pub async fn write<T, E>(
        &self,
        change: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.change(Touches::Checks, change).await
    }

    /// The same for what no check of a token looks at: counts of uses, sessions, what waits to be shown once, events.
    pub async fn write_beside_checks<T, E>(
        &self,
        change: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.change(Touches::Nothing, change).await
    }

    async fn change<T, E>(
        &self,
        touches: Touches,
        change: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { writer, .. } => writer.run(touches, change).await,
            Inner::Postgres { pool } => {
                on_blocking_thread(pool.clone(), |connection| {
                    connection.begin_write().map_err(|error| E::from(error.into()))?;
                    in_begun_transaction(connection, change)
                })
                .await
            }
        }
    }

    /// Leaves the SQLite file whole without its write-ahead log; nothing to do on PostgreSQL.
    pub async fn checkpoint(&self) -> Result<()> {
        if let Inner::Sqlite { readers, .. } = &*self.0 {
            readers.get()?.checkpoint()?;
        }
        Ok(())
    }

    async fn ask<T, E>(
        &self,
        question: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { readers, .. } => {
                let mut connection = readers.get().map_err(|error| E::from(error.into()))?;
                question(&mut connection)
            }
            Inner::Postgres { pool } => on_blocking_thread(pool.clone(), question).await,
        }
    }
}

/// Ends the transaction that was begun. After a panic the connection goes away, and its transaction with it.
fn in_begun_transaction<T, E: From<StorageError>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let result = work(connection).and_then(|value| match connection.commit() {
        Ok(()) => Ok(value),
        Err(error) => Err(E::from(error.into())),
    });
    if result.is_err() {
        // Where this fails too, the pool notices that the connection is broken.
        let _ = connection.roll_back();
    }
    result
}

async fn on_blocking_thread<T, E>(
    pool: Pool<Manager>,
    work: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
) -> std::result::Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    within_patience(tokio::task::spawn_blocking(move || {
        let mut connection = pool.get().map_err(|error| E::from(error.into()))?;
        work(&mut connection)
    }))
    .await
}

/// Waits for an answer, but not for ever: a database that hangs must not hang whoever asks. What was given up may
/// still be done; whoever asks again finds out, by the form's nonce or by what stands there.
pub(super) async fn within_patience<T, E: From<StorageError>, X>(
    answer: impl Future<Output = std::result::Result<std::result::Result<T, E>, X>>,
) -> std::result::Result<T, E> {
    match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(E::from(StorageError::Interrupted)),
        Err(_) => Err(E::from(StorageError::Unavailable("no answer within 10 seconds".into()))),
    }
}
