//! Callers: addresses and user agents that used a token.

use super::id::{ApiTokenId, RepositoryId, RepositoryTokenId, ServiceId};
use super::secret::contains_secret;
use super::timestamp::Timestamp;

/// Longest user agent that is kept, in characters; the rest is cut.
pub const LONGEST_USER_AGENT: usize = 200;
/// Most callers kept of a token.
pub const MOST_CALLERS: usize = 50;

/// The token that a program used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsedToken {
    /// With the number of its secret.
    Api(ApiTokenId, i64),
    Repository {
        repository: RepositoryId,
        token: RepositoryTokenId,
    },
    Service(ServiceId),
}

impl UsedToken {
    /// The id under which its uses are kept: those of a repository's own tokens, one after the other, under the repository's.
    pub const fn counted_under(&self) -> i64 {
        match self {
            Self::Api(id, _) => id.number(),
            Self::Repository { repository, .. } => repository.number(),
            Self::Service(id) => id.number(),
        }
    }
}

/// What one caller did over the time asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub address: String,
    pub user_agent: String,
    pub first_used_at: Timestamp,
    pub last_used_at: Timestamp,
    pub uses: i64,
    /// Of the uses, those that wrote.
    pub writes: i64,
}

impl Caller {
    /// Adds what the same caller did besides.
    pub fn add(&mut self, other: &Self) {
        self.first_used_at = self.first_used_at.min(other.first_used_at);
        self.last_used_at = self.last_used_at.max(other.last_used_at);
        self.uses += other.uses;
        self.writes += other.writes;
    }
}

/// Cuts `text` to what is kept of a user agent, without control characters. Pages show it to others than its sender.
pub fn user_agent(text: &str) -> String {
    if contains_secret(text) {
        return "(a user agent with a token in it)".to_owned();
    }
    if text.len() <= LONGEST_USER_AGENT && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    text.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect()
}
