//! Roles: named sets of privileges.

use std::fmt;

use super::Invalid;
use super::id::RoleId;
use super::name::readable;
use super::privilege::Privileges;

/// Name of the built-in role that holds every privilege.
pub const ADMINISTRATOR: &str = "administrator";

#[derive(Debug, Clone)]
pub struct Role {
    pub id: RoleId,
    /// As typed in a shell: `repository-manager`.
    pub name: String,
    /// As shown on pages: "Repository Manager".
    pub title: String,
    pub privileges: Privileges,
    /// Comes with the program, and stays as it is.
    pub built_in: bool,
}

/// `[a-z0-9]+(-[a-z0-9]+)*`, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName(String);

impl RoleName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let word_fits =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if text.len() > 64 || !text.split('-').all(word_fits) {
            return Err(Invalid::new(
                "Name must be 1 to 64 lower-case letters a to z and digits, with single hyphens between them.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a role is called on pages: 1 to 100 characters, unique without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTitle(String);

impl RoleTitle {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        readable("Title", text, 100).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What it takes to make a role.
#[derive(Debug, Clone)]
pub struct NewRole {
    pub name: RoleName,
    pub title: RoleTitle,
    pub privileges: Privileges,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_words_with_hyphens_between_them() {
        for name in ["x", "repository-manager", " desk ", "2nd-line", &"a".repeat(64)] {
            assert_eq!(RoleName::parse(name).unwrap().as_str(), name.trim());
        }
        for name in ["", "-", "a-", "-a", "a--b", "A", "a b", "a_b", "a/b", "ä", "a\0", &"a".repeat(65)] {
            assert!(RoleName::parse(name).is_err(), "{name:?}");
        }
    }
}
