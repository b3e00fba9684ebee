//! Callers: addresses and user agents that used a token.

use super::id::ApiTokenId;
use super::timestamp::Timestamp;

/// Longest user agent that is kept, in characters; the rest is cut.
pub const LONGEST_USER_AGENT: usize = 200;
/// Most callers kept of a token.
pub const MOST_CALLERS: usize = 50;

/// One successful check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub token: ApiTokenId,
    pub at: Timestamp,
    pub address: String,
    pub user_agent: String,
}

/// What one caller did over the time asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub address: String,
    pub user_agent: String,
    pub first_used_at: Timestamp,
    pub last_used_at: Timestamp,
    pub uses: i64,
}

/// Cuts `text` to what is kept of a user agent, without control characters.
pub fn user_agent(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect()
}
