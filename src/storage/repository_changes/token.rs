//! The token of a repository: a new one in its place, and a look at it.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Made, Refusal, stored};
use crate::domain::event::Action;
use crate::domain::id::{RepositoryId, RepositoryTokenId};
use crate::domain::policy::Grace;
use crate::domain::secret::Secret;
use crate::storage::schema::repository_tokens;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, StorageError, policies, reveals};

/// A validated wish for a new token.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The token that the person saw as current.
    pub replaces: RepositoryTokenId,
    /// Of the form.
    pub nonce: String,
    /// How long the old token still works.
    pub grace: Grace,
}

/// What a look at the token led to.
pub enum Shown {
    Secret(Secret),
    /// It lies sealed and does not open; this is for the log.
    Unopened(String),
}

impl Change {
    /// Gives the repository a new token in the place of the current one.
    pub fn renew_token(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        keys: &SealingKeys,
        id: RepositoryId,
        renewal: &Renewal,
        secret: &Secret,
    ) -> Result<Made, Refusal> {
        let name = self.begin_as_itself(connection, id)?;
        match self.made_before(connection, &renewal.nonce)? {
            Some((made, _)) if made == id => return Ok(Made::Before(id)),
            Some(_) => return Err(Refusal::FormUsed),
            None => {}
        }
        let current = stored::current(connection, id)?.ok_or_else(|| StorageError::corrupt("repositories", id))?;
        if current.id != renewal.replaces {
            return Err(Refusal::Overtaken { by: current.created_by, at: current.created_at, repository: name });
        }
        let now = self.acting.now;
        let old_ends_at = now.plus(renewal.grace.seconds());
        let later = repository_tokens::valid_until.is_null().or(repository_tokens::valid_until.gt(old_ends_at.unix()));
        diesel::update(repository_tokens::table.filter(repository_tokens::repository_id.eq(id)).filter(later))
            .set((
                repository_tokens::valid_until.eq(old_ends_at.unix()),
                repository_tokens::sealed.eq(None::<Vec<u8>>),
                repository_tokens::key_id.eq(None::<String>),
            ))
            .execute(connection)?;
        self.insert_token(connection, rng, keys, (id, current.generation + 1), secret, &renewal.nonce)?;
        // Whoever asked to see the old token must not be shown it as the current one.
        reveals::withdraw(connection, id)?;
        let detail = match renewal.grace {
            Grace::AtOnce => "old token stopped working at once".to_owned(),
            _ => format!("old token works until {}", old_ends_at.for_people()),
        };
        let subject = (KIND, id.to_string(), name.as_str());
        self.acting.event(connection, rng, Action::RepositoryTokenRotated, subject, detail)?;
        Ok(Made::Now(id))
    }

    /// Looks at the current token, which is an event.
    pub fn show_token(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        keys: &SealingKeys,
        id: RepositoryId,
    ) -> Result<Shown, Refusal> {
        let name = self.begin(connection, id)?;
        if policies::current(connection)?.repository_tokens_shown_once {
            return Err(Refusal::NotShown("A policy of this portal lets repository tokens be shown only once."));
        }
        let current = stored::current(connection, id)?.ok_or_else(|| StorageError::corrupt("repositories", id))?;
        if !current.sealed {
            return Err(Refusal::NotShown("This token can no longer be shown. Generate a new one in its place."));
        }
        let Some(secret) = stored::open(connection, keys, &current)? else {
            return Ok(Shown::Unopened(format!("the sealed token {} of repository {name} does not open", current.id)));
        };
        let subject = (KIND, id.to_string(), name.as_str());
        self.acting.event(connection, rng, Action::RepositoryTokenRevealed, subject, current.hint)?;
        Ok(Shown::Secret(secret))
    }
}
