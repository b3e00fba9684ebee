//! The notice that somebody who held a token revoked it: its owner must not have to look for that.

use crate::domain::id::ApiTokenId;
use crate::domain::timestamp::Timestamp;
use crate::storage::held::RevokedToken;
use crate::web::page::Moment;

/// A notice.
pub struct HeldRow {
    pub id: ApiTokenId,
    pub name: String,
    /// Whether it was a replaced secret alone, so that the token goes on working.
    pub replaced_only: bool,
    pub at: Moment,
    pub address: String,
}

impl HeldRow {
    pub fn new(token: RevokedToken, now: Timestamp) -> Self {
        Self {
            id: token.id,
            name: token.name,
            replaced_only: token.replaced_only,
            at: Moment::new(token.revocation.at, now),
            address: token.revocation.address,
        }
    }
}
