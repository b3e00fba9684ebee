//! The expiry of an API token: what may be chosen and which moment it means.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration};

use super::Invalid;
use super::policy::Policy;
use super::timestamp::{DAY, Timestamp};

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const LONGEST_YEARS: i32 = 10;
/// Where no expiry is no longer allowed, a rotated token that had none gets this many days.
const FALLBACK_DAYS: u32 = 365;

/// The lifetimes offered, in days.
pub const PRESETS: [u32; 5] = [7, 30, 60, 90, 365];
pub const DEFAULT_PRESET: u32 = 90;

/// A wish for an end, before the policy was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// One of [`PRESETS`]: N times 24 hours from now.
    Preset(u32),
    /// The end of that day in UTC.
    On(Date),
    Never,
}

impl Expiry {
    /// The moment this means now, or the sentence that says why it may not be. `None` is no expiry.
    pub fn resolve(self, now: Timestamp, policy: &Policy) -> Result<Option<Timestamp>, Invalid> {
        match self {
            Self::Preset(days) if offers_preset(days, policy) => Ok(Some(now.plus(i64::from(days) * DAY))),
            Self::Preset(days) => Err(Invalid::new(format!(
                "{days} days is longer than the policy allows. Choose at most {} days.",
                policy.max_lifetime_days.unwrap_or_default()
            ))),
            Self::Never if policy.offers_no_expiry() => Ok(None),
            Self::Never => Err(Invalid::new("The policy asks for an expiry date. Choose one.")),
            Self::On(date) if date < earliest(now) => {
                Err(Invalid::new(format!("The expiry date must be {} or later.", iso(earliest(now)))))
            }
            Self::On(date) if date > latest(now, policy) => {
                Err(Invalid::new(format!("The expiry date must be {} or earlier.", iso(latest(now, policy)))))
            }
            Self::On(date) => Ok(Some(Timestamp::end_of(date))),
        }
    }
}

pub fn offers_preset(days: u32, policy: &Policy) -> bool {
    PRESETS.contains(&days) && policy.max_lifetime_days.is_none_or(|most| days <= most)
}

/// The end of a token that lived for `lifetime` seconds and starts anew: the same length, counted from now, within today's policy.
pub fn renewed(lifetime: Option<i64>, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let most = policy.max_lifetime_days.map(|days| i64::from(days) * DAY);
    let lifetime = match lifetime {
        Some(seconds) => Some(most.map_or(seconds, |most| seconds.min(most))),
        None if policy.offers_no_expiry() => None,
        None => Some(most.unwrap_or(i64::from(FALLBACK_DAYS) * DAY)),
    };
    lifetime.map(|seconds| now.plus(seconds))
}

/// The first date that may be chosen: tomorrow.
pub fn earliest(now: Timestamp) -> Date {
    now.date().saturating_add(Duration::DAY)
}

/// The last date that may be chosen: ten years away, or the policy's maximum.
pub fn latest(now: Timestamp, policy: &Policy) -> Date {
    let today = now.date();
    let in_ten_years = today.replace_year(today.year() + LONGEST_YEARS).unwrap_or_else(|_| {
        // 29 February has no counterpart in ten years' time.
        today.saturating_sub(Duration::DAY).replace_year(today.year() + LONGEST_YEARS).unwrap_or(Date::MAX)
    });
    match policy.max_lifetime_days {
        Some(days) => in_ten_years.min(today.saturating_add(Duration::days(days.into()))),
        None => in_ten_years,
    }
}

/// Reads `YYYY-MM-DD`, and nothing else.
pub fn parse_date(text: &str) -> Result<Date, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::new("Enter the date on which the token expires."));
    }
    (text.len() == 10)
        .then(|| Date::parse(text, DATE).ok())
        .flatten()
        .ok_or_else(|| Invalid::new("The expiry date must be a day of the calendar, written as YYYY-MM-DD."))
}

/// `YYYY-MM-DD`
pub fn iso(date: Date) -> String {
    date.format(DATE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000); // 2026-11-21T14:06:40Z

    fn on(text: &str) -> Result<Option<Timestamp>, Invalid> {
        parse_date(text).and_then(|date| Expiry::On(date).resolve(NOW, &Policy::default()))
    }

    #[test]
    fn a_preset_is_that_many_times_24_hours() {
        assert_eq!(Expiry::Preset(90).resolve(NOW, &Policy::default()), Ok(Some(NOW.plus(90 * DAY))));
        assert!(Expiry::Preset(8).resolve(NOW, &Policy::default()).is_err());
    }

    #[test]
    fn a_custom_date_means_the_end_of_that_day_in_utc() {
        assert_eq!(on("2026-11-22").unwrap().unwrap().for_machines().as_str(), "2026-11-22T23:59:59Z");
        assert!(on("2036-11-21").is_ok());
    }

    #[test]
    fn malformed_past_and_far_dates_are_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-20",
            "1999-01-01",
            "2036-11-22",
            "2026-02-30",
            "26-11-22",
            "22.11.2026",
            "2026-11-22T00:00",
            "+2026-1-22",
            "9999-99-99",
        ] {
            assert!(on(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_policy_shortens_what_is_offered() {
        let policy = Policy { max_lifetime_days: Some(30), ..Policy::default() };
        assert!(offers_preset(30, &policy) && !offers_preset(60, &policy));
        assert!(Expiry::Never.resolve(NOW, &policy).is_err());
        assert_eq!(iso(latest(NOW, &policy)), "2026-12-21");
        assert!(Expiry::Preset(90).resolve(NOW, &policy).is_err());
    }

    #[test]
    fn a_leap_day_has_a_latest_date_too() {
        let leap = Timestamp::end_of(parse_date("2028-02-29").unwrap());
        assert_eq!(iso(latest(leap, &Policy::default())), "2038-02-28");
    }

    #[test]
    fn a_rotation_keeps_the_lifetime_within_the_policy() {
        let strict = Policy { max_lifetime_days: Some(7), ..Policy::default() };
        let asks_for_an_end = Policy { no_expiry_allowed: false, ..Policy::default() };
        assert_eq!(renewed(Some(90 * DAY), NOW, &Policy::default()), Some(NOW.plus(90 * DAY)));
        assert_eq!(renewed(Some(90 * DAY), NOW, &strict), Some(NOW.plus(7 * DAY)));
        assert_eq!(renewed(None, NOW, &Policy::default()), None);
        assert_eq!(renewed(None, NOW, &strict), Some(NOW.plus(7 * DAY)));
        assert_eq!(renewed(None, NOW, &asks_for_an_end), Some(NOW.plus(365 * DAY)));
    }
}
