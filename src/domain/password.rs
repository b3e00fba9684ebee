//! Passwords: what may be chosen. Hashing is the work of `auth`.

use std::fmt;

use zeroize::Zeroizing;

use super::Invalid;

/// Fewest bytes of a password.
pub const SHORTEST: usize = 12;
/// Most bytes of a password; more is refused before it is hashed.
pub const LONGEST: usize = 1024;

/// A password that was typed. No `Debug`, `Clone`, `Display` or `Serialize`; wiped on drop.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was typed at sign-in, right or wrong. Nothing is trimmed.
    pub fn typed(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Takes a password that is chosen anew: 12 to 1024 bytes, not one of the common ones, and not made of `context`
    /// (the username, the display name, the email). No composition rules.
    pub fn choose(text: Zeroizing<String>, context: &[&str]) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::new("Password is empty. Enter at least 12 characters."));
        }
        if text.len() < SHORTEST {
            return Err(Invalid::new("Password is too short. Enter at least 12 characters."));
        }
        if text.len() > LONGEST {
            return Err(Invalid::new("Password is too long. Enter at most 1024 bytes."));
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
}

/// zxcvbn's frequency lists hold the 30,000 commonest passwords; a guess among the first million also covers
/// their usual variations and patterns.
fn is_common(text: &str, context: &[&str]) -> bool {
    let mut context = context.to_vec();
    context.push("tokenhouse");
    zxcvbn::zxcvbn(text, &context).guesses() < 1_000_000
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
        Password::choose(Zeroizing::new(text.to_owned()), &["ada", "Ada Lovelace"]).map(|_| ()).map_err(|e| e.0)
    }

    #[test]
    fn length_is_counted_in_bytes_and_bounded_on_both_sides() {
        assert!(choose("kupfer-Wal-9").is_ok());
        assert!(choose("kupfer-Wal9").unwrap_err().contains("too short"));
        assert!(choose(&"kupfer Wal Ofen ".repeat(65)).unwrap_err().contains("too long"));
        assert!(choose("").unwrap_err().contains("empty"));
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
