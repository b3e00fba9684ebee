//! Who decides whether a change is committed: the client that waits for it, or the thread that runs it.
//!
//! A client that has waited long enough, or has gone, abandons its job, and an abandoned job is never committed. Once the
//! commit has begun, the client waits for its result: no answer says "not done" about a change that is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::error::StorageError;

const RUNNING: u8 = 0;
const COMMITTING: u8 = 1;
const ABANDONED: u8 = 2;

/// How long a client waits. The default is what the portal promises; tests take other values.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection to PostgreSQL, when all are in use.
    pub connection: Duration,
    /// For a read on PostgreSQL, the wait for a connection included.
    pub read: Duration,
    /// For a write until its commit begins, all waiting included.
    pub write: Duration,
    /// For a write whose commit has begun. After that its outcome is unknown.
    pub outcome: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connection: Duration::from_millis(1_500),
            read: Duration::from_millis(2_200),
            write: Duration::from_secs(5),
            outcome: Duration::from_secs(10),
        }
    }
}

/// The decision, shared by both sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Decision(Arc<AtomicU8>);

impl Decision {
    /// Whether the client has given up or gone.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ABANDONED
    }

    /// Whether the job may be committed. From then on it cannot be abandoned.
    pub(super) fn begin_commit(&self) -> bool {
        self.0.compare_exchange(RUNNING, COMMITTING, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the job will certainly not be committed.
    fn abandon(&self) -> bool {
        self.0.compare_exchange(RUNNING, ABANDONED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// The side of the client. When it is dropped, the job is abandoned.
pub(super) struct Waiter<R> {
    decision: Decision,
    receiver: oneshot::Receiver<R>,
}

/// What became of a job.
pub(super) enum Outcome<R> {
    Finished(R),
    /// It took too long and will not be committed.
    TimedOut,
    /// Its thread ended, and it was not committed.
    Interrupted,
    /// The commit began and was not confirmed.
    Unknown,
}

impl<R> Waiter<R> {
    pub(super) fn new() -> (oneshot::Sender<R>, Decision, Self) {
        let (sender, receiver) = oneshot::channel();
        let decision = Decision::default();
        (sender, decision.clone(), Self { decision, receiver })
    }

    /// Waits until `deadline` for the commit to begin, and until `last` for its result.
    pub(super) async fn wait(mut self, deadline: Instant, last: Instant) -> Outcome<R> {
        match timeout_at(deadline, &mut self.receiver).await {
            Ok(Ok(result)) => return Outcome::Finished(result),
            Ok(Err(_)) if self.decision.abandon() => return Outcome::Interrupted,
            Err(_) if self.decision.abandon() => return Outcome::TimedOut,
            _ => {}
        }
        match timeout_at(last, &mut self.receiver).await {
            Ok(Ok(result)) => Outcome::Finished(result),
            _ => Outcome::Unknown,
        }
    }
}

impl<R> Drop for Waiter<R> {
    fn drop(&mut self) {
        self.decision.abandon();
    }
}

impl<T, E: From<StorageError>> Outcome<std::result::Result<T, E>> {
    /// The result, or the error that says what is known of the outcome.
    pub(super) fn into_result(self, waited: Duration) -> std::result::Result<T, E> {
        Err(E::from(match self {
            Self::Finished(result) => return result,
            Self::TimedOut => {
                let seconds = waited.as_secs_f32();
                StorageError::Unavailable(format!("not done within {seconds} seconds, and nothing was changed"))
            }
            Self::Interrupted => StorageError::Interrupted,
            Self::Unknown => StorageError::OutcomeUnknown("no answer to COMMIT".into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::from_secs(600);

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn waiter_past_its_deadline_abandons_a_job_that_still_runs() {
        let (_sender, decision, waiter) = Waiter::<()>::new();
        let outcome = block_on(async { waiter.wait(Instant::now(), Instant::now() + NEVER).await });
        assert!(matches!(outcome, Outcome::TimedOut));
        assert!(decision.is_abandoned() && !decision.begin_commit());
    }

    #[test]
    fn waiter_past_its_deadline_waits_for_a_commit_that_has_begun() {
        let (sender, decision, waiter) = Waiter::new();
        assert!(decision.begin_commit());
        let outcome = block_on(async {
            let wait = waiter.wait(Instant::now(), Instant::now() + NEVER);
            futures_util::future::join(wait, async { sender.send(7).unwrap() }).await.0
        });
        assert!(matches!(outcome, Outcome::Finished(7)));
    }

    #[test]
    fn waiter_of_a_commit_without_an_answer_says_unknown() {
        let (_sender, decision, waiter) = Waiter::<()>::new();
        assert!(decision.begin_commit());
        let outcome = block_on(async { waiter.wait(Instant::now(), Instant::now()).await });
        assert!(matches!(outcome, Outcome::Unknown));
    }

    #[test]
    fn waiter_that_is_dropped_abandons_its_job() {
        let (_sender, decision, waiter) = Waiter::<()>::new();
        drop(waiter);
        assert!(!decision.begin_commit());
    }
}
