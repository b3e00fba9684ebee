//! What is known of a token whose digest was shown: the one question behind every check.

use super::Connection;
use super::error::Result;
use super::repository_tokens::{self, KnownRepositoryToken};
use super::services;
use super::token_secrets::{KnownApiToken, find_api_token};
use crate::domain::repository::RepositoryName;
use crate::domain::secret::{Digest, SecretKind};
use crate::domain::service::KnownService;

/// A token with all that its judgement needs, as stored.
#[derive(Debug, Clone)]
pub enum Known {
    ApiToken(KnownApiToken),
    RepositoryToken(KnownRepositoryToken),
    Service(KnownService),
}

/// Which token, and at which repository its right is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub kind: SecretKind,
    pub digest: Digest,
    pub at: Option<RepositoryName>,
}

/// Asks the database, in one statement.
pub(super) fn find(connection: &mut Connection, question: &Question) -> Result<Option<Known>> {
    let digest = &question.digest;
    Ok(match question.kind {
        SecretKind::ApiToken => find_api_token(connection, digest, question.at.as_ref())?.map(Known::ApiToken),
        SecretKind::RepositoryToken => {
            repository_tokens::find_by_digest(connection, digest)?.map(Known::RepositoryToken)
        }
        SecretKind::ServiceToken => services::find_by_digest(connection, digest)?.map(Known::Service),
    })
}
