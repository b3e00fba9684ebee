//! The database as the rest of the program sees it: a closure is a transaction.

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;

use super::connection::{Manager, Target, Use};
use super::error::{self, Result, StorageError};
use super::index::Index;
use super::known::{self, Answer, Question};
use super::opening::{self, OpenError, Options, cannot_open};
use super::postgres::Postgres;
use super::reserve::Reserve;
use super::threads::MAX_THREADS;
use super::writer::{Touches, Writer};
use super::{Connection, migrations};

/// How long the first connections of a pool, and the readers of SQLite, may be waited for.
const POOL_TIMEOUT: Duration = Duration::from_secs(2);

/// A handle that is cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

enum Inner {
    /// Reads run where they are asked for, on a connection of their own: they take microseconds and never wait for a
    /// writer, so handing them to another thread would cost more than they do.
    Sqlite {
        readers: Pool<Manager>,
        writer: Writer,
        index: Arc<Index>,
        reserve: Arc<Reserve>,
    },
    Postgres(Postgres),
}

impl Db {
    /// Opens the database, brings its tables up to date and makes the pool of `readers` connections.
    pub fn open(target: &Target, readers: u32) -> std::result::Result<Self, OpenError> {
        Self::open_with(target, readers, Options::default())
    }

    /// The same, as `options` say.
    pub fn open_with(target: &Target, readers: u32, options: Options) -> std::result::Result<Self, OpenError> {
        let manager = Manager(target.clone());
        // Made before the database is touched: where the disk is full, that needs what the reserve gives up.
        let reserve = match target {
            Target::Sqlite(path) => Some(Arc::new(Reserve::open(path))),
            Target::Postgres(_) => None,
        };
        let mut first = opening::connect(&manager, options.wait)?;
        opening::check_server(&manager, &mut first)?;
        let threads = |error: std::io::Error| OpenError::Threads(error.to_string());
        let pool = |purpose: Use, size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(!target.is_sqlite())
                .connection_timeout(POOL_TIMEOUT)
                .connection_customizer(Box::new(purpose))
                .build(manager.clone())
                .map_err(|error| cannot_open(target, &error))
        };
        Ok(Self(Arc::new(if let Some(reserve) = reserve {
            migrations::run(&mut first)?;
            let index = Arc::new(Index::default());
            let writer = Writer::start(first, manager.clone(), index.clone(), reserve.clone(), options.timeouts)
                .map_err(threads)?;
            Inner::Sqlite { readers: pool(Use::Read, readers)?, writer, index, reserve }
        } else {
            if options.warns_without_tls {
                opening::warn_without_tls(&mut first);
            }
            migrations::run(&mut first)?;
            drop(first);
            let pool = pool(Use::Write, MAX_THREADS.max(readers))?;
            Inner::Postgres(Postgres::new(pool, readers, options.timeouts).map_err(threads)?)
        })))
    }

    /// Whether the disk of the SQLite file is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(&*self.0, Inner::Sqlite { reserve, .. } if reserve.is_disk_full())
    }

    /// Refuses what stores something new while the disk is full, so that the room that is left serves revocations.
    pub fn require_room(&self) -> Result<()> {
        if self.is_disk_full() { Err(error::disk_full()) } else { Ok(()) }
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
            Inner::Postgres(postgres) => {
                let find = move |connection: &mut Connection| -> Result<_> {
                    Ok(known::find(connection, &question)?.map(|known| Answer::new(question, None, known)))
                };
                postgres.read(find).await
            }
        }
    }

    /// Runs `change` in one transaction and returns once it is durable. An error undoes all of it, except that after
    /// [`StorageError::OutcomeUnknown`] it may have been done. When the future is dropped before the commit begins,
    /// nothing is done.
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
            Inner::Postgres(postgres) => postgres.write(change).await,
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
            Inner::Postgres(postgres) => postgres.read(question).await,
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
