//! Moments: whole seconds of UTC. The clock itself is elsewhere; this only calculates.

mod text;

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

pub use text::Text;

const LATEST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z, the end of what RFC 3339 can write

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z, kept within the years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_unix(seconds: i64) -> Self {
        Self(if seconds < 0 {
            0
        } else if seconds > LATEST {
            LATEST
        } else {
            seconds
        })
    }

    pub const fn unix(self) -> i64 {
        self.0
    }

    pub const fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    pub const fn minus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` until this moment; negative if this one is the earlier.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }

    pub fn date(self) -> Date {
        self.utc().date()
    }

    /// Whole days since 1970-01-01.
    pub const fn day_number(self) -> i64 {
        self.0 / DAY
    }

    /// The last second of `date` in UTC.
    pub fn end_of(date: Date) -> Self {
        Self::from_unix(date.midnight().assume_utc().unix_timestamp() + DAY - 1)
    }

    /// Reads RFC 3339. What lies within a second counts as the end of it; what lies before 1970 counts as its beginning.
    pub fn from_rfc_3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let begun = i64::from(moment.nanosecond() > 0);
        Some(Self::from_unix(moment.unix_timestamp() + begun))
    }

    fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    #[test]
    fn a_moment_is_read_as_machines_write_it() {
        for (text, seconds) in [
            ("2026-11-21T14:06:40Z", 0),
            ("2026-11-21T15:06:40+01:00", 0),
            ("2026-11-21T14:06:39.001Z", 0),
            ("1969-12-31T23:59:59Z", -1_795_270_000),
        ] {
            assert_eq!(Timestamp::from_rfc_3339(text), Some(NOW.plus(seconds)), "{text}");
        }
        for text in ["", "2026-11-21", "2026-11-21T14:06:40", "2026-13-21T14:06:40Z", "1795270000", "now"] {
            assert_eq!(Timestamp::from_rfc_3339(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_ends_one_second_before_the_next() {
        let end = Timestamp::end_of(NOW.date());
        assert_eq!(end.for_machines().as_str(), "2026-11-21T23:59:59Z");
        assert_eq!(end.plus(1).date(), NOW.date().next_day().unwrap());
    }
}
