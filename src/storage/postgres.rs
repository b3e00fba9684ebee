//! Statements on PostgreSQL. They run on threads that may block, so that a database that hangs does not hang the portal;
//! both the connections and the threads are limited before a thread is taken.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::r2d2::{Pool, R2D2Connection as _};
use diesel::result::{DatabaseErrorKind, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Connection;
use super::breaker::Breaker;
use super::connection::Manager;
use super::error::{Result, StorageError};
use super::job::{Decision, Outcome, Timeouts, Waiter};
use super::threads::Threads;

/// How much later than the client the server gives up: the client's own timeout needs no text of an error to be known.
const SERVER_MARGIN: Duration = Duration::from_millis(300);
/// A client that goes away after this time did so because there was no answer.
const LONG: Duration = Duration::from_millis(500);

pub(super) struct Postgres {
    pool: Pool<Manager>,
    /// Connections in use.
    connections: Arc<Semaphore>,
    /// Those that writes may use, which wait for each other's locks. The others are left to checks.
    write_connections: Arc<Semaphore>,
    threads: Threads,
    breaker: Arc<Breaker>,
    timeouts: Timeouts,
}

/// A connection that is in use, until the job ends or its client has waited too long.
type Permits = Arc<Mutex<Vec<OwnedSemaphorePermit>>>;

impl Postgres {
    /// `pool` holds up to `MAX_THREADS` connections, of which `connections` are in use at a time.
    pub(super) fn new(pool: Pool<Manager>, connections: u32, timeouts: Timeouts) -> std::io::Result<Self> {
        let permits = |count: u32| Arc::new(Semaphore::new(count.max(1) as usize));
        Ok(Self {
            pool,
            connections: permits(connections),
            write_connections: permits(connections - connections / 4),
            threads: Threads::new()?,
            breaker: Arc::default(),
            timeouts,
        })
    }

    pub(super) async fn read<T, E>(
        &self,
        question: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let start = Instant::now();
        let deadline = start + self.timeouts.read;
        let permits = self.admit(&[&self.connections], start + self.timeouts.connection).await?;
        let read = |connection: &mut Connection, _: &Decision| Some(question(connection));
        let in_flight = InFlight { permits, breaker: Some(&self.breaker), start: Instant::now() };
        self.run(in_flight, deadline, deadline, read).await?.into_result(self.timeouts.read)
    }

    /// Runs `change` in one transaction.
    pub(super) async fn write<T, E>(
        &self,
        change: impl FnOnce(&mut Connection) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let start = Instant::now();
        let (deadline, last) = (start + self.timeouts.write, start + self.timeouts.outcome);
        let permits = self.admit(&[&self.write_connections, &self.connections], deadline).await?;
        let write = move |connection: &mut Connection, decision: &Decision| {
            let limit = deadline.saturating_duration_since(Instant::now()) + SERVER_MARGIN;
            if let Err(error) = connection.begin_write_within(limit) {
                return Some(Err(E::from(error.into())));
            }
            let result = match change(connection) {
                Ok(_) if !decision.begin_commit() => None,
                Ok(value) => Some(commit(connection).map(|()| value).map_err(E::from)),
                Err(error) => Some(Err(error)),
            };
            if !matches!(result, Some(Ok(_))) {
                // Where this fails too, the pool notices that the connection is broken.
                let _ = connection.roll_back();
            }
            result
        };
        // A write may wait for the lock of another one, which says nothing about PostgreSQL.
        let in_flight = InFlight { permits, breaker: None, start: Instant::now() };
        self.run(in_flight, deadline, last, write).await?.into_result(self.timeouts.write)
    }

    /// Waits until there is a free connection; fails at once while PostgreSQL does not answer.
    async fn admit(&self, semaphores: &[&Arc<Semaphore>], deadline: Instant) -> Result<Permits> {
        let unavailable = |text: &str| StorageError::Unavailable(text.into());
        self.breaker.admit().map_err(|_| unavailable("PostgreSQL does not answer"))?;
        let mut permits = Vec::with_capacity(semaphores.len());
        for semaphore in semaphores {
            match timeout_at(deadline, Arc::clone(semaphore).acquire_owned()).await {
                Ok(Ok(permit)) => permits.push(permit),
                _ => return Err(unavailable("all connections are in use")),
            }
        }
        Ok(Arc::new(Mutex::new(permits)))
    }

    /// Runs `work` on a thread, unless its client has gone by then. `None` where the client has gone meanwhile.
    async fn run<T, E>(
        &self,
        in_flight: InFlight<'_>,
        deadline: Instant,
        last: Instant,
        work: impl FnOnce(&mut Connection, &Decision) -> Option<std::result::Result<T, E>> + Send + 'static,
    ) -> Result<Outcome<std::result::Result<T, E>>>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (sender, decision, waiter) = Waiter::new();
        let (pool, breaker) = (self.pool.clone(), Arc::clone(&self.breaker));
        let in_use = Release(Arc::clone(&in_flight.permits));
        self.threads.run(move || {
            let _until_the_end = in_use;
            if decision.is_abandoned() {
                return;
            }
            let result = match pool.get_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) if decision.is_abandoned() => None,
                Ok(mut connection) => {
                    let result = work(&mut connection, &decision);
                    if connection.is_broken() {
                        breaker.failed()
                    } else {
                        breaker.answered()
                    }
                    result
                }
                Err(error) => {
                    breaker.failed();
                    Some(Err(E::from(error.into())))
                }
            };
            if let Some(result) = result {
                // A client that has gone does not listen.
                let _ = sender.send(result);
            }
        })?;
        let outcome = waiter.wait(deadline, last).await;
        if !matches!(outcome, Outcome::TimedOut | Outcome::Unknown) {
            in_flight.answered();
        }
        Ok(outcome)
    }
}

/// What a client waits for. Dropped without an answer after a while, because the client waited too long or has gone, it
/// gives the connection's place to others, for the thread may stay blocked for long.
struct InFlight<'a> {
    permits: Permits,
    /// Where a missing answer means that PostgreSQL does not answer.
    breaker: Option<&'a Breaker>,
    start: Instant,
}

impl InFlight<'_> {
    fn answered(mut self) {
        self.permits = Permits::default();
        self.breaker = None;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if self.start.elapsed() >= LONG {
            release(&self.permits);
            if let Some(breaker) = self.breaker {
                breaker.failed();
            }
        }
    }
}

/// Commits, and tells a commit that failed from one that may have succeeded.
fn commit(connection: &mut Connection) -> Result<()> {
    use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
    connection.commit().map_err(|error| match error {
        Error::DatabaseError(ClosedConnection | UnableToSendCommand, cause) => {
            StorageError::OutcomeUnknown(format!("the connection was lost during COMMIT: {}", cause.message().trim()))
        }
        error => error.into(),
    })
}

/// Gives the permits back at the end of the job, if they were not given back before.
struct Release(Permits);

impl Drop for Release {
    fn drop(&mut self) {
        release(&self.0);
    }
}

fn release(permits: &Permits) {
    permits.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
