//! The nonces of forms, as they are stored.

use crate::domain::secret::Digest;

/// 63 bits of the SHA-256 of a nonce: two nonces with the same number are as unlikely as two equal ids.
pub fn number(nonce: &str) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(nonce).as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX
}
