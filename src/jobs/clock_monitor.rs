//! Compares the system clock with the monotonic clock, so that a wrong clock never deletes anything for good.

use std::time::Duration;

use crate::domain::timestamp::{DAY, Timestamp};

/// Seconds by which the two clocks may differ between two readings: NTP slews and slow machines stay below.
const TOLERANCE: i64 = 60;
/// Seconds after a jump for which the clock must be steady until it is trusted again. A wrong clock is noticed and
/// corrected sooner; a corrected one (or a machine that was suspended) delays the pruning by a day, which harms nothing.
const SETTLE_TIME: i64 = DAY;

/// Seconds without anything stored that are plausible between two runs of the program.
const MAX_DOWNTIME: i64 = DAY;

/// Both clocks at the same moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Timestamp,
    /// Since any fixed moment of this process.
    monotonic: Duration,
}

/// What two consecutive readings say about the system clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// It moved as the monotonic clock did since the last trusted reading.
    Trusted,
    /// There is nothing to compare it with yet, or it jumped and is not trusted again yet.
    Untrusted,
    /// It jumped by so many seconds since the reading before.
    Jumped(i64),
}

/// Remembers the last trusted reading and, after a jump, the first reading of the changed clock.
#[derive(Debug, Default)]
pub struct ClockMonitor {
    /// The newest time that was stored before the start.
    newest_stored: Option<Timestamp>,
    trusted: Option<Reading>,
    jumped: Option<Reading>,
}

impl ClockMonitor {
    /// A clock that is far from `newest_stored` at the start is trusted only after a steady day, as after a jump.
    pub fn new(newest_stored: Option<Timestamp>) -> Self {
        Self { newest_stored, ..Self::default() }
    }

    /// Takes a reading: `wall` of the system clock, `monotonic` as the time since any fixed moment of this process.
    pub fn read(&mut self, wall: Timestamp, monotonic: Duration) -> ClockState {
        let now = Reading { wall, monotonic };
        let Some(trusted) = self.trusted else { return self.read_first(now) };
        if now.drift_since(trusted).abs() <= TOLERANCE {
            (self.trusted, self.jumped) = (Some(now), None);
            return ClockState::Trusted;
        }
        match self.jumped {
            Some(jumped) if now.drift_since(jumped).abs() <= TOLERANCE => {
                if now.seconds_since(jumped) < SETTLE_TIME {
                    return ClockState::Untrusted;
                }
                (self.trusted, self.jumped) = (Some(now), None);
                ClockState::Trusted
            }
            before => {
                self.jumped = Some(now);
                ClockState::Jumped(now.drift_since(before.unwrap_or(trusted)))
            }
        }
    }
}

impl ClockMonitor {
    fn read_first(&mut self, now: Reading) -> ClockState {
        let stored = self.newest_stored.map(|wall| Reading { wall, ..now });
        let is_far = |stored: &Reading| !(-TOLERANCE..=MAX_DOWNTIME).contains(&now.drift_since(*stored));
        if let Some(stored) = stored.filter(is_far) {
            (self.trusted, self.jumped) = (Some(stored), Some(now));
            return ClockState::Jumped(now.drift_since(stored));
        }
        self.trusted = Some(now);
        ClockState::Untrusted
    }
}

impl Reading {
    /// Seconds by which the system clock ran ahead of the monotonic clock since `earlier`.
    fn drift_since(self, earlier: Self) -> i64 {
        self.wall.since(earlier.wall).saturating_sub(self.seconds_since(earlier))
    }

    fn seconds_since(self, earlier: Self) -> i64 {
        i64::try_from(self.monotonic.saturating_sub(earlier.monotonic).as_secs()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_270_000;

    fn read(monitor: &mut ClockMonitor, wall: i64, monotonic: i64) -> ClockState {
        let monotonic = Duration::from_secs(monotonic.unsigned_abs());
        monitor.read(Timestamp::from_unix(START + wall), monotonic)
    }

    #[test]
    fn steady_clock_is_trusted_from_the_second_reading_on() {
        let mut monitor = ClockMonitor::default();
        assert_eq!(read(&mut monitor, 0, 0), ClockState::Untrusted);
        for minute in 1..200 {
            // A second a minute, as a clock that NTP slews.
            assert_eq!(read(&mut monitor, 61 * minute, 60 * minute), ClockState::Trusted);
        }
    }

    #[test]
    fn jump_in_either_direction_is_reported_once_and_trusted_again_when_it_is_undone() {
        for jump in [40 * DAY, -40 * DAY, 61, -61] {
            let mut monitor = ClockMonitor::default();
            read(&mut monitor, 0, 0);
            assert_eq!(read(&mut monitor, 60, 60), ClockState::Trusted);
            assert_eq!(read(&mut monitor, 120 + jump, 120), ClockState::Jumped(jump));
            assert_eq!(read(&mut monitor, 180 + jump, 180), ClockState::Untrusted);
            assert_eq!(read(&mut monitor, 240, 240), ClockState::Trusted);
        }
    }

    #[test]
    fn clock_far_from_the_newest_stored_time_at_the_start_is_trusted_after_a_steady_day() {
        for (stored, state) in [
            (0, ClockState::Untrusted),
            (-DAY, ClockState::Untrusted),
            (-40 * DAY, ClockState::Jumped(40 * DAY)),
            (61, ClockState::Jumped(-61)),
        ] {
            let mut monitor = ClockMonitor::new(Some(Timestamp::from_unix(START + stored)));
            assert_eq!(read(&mut monitor, 0, 0), state, "{stored}");
            let next = if state == ClockState::Untrusted { ClockState::Trusted } else { ClockState::Untrusted };
            assert_eq!(read(&mut monitor, 60, 60), next, "{stored}");
            assert_eq!(read(&mut monitor, DAY, DAY), ClockState::Trusted, "{stored}");
        }
    }

    #[test]
    fn changed_clock_is_trusted_after_a_steady_day() {
        let mut monitor = ClockMonitor::default();
        read(&mut monitor, 0, 0);
        assert_eq!(read(&mut monitor, 60 + DAY, 60), ClockState::Jumped(DAY));
        assert_eq!(read(&mut monitor, 59 + 2 * DAY, 59 + DAY), ClockState::Untrusted);
        // A second jump starts the day anew.
        assert_eq!(read(&mut monitor, 60 + 5 * DAY, 60 + DAY), ClockState::Jumped(3 * DAY));
        assert_eq!(read(&mut monitor, 61 + 5 * DAY, 61 + DAY), ClockState::Untrusted);
        assert_eq!(read(&mut monitor, 60 + 6 * DAY, 60 + 2 * DAY), ClockState::Trusted);
        assert_eq!(read(&mut monitor, 120 + 6 * DAY, 120 + 2 * DAY), ClockState::Trusted);
    }
}
