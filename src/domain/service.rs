//! Services: systems that verify tokens, each with a token of its own.

use std::fmt;

use smol_str::SmolStr;

use super::Invalid;
use super::api_token::LastUse;
use super::id::ServiceId;
use super::name::dotted;
use super::timestamp::Timestamp;

/// `[a-z0-9]+([._-][a-z0-9]+)*`, at most 100 characters: it stands before the colon in Basic credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(SmolStr);

impl ServiceName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        dotted(text).map(Self)
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

/// A service as stored.
#[derive(Debug, Clone)]
pub struct Service {
    pub id: ServiceId,
    pub name: ServiceName,
    pub description: String,
    /// `ths_AbCdEf…`
    pub hint: String,
    /// 1 for the token that was made with the service, then counted up.
    pub generation: i64,
    pub created_at: Timestamp,
    /// Username of whoever made it.
    pub created_by: String,
    /// Of its present token.
    pub token_created_at: Timestamp,
    /// Username of whoever made its present token; empty where somebody who held the former one revoked it, so that nobody
    /// has seen the present one.
    pub token_created_by: String,
    pub last_use: Option<LastUse>,
}

impl Service {
    /// Whether its present token was put in the place of one that was revoked, and nobody has it.
    pub const fn is_cut_off(&self) -> bool {
        self.token_created_by.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for text in ["wiki", "a", "billing-2", "a.b_c-d", "new", &"a".repeat(100)] {
            assert!(ServiceName::parse(text).is_ok(), "{text}");
        }
        for text in ["", "Wiki", "a--b", "-a", "a-", "a:b", "a/b", "..", "ä", "a b", &"a".repeat(101)] {
            assert!(ServiceName::parse(text).is_err(), "{text}");
        }
    }
}
