//! Repositories: named things that tokens open.

use std::fmt;

use smol_str::SmolStr;

use super::Invalid;
use super::id::RepositoryId;
use super::name::{dotted, readable_or_empty};
use super::timestamp::Timestamp;

/// `[a-z0-9]+([._-][a-z0-9]+)*`, at most 100 characters, not `new`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(SmolStr);

impl RepositoryName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim() == "new" {
            return Err(Invalid::new("The name “new” is taken by the portal itself. Choose another name."));
        }
        dotted(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a repository is for: at most 300 characters, may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(String);

impl Description {
    pub const LONGEST: usize = 300;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        readable_or_empty("Description", text, Self::LONGEST).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone)]
pub struct Repository {
    pub id: RepositoryId,
    pub name: RepositoryName,
    pub description: String,
    pub created_at: Timestamp,
    /// With any token.
    pub last_used_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for text in ["payments", "a", "web-2", "a.b_c-d", &"a".repeat(100)] {
            assert!(RepositoryName::parse(text).is_ok(), "{text}");
        }
        for text in ["", "new", "Payments", "a--b", "-a", "a-", "a/b", "..", "a..b", "ä", &"a".repeat(101)] {
            assert!(RepositoryName::parse(text).is_err(), "{text}");
        }
    }
}
