//! Moments: whole seconds of UTC. The clock itself is elsewhere; this only calculates.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

const LATEST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z, the end of what RFC 3339 can write
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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

    /// `21 Nov 2026, 14:05 UTC`
    pub fn for_people(self) -> String {
        let (at, mut text) = (self.utc(), String::with_capacity(22));
        if at.day() > 9 {
            text.push(digit(at.day() / 10));
        }
        text.push(digit(at.day() % 10));
        text.push(' ');
        text.push_str(MONTHS[usize::from(u8::from(at.month()) - 1)]);
        text.push(' ');
        push_year(&mut text, at.year());
        push_two(&mut text, ", ", at.hour());
        push_two(&mut text, ":", at.minute());
        text.push_str(" UTC");
        text
    }

    /// `2026-11-21T14:05:00Z` (RFC 3339)
    pub fn for_machines(self) -> String {
        let (at, mut text) = (self.utc(), String::with_capacity(20));
        push_year(&mut text, at.year());
        push_two(&mut text, "-", at.month().into());
        push_two(&mut text, "-", at.day());
        push_two(&mut text, "T", at.hour());
        push_two(&mut text, ":", at.minute());
        push_two(&mut text, ":", at.second());
        text.push('Z');
        text
    }

    /// Reads RFC 3339. What lies within a second counts as the end of it; what lies before 1970 counts as its beginning.
    pub fn from_rfc_3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let begun = i64::from(moment.nanosecond() > 0);
        Some(Self::from_unix(moment.unix_timestamp() + begun))
    }

    /// The distance to `now` in the largest fitting unit: `in 3 days`, `2 hours ago`, `just now`.
    pub fn relative_to(self, now: Timestamp) -> String {
        let seconds = self.0 - now.0;
        let distance = seconds.abs();
        // A token of 90 days still has 3 months a minute later.
        let nearest = |unit: i64| (distance + unit / 2) / unit;
        let (count, unit) = match distance {
            0..MINUTE => {
                return if seconds <= 0 { "just now".into() } else { "in less than a minute".into() };
            }
            MINUTE..HOUR => (distance / MINUTE, "minute"),
            HOUR..DAY => (distance / HOUR, "hour"),
            _ if distance < 60 * DAY => (nearest(DAY), "day"),
            _ if distance < 730 * DAY => (nearest(30 * DAY), "month"),
            _ => (nearest(365 * DAY), "year"),
        };
        let plural = if count == 1 { "" } else { "s" };
        if seconds < 0 { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
    }

    fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

// By hand: a page has a hundred moments, and what formats any pattern takes ten times as long.

fn push_year(text: &mut String, year: i32) {
    let year = u16::try_from(year).unwrap_or_default();
    for unit in [1_000, 100, 10, 1] {
        text.push(digit((year / unit % 10) as u8));
    }
}

fn push_two(text: &mut String, before: &str, number: u8) {
    text.push_str(before);
    text.push(digit(number / 10));
    text.push(digit(number % 10));
}

const fn digit(number: u8) -> char {
    (b'0' + number) as char
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    #[test]
    fn a_moment_is_written_for_people_and_for_machines() {
        assert_eq!(NOW.for_people(), "21 Nov 2026, 14:06 UTC");
        assert_eq!(NOW.for_machines(), "2026-11-21T14:06:40Z");
        let early = Timestamp::from_unix(0).plus(8 * DAY + HOUR + MINUTE + 1);
        assert_eq!(early.for_people(), "9 Jan 1970, 01:01 UTC");
        assert_eq!(early.for_machines(), "1970-01-09T01:01:01Z");
        assert_eq!(Timestamp::from_unix(LATEST).for_machines(), "9999-12-31T23:59:59Z");
    }

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
    fn the_distance_is_told_in_the_largest_fitting_unit() {
        for (seconds, words) in [
            (0, "just now"),
            (-59, "just now"),
            (30, "in less than a minute"),
            (-60, "1 minute ago"),
            (2 * HOUR, "in 2 hours"),
            (-DAY, "1 day ago"),
            (59 * DAY, "in 59 days"),
            (7 * DAY - 60, "in 7 days"),
            (90 * DAY, "in 3 months"),
            (90 * DAY - 60, "in 3 months"),
            (3650 * DAY, "in 10 years"),
        ] {
            assert_eq!(NOW.plus(seconds).relative_to(NOW), words);
        }
    }

    #[test]
    fn a_day_ends_one_second_before_the_next() {
        let end = Timestamp::end_of(NOW.date());
        assert_eq!(end.for_machines(), "2026-11-21T23:59:59Z");
        assert_eq!(end.plus(1).date(), NOW.date().next_day().unwrap());
    }
}
