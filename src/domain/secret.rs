//! Token secrets: their form, their digest and the part that may be shown again.
//!
//! A secret is `thp_`, `thr_` or `ths_`, 32 base62 characters from the operating system (190 bits) and 6 base62 digits of
//! the CRC-32 over all before. 190 random bits leave nothing to guess offline, so a plain SHA-256 is kept and not a slow hash.

use std::fmt;

use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 32;
const CHECK: usize = 6;
const PREFIX: usize = 4;
const BODY: usize = PREFIX + RANDOM;
/// Length of every secret in characters, all of them ASCII.
pub const LENGTH: usize = BODY + CHECK;

/// What a secret opens, told by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    ApiToken,
    RepositoryToken,
    ServiceToken,
}

impl SecretKind {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiToken => "thp_",
            Self::RepositoryToken => "thr_",
            Self::ServiceToken => "ths_",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::ApiToken, Self::RepositoryToken, Self::ServiceToken]
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }
}

/// A token in clear. Has no `Debug`, `Display`, `Clone` or `Serialize`, so that it cannot slip out; wiped on drop.
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn generate(kind: SecretKind, rng: &mut impl CryptoRng) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(kind.prefix());
        push_base62(&mut text, RANDOM, rng);
        let check = check_digits(text.as_bytes());
        text.extend(check.iter().map(|&digit| char::from(digit)));
        Self(text)
    }

    /// Takes a secret that comes back from where it lay sealed; `None` if it is not well-formed.
    pub fn from_text(text: Zeroizing<String>) -> Option<Self> {
        recognise(&text).is_some().then_some(Self(text))
    }

    /// The only way to the text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// `thp_AbCdEf…`: what may be shown for ever.
    pub fn hint(&self) -> String {
        format!("{}…", &self.0[..PREFIX + 6])
    }
}

/// What kind of secret `text` is, or `None` if prefix, length, alphabet or checksum are wrong. Needs no database and no memory.
pub fn recognise(text: &str) -> Option<SecretKind> {
    let bytes = text.as_bytes();
    if bytes.len() != LENGTH || !bytes[PREFIX..].iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let kind = SecretKind::of(text)?;
    (check_digits(&bytes[..BODY])[..] == bytes[BODY..]).then_some(kind)
}

/// Whether an address holds something that looks like a secret, checksum or not: it must not be logged.
pub fn contains_secret(address: &str) -> bool {
    if !address.contains('%') {
        return holds_secret(address);
    }
    holds_secret(address) || holds_secret(&percent_encoding::percent_decode_str(address).decode_utf8_lossy())
}

/// What a person reads where a token was typed into a field that is not meant for one.
pub const LOOKS_LIKE_TOKEN: &str = "This looks like a token. Revoke it if others have seen it.";

/// Whether a typed text contains a well-formed token: prefix, length, alphabet and checksum. Other text that begins
/// like one may be typed.
pub fn contains_token(text: &str) -> bool {
    let found = |text: &str| {
        text.as_bytes().windows(LENGTH).any(|window| {
            window.starts_with(b"th") && std::str::from_utf8(window).is_ok_and(|part| recognise(part).is_some())
        })
    };
    found(text) || text.contains('%') && found(&percent_encoding::percent_decode_str(text).decode_utf8_lossy())
}

/// The text, or what stands for it where it holds a secret.
pub fn unless_secret<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if contains_secret(text) { instead } else { text }
}

fn holds_secret(text: &str) -> bool {
    text.as_bytes().windows(PREFIX + 20).filter(|window| window.starts_with(b"th")).any(|window| {
        std::str::from_utf8(window).is_ok_and(|start| SecretKind::of(start).is_some())
            && window[PREFIX..].iter().all(u8::is_ascii_alphanumeric)
    })
}

/// A random value for things that are no tokens, such as a form's nonce or the set-up code: 22 base62 characters, 131 bits.
pub fn random_code(rng: &mut impl CryptoRng) -> String {
    let mut text = String::with_capacity(22);
    push_base62(&mut text, 22, rng);
    text
}

fn push_base62(text: &mut String, count: usize, rng: &mut impl CryptoRng) {
    let target = text.len() + count;
    let mut pool = Zeroizing::new([0_u8; 64]);
    while text.len() < target {
        rng.fill_bytes(&mut pool[..]);
        // 248 is the largest multiple of 62 in a byte: what lies above would make some digits likelier.
        for &byte in pool.iter().filter(|&&byte| byte < 248) {
            if text.len() < target {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
}

fn check_digits(body: &[u8]) -> [u8; CHECK] {
    let mut rest = crc32fast::hash(body);
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// SHA-256 of a secret: what is stored and looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests;
