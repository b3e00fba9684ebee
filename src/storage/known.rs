//! What is known of a token whose digest was shown: the one question behind every check.

use std::ops::Deref;
use std::sync::Arc;

use super::Connection;
use super::error::Result;
use super::index::Moment;
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

impl Known {
    /// Whether the first use of the secret must be noted: see `idempotency`.
    pub const fn first_use_pending(&self) -> bool {
        match self {
            Self::ApiToken(known) => known.first_use_pending,
            Self::RepositoryToken(known) => known.first_use_pending,
            Self::Service(_) => false,
        }
    }
}

/// Which token, and at which repository its right is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub kind: SecretKind,
    pub digest: Digest,
    pub at: Option<RepositoryName>,
}

/// What was found, with the question and the moment that it answers: cheap to clone, and one piece of memory.
#[derive(Debug, Clone)]
pub struct Answer(Arc<(Question, Option<Moment>, Known)>);

impl Answer {
    /// Without a moment it answers this one time, and is not kept.
    pub(super) fn new(question: Question, moment: Option<Moment>, known: Known) -> Self {
        Self(Arc::new((question, moment, known)))
    }

    pub(super) fn question(&self) -> &Question {
        &self.0.0
    }

    pub(super) fn moment(&self) -> Option<Moment> {
        self.0.1
    }
}

impl Deref for Answer {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0.2
    }
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
