//! Services: systems that verify tokens, each with a token of its own.

use std::fmt;

use super::Invalid;
use super::id::ServiceId;
use super::timestamp::Timestamp;

/// `[a-z0-9]+([._-][a-z0-9]+)*`, at most 100 characters: it stands before the colon in Basic credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

impl ServiceName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let words_fit = text
            .split(['.', '_', '-'])
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        if text.len() > 100 || !words_fit {
            return Err(Invalid::new(
                "Name must be 1 to 100 lower-case letters a to z and digits, with single dots, underscores or hyphens between them.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service whose token was shown.
#[derive(Debug, Clone)]
pub struct KnownService {
    pub id: ServiceId,
    pub name: ServiceName,
    /// Of its present token.
    pub token_created_at: Timestamp,
}
