//! The one writer of the SQLite file: a thread that owns the only writing connection.
//! Writes that arrive together run in savepoints of one transaction and are answered after the commit they share,
//! so that each is durable and the disk is asked once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use diesel::Connection as _;
use diesel::r2d2::ManageConnection;

use super::Connection;
use super::connection::{Manager, Use};
use super::db::within_patience;
use super::error::{Result, StorageError};
use super::index::Index;

/// Writes that may wait; further ones are refused as unavailable.
const QUEUE: usize = 1024;
/// Writes that share a commit at most.
const BATCH: usize = 64;

/// Learns whether the shared commit succeeded, and answers the one who asked.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Gets the connection inside the shared transaction, or why there is none.
type Work = Box<dyn FnOnce(Result<&mut Connection>) -> Answer + Send>;

/// What a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    /// Something that a check of a token looks at.
    Checks,
    Nothing,
}

struct Job {
    touches: Touches,
    work: Work,
}

pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    /// Takes over `connection`; `manager` opens another when it breaks. Ends when the `Writer` is dropped.
    pub(super) fn start(connection: Connection, manager: Manager, index: Arc<Index>) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(connection, &manager, &index, &queue))?;
        Ok(Self { jobs })
    }

    /// Runs `change` in a transaction and answers once that is committed.
    pub(super) async fn run<T, E>(
        &self,
        touches: Touches,
        change: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = connection.map_err(E::from).and_then(|connection| in_savepoint(connection, change));
            Box::new(move |committed| {
                let result = match (result, committed) {
                    (Ok(value), Ok(())) => Ok(value),
                    (Ok(_), Err(error)) => Err(E::from(error)),
                    (Err(refusal), _) => Err(refusal),
                };
                // Nobody listens when the request was given up meanwhile; the change stands all the same.
                let _ = sender.send(result);
            })
        });
        self.jobs.try_send(Job { touches, work }).map_err(|error| {
            E::from(match error {
                TrySendError::Full(_) => StorageError::Unavailable("too many writes are waiting".into()),
                TrySendError::Disconnected(_) => StorageError::Interrupted,
            })
        })?;
        within_patience(receiver).await
    }
}

fn work(mut connection: Connection, manager: &Manager, index: &Index, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let jobs: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect();
        if let Err(error) = commit_together(&mut connection, index, jobs) {
            tracing::error!(%error, "a write to the database failed");
            // After an I/O error SQLite asks for a fresh connection.
            if let Ok(mut fresh) = manager.connect()
                && fresh.prepare_for(Use::Write).is_ok()
            {
                connection = fresh;
            }
        }
    }
}

fn commit_together(connection: &mut Connection, index: &Index, jobs: Vec<Job>) -> Result<()> {
    if let Err(error) = connection.begin_write().map_err(StorageError::from) {
        for job in jobs {
            (job.work)(Err(error.clone()))(Ok(()));
        }
        return Err(error);
    }
    let touches_checks = jobs.iter().any(|job| job.touches == Touches::Checks);
    let answers: Vec<Answer> = jobs.into_iter().map(|job| (job.work)(Ok(connection))).collect();
    // From before the commit until after it, and answered only then.
    let change = touches_checks.then(|| index.change());
    let committed = connection.commit().map_err(StorageError::from);
    if committed.is_err() {
        let _ = connection.roll_back();
    }
    drop(change);
    for answer in answers {
        answer(committed.clone());
    }
    committed
}

/// A panic in `change` ends that change alone, not the writer.
fn in_savepoint<T, E: From<StorageError>>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    catch_unwind(AssertUnwindSafe(|| {
        connection.transaction(|connection| change(connection).map_err(Refused::Change)).map_err(Refused::into_inner)
    }))
    .unwrap_or_else(|_| {
        // Its savepoint is still open: what shares the commit must not end up inside it.
        Err(E::from(
            connection.roll_back_to_the_transaction().err().map_or(StorageError::Interrupted, StorageError::from),
        ))
    })
}

/// Lets `transaction` turn its own errors into something that any `E` can be made of.
enum Refused<E> {
    Change(E),
    Database(StorageError),
}

impl<E> From<diesel::result::Error> for Refused<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl<E: From<StorageError>> Refused<E> {
    fn into_inner(self) -> E {
        match self {
            Self::Change(error) => error,
            Self::Database(error) => error.into(),
        }
    }
}
