//! Users: people with an account.

use std::fmt;

use super::Invalid;
use super::id::UserId;
use super::name::{is_invisible, readable};
use super::privilege::{Privilege, Privileges};
use super::text::nfc_within;
use super::timestamp::Timestamp;

/// `[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?`; may be typed in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = text.trim().to_lowercase();
        let bytes = name.as_bytes();
        let ends_well = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let fits = (1..=64).contains(&bytes.len())
            && ends_well(bytes.first())
            && ends_well(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(b));
        if fits {
            Ok(Self(name))
        } else {
            Err(Invalid::new(
                "Username must be 1 to 64 letters a to z, digits, dots, underscores or hyphens, and begin and end with a letter or digit.",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a user is addressed on pages: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        readable("Display name", text, 100).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address to write to; checked only so far that a slip is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// In characters after NFC.
    const MAX_LEN: usize = 254;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("Email is empty. Enter an address, such as name@example.org."));
        }
        let invalid = || Invalid::new("Email must look like name@example.org.");
        let text = nfc_within(text, Self::MAX_LEN).ok_or_else(invalid)?;
        let fits = !text.chars().any(|c| is_invisible(c) || c.is_whitespace())
            && text
                .split_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if fits { Ok(Self(text)) } else { Err(invalid()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user as stored.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub display_name: String,
    pub email: String,
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub privileges: Privileges,
    /// Titles of the roles, in alphabetical order.
    pub roles: Vec<String>,
}

impl User {
    pub fn holds(&self, privilege: Privilege) -> bool {
        self.privileges.contains(privilege)
    }
}

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
    /// Has not set a password yet, or has to set another.
    Invited,
}

impl Status {
    pub const fn of(disabled: bool, has_password: bool) -> Self {
        match (disabled, has_password) {
            (true, _) => Self::Disabled,
            (false, true) => Self::Active,
            (false, false) => Self::Invited,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Disabled => "Disabled",
            Self::Invited => "Invited",
        }
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Invited => "invited",
        }
    }
}

/// What it takes to make a user.
#[derive(Debug)]
pub struct NewUser {
    pub username: Username,
    pub display_name: DisplayName,
    pub email: Option<Email>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_may_be_typed_in_any_case() {
        assert_eq!(Username::parse(" Ada.Lovelace ").unwrap().as_str(), "ada.lovelace");
        assert_eq!(Username::parse("x").unwrap().as_str(), "x");
        assert!(Username::parse(&"a".repeat(64)).is_ok());
    }

    #[test]
    fn other_usernames_are_refused() {
        for text in ["", ".a", "a.", "-a", "a b", "a@b", "ä", "a/b", "a:b", &"a".repeat(65)] {
            assert!(Username::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_email_needs_two_sides() {
        assert!(Email::parse("ada@example.org").is_ok());
        for text in ["", "ada", "a\u{202e}b@c", "@example.org", "ada@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(Email::parse(text.trim_end_matches('x')).is_err() || text == "a@b\n", "{text}");
        }
    }
}
