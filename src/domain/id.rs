//! Identifiers: UUIDv7 (RFC 9562, section 5.7), made by the application, one type for each thing.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::CryptoRng;
use uuid::Uuid;

use super::timestamp::Timestamp;

/// The text is not an identifier in its canonical form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

/// Bits of [`LAST`] that count within a second.
const COUNTER: u32 = 22;
/// The second of the last id, and its number within that second: ids of one process sort as they were made, though time is
/// told in whole seconds (RFC 9562, section 6.2, method 1).
static LAST: AtomicU64 = AtomicU64::new(0);

fn version_7(now: Timestamp, rng: &mut impl CryptoRng) -> Uuid {
    let second = now.unix().unsigned_abs();
    let next = |last: u64| if last >> COUNTER < second { second << COUNTER } else { last + 1 };
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))).unwrap_or_default();
    let number = next(last) & ((1 << COUNTER) - 1);
    // The counter lies where the milliseconds and the bits right after them are.
    let milliseconds = second * 1_000 + (number >> 12) % 1_000;
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    let bits = u16::try_from(number & 0xfff).unwrap_or_default().to_be_bytes();
    random[..2].copy_from_slice(&bits);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

/// Only the canonical spelling: an address has one form.
fn canonical(text: &str) -> Result<Uuid, NotAnId> {
    let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
    let mut buffer = Uuid::encode_buffer();
    if uuid.hyphenated().encode_lower(&mut buffer) == text { Ok(uuid) } else { Err(NotAnId) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub fn new(now: Timestamp, rng: &mut impl CryptoRng) -> Self {
                Self(version_7(now, rng))
            }

            /// No id of this second or a later one sorts before it, and every earlier one does.
            pub fn first_of(second: Timestamp) -> Self {
                let milliseconds = second.unix().unsigned_abs() * 1_000;
                Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                canonical(text).map(Self)
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
    /// One secret of a token.
    TokenSecretId
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

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let text = "019a9f3c-0000-7000-8000-000000000001";
        assert_eq!(text.parse::<UserId>().unwrap().to_string(), text);
        for other in [
            "",
            "1",
            "019A9F3C-0000-7000-8000-000000000001",
            "019a9f3c000070008000000000000001",
            "{019a9f3c-0000-7000-8000-000000000001}",
            "urn:uuid:019a9f3c-0000-7000-8000-000000000001",
        ] {
            assert_eq!(other.parse::<UserId>(), Err(NotAnId), "{other}");
        }
    }

    #[test]
    fn ids_sort_as_they_were_made_within_a_second_too() {
        let mut rng = rand::rngs::ChaCha12Rng::from_seed([7; 32]);
        let now = Timestamp::from_unix(1_795_270_000);
        let ids: Vec<String> = (0..10_000).map(|_| UserId::new(now, &mut rng).to_string()).collect();
        assert!(ids.is_sorted());
        assert!(UserId::first_of(now).to_string() <= ids[0]);
        assert!(ids[9_999] < UserId::first_of(now.plus(1)).to_string());
        assert!(ids[9_999] < UserId::new(now.plus(5), &mut rng).to_string());
    }
}
