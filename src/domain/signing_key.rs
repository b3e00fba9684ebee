//! The public part of the keys that sign registry tokens.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Seconds for which a key is published after another took its place: far longer than any token signed with it lives.
pub const PUBLISHED_AFTERWARDS: i64 = super::timestamp::DAY;

/// Everything of a P-256 SubjectPublicKeyInfo (RFC 5480) that stands before the point.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A public key on the curve P-256: an uncompressed point (SEC 1, section 2.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// `None` if this is no uncompressed point, by its length and first byte.
    pub fn from_point(bytes: &[u8]) -> Option<Self> {
        let point: [u8; 65] = bytes.try_into().ok()?;
        (point[0] == 4).then_some(Self(point))
    }

    pub const fn point(&self) -> &[u8; 65] {
        &self.0
    }

    pub fn x(&self) -> &[u8] {
        &self.0[1..33]
    }

    pub fn y(&self) -> &[u8] {
        &self.0[33..]
    }

    /// The one id that the Distribution registry takes: the first 240 bits of the SHA-256 of the SubjectPublicKeyInfo, in
    /// Base32, in groups of four.
    pub fn id(&self) -> SigningKeyId {
        let digest = Sha256::new().chain_update(SPKI_HEAD).chain_update(self.0).finalize();
        let mut text = String::with_capacity(59);
        for (index, chunk) in digest[..30].chunks(5).enumerate() {
            let bits = chunk.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            for digit in 0..8 {
                if digit % 4 == 0 && (index, digit) != (0, 0) {
                    text.push(':');
                }
                text.push(char::from(BASE32[(bits >> (35 - 5 * digit) & 31) as usize]));
            }
        }
        SigningKeyId(text)
    }
}

/// Names a key in the header of a token, in the JWKS and in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyId(String);

impl SigningKeyId {
    /// Of a row that was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SigningKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a key is in its life. There is one that is next and one that is current; both, and former ones for a while, are
/// published: registries that know the next key before it signs need no notice of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    Next,
    Current,
    Former,
}

impl KeyState {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Former => "former",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn the_id_is_the_fingerprint_that_registries_expect() {
        // The key of RFC 7517, appendix A.1; its fingerprint as Python's hashlib and base64 make it.
        let decode = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let x = decode("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
        let y = decode("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        let key = PublicKey::from_point(&[&[4][..], &x, &y].concat()).unwrap();
        assert_eq!(key.id().as_str(), "KG4U:JTP2:KRGU:YMTT:VJV7:GUDC:LJ65:KO53:NJYX:EMTU:6U4L:DGRA");
        assert_eq!((key.x(), key.y()), (&x[..], &y[..]));
    }

    #[test]
    fn what_is_no_uncompressed_point_is_no_key() {
        assert!(PublicKey::from_point(&[4; 64]).is_none() && PublicKey::from_point(&[2; 65]).is_none());
    }
}
