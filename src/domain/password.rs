//! Passwords: what may be chosen. Hashing is the work of `auth`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::Invalid;
use super::secret::{Digest, LOOKS_LIKE_TOKEN, contains_token};
use super::text::nfc_may_fit;

/// Fewest characters of a password after NFC.
const MIN_LEN: usize = 12;
/// Most characters of a new password after NFC.
const MAX_LEN: usize = 256;
/// Characters by which the strength is estimated: the work of `zxcvbn` grows with the square of their number and more.
const MAX_ESTIMATED_LEN: usize = 64;

/// A password that was typed. No `Debug`, `Clone`, `Display` or `Serialize`; wiped on drop.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was typed at sign-in, right or wrong. Nothing is trimmed.
    pub fn typed(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Takes a password that is chosen anew, in NFC: 12 to 256 characters, not one of the common ones, and not made of
    /// `context` (the username, the display name, the email). No composition rules. May take 0.3 s.
    pub fn choose(text: &str, context: &[&str]) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::new("Password is empty. Enter at least 12 characters."));
        }
        let Some(text) = zeroizing_nfc(text).filter(|text| text.chars().count() <= MAX_LEN) else {
            return Err(Invalid::new("Password is too long. Enter at most 256 characters."));
        };
        if text.chars().count() < MIN_LEN {
            return Err(Invalid::new("Password is too short. Enter at least 12 characters."));
        }
        if contains_token(&text) {
            return Err(Invalid::new(LOOKS_LIKE_TOKEN));
        }
        if is_common(&text, context) {
            return Err(Invalid::new(
                "Password is easy to guess: it is a common one, a pattern, or made of your name. Choose another, for example 4 unrelated words.",
            ));
        }
        Ok(Self(text))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is hashed. Text that is too long to be a password of ours stays as it is.
    pub fn nfc(&self) -> Zeroizing<String> {
        zeroizing_nfc(&self.0).unwrap_or_else(|| self.0.clone())
    }
}

/// Whether both are the same password, in whatever Unicode form each was typed.
pub fn is_same_password(one: &str, other: &str) -> bool {
    one == other || zeroizing_nfc(one).is_some_and(|one| zeroizing_nfc(other).is_some_and(|other| one == other))
}

/// `text` in NFC, without a copy that is not wiped; `None` if it is longer than any password.
fn zeroizing_nfc(text: &str) -> Option<Zeroizing<String>> {
    if !nfc_may_fit(text, MAX_LEN) {
        return None;
    }
    // NFC has at most three times the bytes, so that the text never moves in memory.
    let mut normalized = Zeroizing::new(String::with_capacity(3 * text.len()));
    normalized.extend(text.nfc());
    Some(normalized)
}

/// zxcvbn's frequency lists hold the 30,000 commonest passwords; a guess among the first million also covers
/// their usual variations and patterns.
fn is_common(text: &str, context: &[&str]) -> bool {
    let mut context = context.to_vec();
    context.push("tokenhouse");
    let end = text.char_indices().nth(MAX_ESTIMATED_LEN).map_or(text.len(), |(index, _)| index);
    zxcvbn::zxcvbn(&text[..end], &context).guesses() < 1_000_000
}

/// A stored hash in PHC form. Its `Debug` output tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub const fn from_phc(text: String) -> Self {
        Self(text)
    }

    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// What a browser keeps to show later that its user signed in while this hash was stored. It does not help to guess
    /// the password, because the hash has a random salt.
    pub fn device_binding(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(&format!("known device {}", self.0)).as_bytes())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<(), String> {
        Password::choose(text, &["ada", "Ada Lovelace"]).map(|_| ()).map_err(|e| e.0)
    }

    #[test]
    fn password_length_is_counted_in_characters_after_nfc() {
        assert!(choose("kupfer-Wal-9").is_ok());
        assert!(choose("kupfer-Wal9").unwrap_err().contains("too short"));
        assert!(choose("корова").unwrap_err().contains("too short"), "12 bytes, 6 characters");
        assert!(choose("зелёный кит девять").is_ok());
        assert!(choose("ke\u{301}ke\u{301}wumbo").unwrap_err().contains("too short"), "12 characters, 10 after NFC");
        let words = "kupfer Wal Ofen ".repeat(16);
        assert!(choose(&words).is_ok());
        assert!(choose(&"kupfer Wal O\u{308}fn ".repeat(16)).is_ok(), "272 characters, 256 after NFC");
        assert!(choose(&format!("{words}x")).unwrap_err().contains("too long"));
        assert!(choose(&words.repeat(200)).unwrap_err().contains("too long"));
        assert!(choose("").unwrap_err().contains("empty"));
    }

    #[test]
    fn chosen_password_is_kept_in_nfc() {
        let chosen = Password::choose("gru\u{308}ner Wal neun", &[]).unwrap();
        assert_eq!(chosen.reveal(), "grüner Wal neun");
        let typed = Password::typed(Zeroizing::new("gru\u{308}ner Wal neun".into()));
        assert_eq!((typed.reveal(), typed.nfc().as_str()), ("gru\u{308}ner Wal neun", "grüner Wal neun"));
    }

    #[test]
    fn strength_is_estimated_on_the_first_64_characters() {
        let padded = format!("{}{}", "a".repeat(64), "kupfer Wal neun Laterne");
        assert!(choose(&padded).unwrap_err().contains("easy to guess"));
    }

    #[test]
    fn device_binding_differs_for_each_hash() {
        let binding = |phc: &str| PasswordHash::from_phc(phc.into()).device_binding();
        assert_eq!(binding("$argon2id$x"), binding("$argon2id$x"));
        assert_ne!(binding("$argon2id$x"), binding("$argon2id$y"));
    }

    #[test]
    fn common_passwords_patterns_and_ones_own_name_are_refused() {
        for text in
            ["password1234", "123456789012", "qwertyuiopasdf", "adaadaadaada", "tokenhouse123", "aaaaaaaaaaaaaaaa"]
        {
            assert!(choose(text).is_err(), "{text}");
        }
        assert!(choose("correct horse battery staple").is_ok());
    }

    #[test]
    fn debug_output_of_a_hash_tells_nothing() {
        assert_eq!(format!("{:?}", PasswordHash::from_phc("$argon2id$x".into())), "PasswordHash(..)");
    }
}
