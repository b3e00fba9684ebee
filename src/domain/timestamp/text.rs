//! Moments as they are written. By hand: a page has a hundred of them, and what formats any pattern takes ten times as long.

use std::fmt;

use super::{DAY, HOUR, MINUTE, Timestamp};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// As long as the longest of them.
const LONGEST: usize = 22;

/// A moment in ASCII, with nothing in it that HTML would have to escape; it needs no memory beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn push(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
    }

    fn number(&mut self, number: i64) {
        if number > 9 {
            self.number(number / 10);
        }
        self.byte(digit(number % 10));
    }

    fn two(&mut self, before: &str, number: u8) {
        self.push(before);
        self.byte(digit(i64::from(number / 10)));
        self.byte(digit(i64::from(number % 10)));
    }
}

const fn digit(number: i64) -> u8 {
    b'0' + number as u8
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl Timestamp {
    /// `21 Nov 2026, 14:05 UTC`
    pub fn for_people(self) -> Text {
        let (at, mut text) = (self.utc(), Text::default());
        text.number(at.day().into());
        text.byte(b' ');
        text.push(MONTHS[usize::from(u8::from(at.month()) - 1)]);
        text.byte(b' ');
        text.number(at.year().into());
        text.two(", ", at.hour());
        text.two(":", at.minute());
        text.push(" UTC");
        text
    }

    /// `2026-11-21T14:05:00Z` (RFC 3339)
    pub fn for_machines(self) -> Text {
        let (at, mut text) = (self.utc(), Text::default());
        text.number(at.year().into());
        text.two("-", at.month().into());
        text.two("-", at.day());
        text.two("T", at.hour());
        text.two(":", at.minute());
        text.two(":", at.second());
        text.byte(b'Z');
        text
    }

    /// The distance to `now` in the largest fitting unit: `in 3 days`, `2 hours ago`, `just now`.
    pub fn relative_to(self, now: Timestamp) -> Text {
        let (seconds, mut text) = (self.since(now), Text::default());
        let distance = seconds.abs();
        // A token of 90 days still has 3 months a minute later.
        let nearest = |unit: i64| (distance + unit / 2) / unit;
        let (count, unit) = match distance {
            0..MINUTE => {
                text.push(if seconds <= 0 { "just now" } else { "in less than a minute" });
                return text;
            }
            MINUTE..HOUR => (distance / MINUTE, "minute"),
            HOUR..DAY => (distance / HOUR, "hour"),
            _ if distance < 60 * DAY => (nearest(DAY), "day"),
            _ if distance < 730 * DAY => (nearest(30 * DAY), "month"),
            _ => (nearest(365 * DAY), "year"),
        };
        text.push(if seconds < 0 { "" } else { "in " });
        text.number(count);
        text.byte(b' ');
        text.push(unit);
        text.push(if count == 1 { "" } else { "s" });
        text.push(if seconds < 0 { " ago" } else { "" });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::LATEST;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    #[test]
    fn a_moment_is_written_for_people_and_for_machines() {
        assert_eq!(NOW.for_people().as_str(), "21 Nov 2026, 14:06 UTC");
        assert_eq!(NOW.for_machines().as_str(), "2026-11-21T14:06:40Z");
        let early = Timestamp::from_unix(0).plus(8 * DAY + HOUR + MINUTE + 1);
        assert_eq!(early.for_people().as_str(), "9 Jan 1970, 01:01 UTC");
        assert_eq!(early.for_machines().as_str(), "1970-01-09T01:01:01Z");
        assert_eq!(Timestamp::from_unix(LATEST).for_machines().as_str(), "9999-12-31T23:59:59Z");
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
            assert_eq!(NOW.plus(seconds).relative_to(NOW).as_str(), words);
        }
    }

    #[test]
    fn the_longest_texts_are_whole() {
        let latest = Timestamp::from_unix(LATEST);
        assert_eq!(latest.for_people().as_str(), "31 Dec 9999, 23:59 UTC");
        assert_eq!(latest.relative_to(Timestamp::from_unix(0)).as_str(), "in 8035 years");
        assert_eq!(NOW.plus(59).relative_to(NOW).as_str(), "in less than a minute");
    }
}
