//! Repository tokens: one for each repository, made with it and renewed by *Generate New*.

use super::api_token::LastUse;
use super::id::{RepositoryId, RepositoryTokenId};
use super::timestamp::Timestamp;

/// A repository's token as stored.
#[derive(Debug, Clone)]
pub struct RepositoryToken {
    pub id: RepositoryTokenId,
    pub repository: RepositoryId,
    /// 1 for the one that was made with the repository, then counted up.
    pub generation: i64,
    /// `thr_AbCdEf…`
    pub hint: String,
    pub created_at: Timestamp,
    /// Username of whoever made it; empty where it took the place of one that somebody who held it revoked.
    pub created_by: String,
    /// When it stops working; `None` for the current one.
    pub ends_at: Option<Timestamp>,
    pub last_use: Option<LastUse>,
    /// Whether it lies sealed in the database.
    pub sealed: bool,
}
