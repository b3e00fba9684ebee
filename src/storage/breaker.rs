//! A circuit breaker: while PostgreSQL does not answer, requests fail at once instead of waiting for it one by one.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Requests in succession that got no answer before the breaker opens.
const MAX_FAILURES: u32 = 3;
/// Failures within so short a time count once: several slow statements of one moment are no outage.
const FAILURE_INTERVAL: Duration = Duration::from_millis(300);
/// The first pause between two trials; it doubles with each that fails.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(8);

/// A request that is refused because the breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open;

#[derive(Debug)]
pub(super) struct Breaker {
    epoch: Instant,
    /// Failures since the last answer. Zero is the usual state, and all that a request looks at then.
    failures: AtomicU32,
    /// The millisecond, since `epoch`, from which on a failure counts.
    next_failure: AtomicU64,
    /// The millisecond, since `epoch`, at which the next trial may begin.
    next_trial: AtomicU64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            failures: AtomicU32::new(0),
            next_failure: AtomicU64::new(0),
            next_trial: AtomicU64::new(0),
        }
    }
}

impl Breaker {
    /// Lets a request through; while the breaker is open, one trial after each pause.
    pub(super) fn admit(&self) -> Result<(), Open> {
        let failures = self.failures.load(Ordering::Relaxed);
        if failures < MAX_FAILURES { Ok(()) } else { self.admit_trial(failures, self.epoch.elapsed()) }
    }

    fn admit_trial(&self, failures: u32, now: Duration) -> Result<(), Open> {
        let due = self.next_trial.load(Ordering::Relaxed);
        let pause = MIN_PAUSE.saturating_mul(1 << (failures - MAX_FAILURES).min(8)).min(MAX_PAUSE);
        let next = milliseconds(now.saturating_add(pause));
        let is_first = || self.next_trial.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if milliseconds(now) >= due && is_first() { Ok(()) } else { Err(Open) }
    }

    /// PostgreSQL answered, whatever it said.
    pub(super) fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 && self.failures.swap(0, Ordering::Relaxed) >= MAX_FAILURES {
            tracing::info!("PostgreSQL answers again");
        }
    }

    /// PostgreSQL did not answer in time, or could not be reached.
    pub(super) fn failed(&self) {
        self.failed_at(self.epoch.elapsed());
    }

    fn failed_at(&self, now: Duration) {
        let next = milliseconds(now.saturating_add(FAILURE_INTERVAL));
        let counts = |from| (milliseconds(now) >= from).then_some(next);
        if self.next_failure.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counts).is_err() {
            return;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures == MAX_FAILURES {
            let next = now.saturating_add(MIN_PAUSE);
            self.next_trial.store(milliseconds(next), Ordering::Relaxed);
            tracing::error!("PostgreSQL does not answer; requests are answered 503 at once until it does");
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaker_after_three_failures_admits_one_trial_per_pause() {
        let breaker = Breaker::default();
        for number in 0..MAX_FAILURES {
            assert_eq!(breaker.admit(), Ok(()));
            breaker.failed_at(FAILURE_INTERVAL * number);
        }
        let due = Duration::from_millis(breaker.next_trial.load(Ordering::Relaxed));
        assert_eq!(breaker.admit_trial(MAX_FAILURES, due - Duration::from_millis(1)), Err(Open));
        assert_eq!(breaker.admit_trial(MAX_FAILURES, due), Ok(()));
        assert_eq!(breaker.admit_trial(MAX_FAILURES, due), Err(Open), "only one trial at a time");
        assert_eq!(breaker.admit_trial(MAX_FAILURES + 1, due + MIN_PAUSE), Ok(()));
        assert_eq!(breaker.admit_trial(MAX_FAILURES + 1, due + 2 * MIN_PAUSE), Err(Open), "the pause has doubled");
    }

    #[test]
    fn breaker_after_many_failures_of_one_moment_stays_closed() {
        let breaker = Breaker::default();
        for millisecond in 0..100 {
            breaker.failed_at(Duration::from_millis(millisecond));
        }
        assert_eq!(breaker.admit(), Ok(()));
    }

    #[test]
    fn breaker_after_an_answer_admits_every_request() {
        let breaker = Breaker::default();
        for number in 0..MAX_FAILURES {
            breaker.failed_at(FAILURE_INTERVAL * number);
        }
        breaker.answered();
        assert_eq!((breaker.admit(), breaker.admit()), (Ok(()), Ok(())));
    }
}
