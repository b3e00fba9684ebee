//! The one writer of the SQLite file: a thread that owns the only writing connection.
//! Writes that arrive together run in savepoints of one transaction and are answered after the commit they share,
//! so that each is durable and the disk is asked once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use diesel::Connection as _;
use diesel::r2d2::ManageConnection;
use tokio::time::Instant;

use super::Connection;
use super::connection::{Manager, Use};
use super::error::{self, Result, StorageError};
use super::index::Index;
use super::job::{Decision, Timeouts, Waiter};
use super::reserve::Reserve;

/// Writes that may wait; further ones are refused as unavailable.
const QUEUE: usize = 1024;
/// Writes that share a commit at most.
const BATCH: usize = 64;
/// How long SQLite waits for the lock of another process before the writer looks which clients still wait.
const LOCK_WAIT: Duration = Duration::from_millis(200);
/// How often the writer looks how much room the disk has.
const ROOM_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Learns whether the shared commit succeeded, and answers the one who asked.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Gets the connection inside the shared transaction, or why there is none. `None` where the client has given up.
type Work = Box<dyn FnOnce(Result<&mut Connection>) -> Option<Answer> + Send>;

/// What a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    /// Something that a check of a token looks at.
    Checks,
    Nothing,
}

struct Job {
    touches: Touches,
    decision: Decision,
    work: Work,
}

pub(super) struct Writer {
    jobs: SyncSender<Job>,
    timeouts: Timeouts,
}

/// What the thread works with.
struct Worker {
    connection: Connection,
    manager: Manager,
    index: Arc<Index>,
    reserve: Arc<Reserve>,
}

impl Writer {
    /// Takes over `connection`; `manager` opens another when it breaks. Ends when the `Writer` is dropped.
    pub(super) fn start(
        mut connection: Connection,
        manager: Manager,
        index: Arc<Index>,
        reserve: Arc<Reserve>,
        timeouts: Timeouts,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        connection.wait_for_lock(LOCK_WAIT).map_err(std::io::Error::other)?;
        let worker = Worker { connection, manager, index, reserve };
        thread::Builder::new().name("sqlite-writer".into()).spawn(move || worker.work(&queue))?;
        Ok(Self { jobs, timeouts })
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
        let start = Instant::now();
        let (sender, decision, waiter) = Waiter::new();
        let own = decision.clone();
        let work: Work = Box::new(move |connection| {
            let result = match connection {
                // What shares the commit cannot be undone alone: from here on the client waits for the result.
                Ok(_) if !own.begin_commit() => return None,
                Ok(connection) => in_savepoint(connection, change),
                Err(error) => Err(E::from(error)),
            };
            Some(Box::new(move |committed| {
                let result = match (result, committed) {
                    (Ok(value), Ok(())) => Ok(value),
                    (Ok(_), Err(error)) => Err(E::from(error)),
                    (Err(refusal), _) => Err(refusal),
                };
                // A client that has gone does not listen.
                let _ = sender.send(result);
            }))
        });
        self.jobs.try_send(Job { touches, decision, work }).map_err(|error| {
            E::from(match error {
                TrySendError::Full(_) => StorageError::Unavailable("too many writes are waiting".into()),
                TrySendError::Disconnected(_) => StorageError::Interrupted,
            })
        })?;
        let outcome = waiter.wait(start + self.timeouts.write, start + self.timeouts.outcome).await;
        outcome.into_result(self.timeouts.write)
    }
}

impl Worker {
    fn work(mut self, queue: &Receiver<Job>) {
        let mut last_check = Instant::now();
        loop {
            if last_check.elapsed() >= ROOM_CHECK_INTERVAL {
                self.reserve.check();
                last_check = Instant::now();
            }
            let mut jobs: Vec<Job> = match queue.recv_timeout(ROOM_CHECK_INTERVAL) {
                Ok(first) => std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect(),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let result = self.begin(&mut jobs).and_then(|()| self.commit_together(&mut jobs));
            let fault = error::take_fault();
            if matches!(fault, Some(StorageError::Disk { is_full: true, .. })) {
                self.reserve.give_up();
            }
            if self.reserve.is_disk_full() {
                self.reuse_log();
            }
            if let Err(error) = &result {
                tracing::error!(%error, "a write to the database failed");
                for job in jobs {
                    if let Some(answer) = (job.work)(Err(error.clone())) {
                        answer(Ok(()));
                    }
                }
            }
            if fault.is_some() || result.is_err() {
                self.reconnect();
            }
        }
    }

    /// Begins a transaction. Waits for the lock of another process as long as any client waits.
    fn begin(&mut self, jobs: &mut Vec<Job>) -> Result<()> {
        loop {
            jobs.retain(|job| !job.decision.is_abandoned());
            if jobs.is_empty() {
                return Ok(());
            }
            match self.connection.begin_write() {
                Err(error) if error::is_locked(&error) => {}
                other => return Ok(other?),
            }
        }
    }

    /// Runs `jobs` in the transaction that was begun, commits it and answers.
    fn commit_together(&mut self, jobs: &mut Vec<Job>) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let touches_checks = jobs.iter().any(|job| job.touches == Touches::Checks);
        let mut answers: Vec<Answer> = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            // After a fault of the disk SQLite has ended the transaction; what came next would be committed by itself.
            let connection = error::fault().map_or(Ok(&mut self.connection), Err);
            answers.extend((job.work)(connection));
        }
        // From before the commit until after it, and answered only then.
        let change = touches_checks.then(|| self.index.change());
        let committed = error::fault().map_or_else(|| Ok(self.connection.commit()?), Err);
        if committed.is_err() {
            let _ = self.connection.roll_back();
        }
        drop(change);
        for answer in answers {
            answer(committed.clone());
        }
        committed
    }

    /// Lets the next commit reuse the room of the write-ahead log, which would take all that was kept in reserve.
    fn reuse_log(&mut self) {
        // A later commit tries again, and what failed is no fault of a change.
        let _ = self.connection.checkpoint_passive();
        let _ = error::take_fault();
    }

    /// After an I/O error SQLite asks for a fresh connection.
    fn reconnect(&mut self) {
        if let Ok(mut fresh) = self.manager.connect()
            && fresh.prepare_for(Use::Write).is_ok()
            && fresh.wait_for_lock(LOCK_WAIT).is_ok()
        {
            self.connection = fresh;
        }
    }
}

/// A panic in `change` ends that change alone, not the writer.
fn in_savepoint<T, E: From<StorageError>>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    catch_unwind(AssertUnwindSafe(|| {
        let result = connection.transaction(|connection| change(connection).map_err(Refused::Change));
        // After a fault the savepoint is gone, and the error may tell of that instead.
        result.map_err(|error| error::fault().map_or_else(|| error.into_inner(), E::from))
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
