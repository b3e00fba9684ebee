//! Identifiers: positive 63-bit integers in the order of time, made by the application, one type for each thing. Their
//! text is decimal.
//!
//! From the highest bit on: 41 bits of milliseconds since `EPOCH`, which last until 2095; 12 bits that count; 10 bits
//! that are random for each process. The clock of the application has whole seconds, so ids within a second are
//! counted, and the count goes on in the bits of the milliseconds. Two processes give the same id only if their random
//! bits and their counts are equal; the insert is then tried again with another id.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::CryptoRng;

use super::timestamp::Timestamp;

/// The text or the number is not an identifier.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

/// 1 January 2026. Never changes.
const EPOCH: Timestamp = Timestamp::from_unix(1_767_225_600);
const NODE_BITS: u32 = 10;
const COUNTER_BITS: u32 = 12;
/// Bits that count ids within a second: those of the counter, and 10 of the milliseconds.
const COUNT_BITS: u32 = COUNTER_BITS + 10;
/// The last second that fits.
const MAX_SECOND: i64 = (i64::MAX >> (NODE_BITS + COUNTER_BITS)) / 1_000;
/// Counts up to here leave room for two million ids within the second.
const HALF: u64 = 1 << (COUNT_BITS - 1);

/// The second of the last id, and its count. The count goes on from second to second, so that a clock that is set back
/// repeats no id.
static LAST: AtomicU64 = AtomicU64::new(0);
static PROCESS: OnceLock<Process> = OnceLock::new();

/// What tells the ids of this process from those that others make at the same time.
struct Process {
    node: u64,
    first_count: u64,
}

impl Process {
    fn new(rng: &mut impl CryptoRng) -> Self {
        let bits = rng.next_u64();
        Self { node: bits & ((1 << NODE_BITS) - 1), first_count: (bits >> NODE_BITS) % (HALF / 2) }
    }
}

fn next(now: Timestamp, rng: &mut impl CryptoRng) -> i64 {
    let process = PROCESS.get_or_init(|| Process::new(rng));
    let second = second(now).unsigned_abs();
    let next = |last: u64| {
        let (last_second, count) = (last >> COUNT_BITS, last & ((1 << COUNT_BITS) - 1));
        match count {
            _ if second <= last_second => last + 1,
            1..HALF => (second << COUNT_BITS) | (count + 1),
            _ => (second << COUNT_BITS) | (process.first_count + 1),
        }
    };
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))).unwrap_or_default();
    let count = next(last) & ((1 << COUNT_BITS) - 1);
    let milliseconds = second * 1_000 + (count >> COUNTER_BITS) % 1_000;
    let counter = count & ((1 << COUNTER_BITS) - 1);
    let bits = (((milliseconds << COUNTER_BITS) | counter) << NODE_BITS) | process.node;
    i64::try_from(bits).unwrap_or(i64::MAX)
}

fn second(moment: Timestamp) -> i64 {
    moment.since(EPOCH).clamp(0, MAX_SECOND)
}

/// One text for each id: decimal digits without a leading zero.
fn parse(text: &str) -> Result<i64, NotAnId> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| canonical).ok_or(NotAnId)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            pub fn new(now: Timestamp, rng: &mut impl CryptoRng) -> Self {
                Self(next(now, rng))
            }

            /// No id of this second or a later one sorts before it, and every earlier one does.
            pub fn first_of(moment: Timestamp) -> Self {
                Self((second(moment) * 1_000) << (COUNTER_BITS + NODE_BITS))
            }

            pub const fn number(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = NotAnId;
            fn try_from(number: i64) -> Result<Self, NotAnId> {
                if number > 0 { Ok(Self(number)) } else { Err(NotAnId) }
            }
        }
    )*};
}

ids! {
    /// A user.
    UserId
    /// A role.
    RoleId
    /// A repository.
    RepositoryId
    /// An API token; stays the same when the token is rotated.
    ApiTokenId
    /// One token of a repository: a renewed one is another.
    RepositoryTokenId
    /// A service; stays the same when its token is rotated.
    ServiceId
    /// A session of a signed-in user.
    SessionId
    /// A line of the audit log.
    EventId
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    fn ids(now: Timestamp, count: usize) -> Vec<UserId> {
        let mut rng = rand::rngs::ChaCha12Rng::from_seed([7; 32]);
        (0..count).map(|_| UserId::new(now, &mut rng)).collect()
    }

    #[test]
    fn id_from_text_accepts_decimal_without_leading_zero_only() {
        for text in ["1", "9223372036854775807"] {
            assert_eq!(text.parse::<UserId>().unwrap().to_string(), text);
        }
        let too_large = "9223372036854775808";
        for other in ["", "0", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1", "١", "a", too_large, "00000000-0000-7000"] {
            assert_eq!(other.parse::<UserId>(), Err(NotAnId), "{other}");
        }
        assert_eq!((UserId::try_from(0), UserId::try_from(-1)), (Err(NotAnId), Err(NotAnId)));
    }

    #[test]
    fn ids_of_one_second_are_sorted_as_made() {
        let ids = ids(NOW, 10_000);
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(UserId::first_of(NOW) <= ids[0] && ids[9_999] < UserId::first_of(NOW.plus(1)));
        assert!(ids[9_999] < self::ids(NOW.plus(5), 1)[0]);
    }

    #[test]
    fn ids_after_the_clock_is_set_back_are_not_repeated() {
        let before = ids(NOW, 1_000);
        ids(NOW.plus(1_000), 10);
        let after = ids(NOW, 1_000);
        assert!(after.iter().all(|id| !before.contains(id)));
        assert!(after[999] < UserId::first_of(NOW.plus(1)));
    }

    #[test]
    fn ids_outside_the_years_that_fit_are_valid() {
        for now in [i64::MIN / 2, -1, 0, 1_767_225_599, i64::MAX / 2] {
            let id = ids(Timestamp::from_unix(now), 1)[0];
            assert_eq!(id.to_string().parse(), Ok(id), "{now}");
        }
    }
}
