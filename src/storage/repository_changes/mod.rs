//! How repositories, their tokens and their grants change. Each function is called inside one writing transaction, looks
//! once more whether whoever acts still may, locks the repository, checks its rule and appends its event.

mod access;
mod create;
mod describe;
mod held;
mod token;

use diesel::prelude::*;
use rand::CryptoRng;

use super::acting::{Acting, By, Ended};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::ids::insert_with_new_id;
use super::schema::{repositories, repository_tokens};
use super::sealing::SealingKeys;
use super::{Connection, nonces, policies, repository_tokens as stored};
use crate::domain::id::{RepositoryId, RepositoryTokenId};
use crate::domain::repository::{Description, RepositoryName};
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;

pub use held::revoke_held;
pub use token::{Renewal, Shown};

/// The kind of subject in events.
pub const KIND: &str = "repository";

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such repository")]
    NotFound,
    #[error("a repository of this name exists")]
    NameTaken,
    /// Somebody generated a new token first; `by` is empty where somebody who held it revoked the old one.
    #[error("{by} generated a new token at {}", .at.for_machines())]
    Overtaken { by: String, at: Timestamp, repository: RepositoryName },
    /// The form was used for something else before.
    #[error("the form was used before")]
    FormUsed,
    /// An actor gives access to oneself. It would outlive the loss of *Repository Management*.
    #[error("You cannot give access to yourself. With Repository Management you can read and write every repository.")]
    OwnGrant,
    /// The token cannot be shown, for the reason in this sentence.
    #[error("{0}")]
    NotShown(&'static str),
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// A validated wish for a repository.
#[derive(Debug, Clone)]
pub struct NewRepository {
    pub name: RepositoryName,
    pub description: Description,
}

/// Changes by somebody who acts.
#[derive(Debug, Clone)]
pub struct Change {
    pub acting: Acting,
}

/// What became of a form that makes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The token given is in force now.
    Now(RepositoryId),
    /// The same form was submitted before; the token given was not used.
    Before(RepositoryId),
}

impl Change {
    /// Begins, locks the repository and returns its name.
    fn begin(&self, connection: &mut Connection, id: RepositoryId) -> Result<RepositoryName, Refusal> {
        self.acting.begin(connection, &[])?;
        lock(connection, id)?.ok_or(Refusal::NotFound)
    }

    /// The same for a change that the repository's own token may make as well.
    fn begin_as_itself(&self, connection: &mut Connection, id: RepositoryId) -> Result<RepositoryName, Refusal> {
        let By::RepositoryToken(digest) = self.acting.by else { return self.begin(connection, id) };
        let name = lock(connection, id)?.ok_or(Refusal::NotFound)?;
        let known = stored::find_by_digest(connection, &digest)?;
        let now = self.acting.now;
        let good = known.filter(|own| own.repository == id && own.ends_at.is_none_or(|end| now < end));
        let own = good.ok_or(Ended::Token)?;
        if own.ends_at.is_some() {
            // Whoever holds a former token must not become the owner of the present one.
            let current = stored::current(connection, id)?.ok_or_else(|| StorageError::corrupt("repositories", id))?;
            return Err(Refusal::Overtaken { by: current.created_by, at: current.created_at, repository: name });
        }
        Ok(name)
    }

    /// Inserts the token `secret` as the current one of the repository: sealed as well, unless it shall be shown but once.
    fn insert_token(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        keys: &SealingKeys,
        (repository, generation): (RepositoryId, i64),
        secret: &Secret,
        nonce: &str,
    ) -> Result<(), Refusal> {
        let (by, now) = (self.acting.actor.name(), self.acting.now);
        // Two users may send the same form at once: neither sees what the other makes.
        insert(connection, rng, keys, &NewToken { repository, generation, secret, nonce, by, now })
            .map_err(|error| error.or_taken(Refusal::FormUsed))
    }

    /// The repository that the form with this nonce made or renewed the token of, and the generation it led to.
    fn made_before(&self, connection: &mut Connection, nonce: &str) -> Result<Option<(RepositoryId, i64)>, Refusal> {
        let row: Option<(RepositoryId, i64, String)> = repository_tokens::table
            .filter(repository_tokens::form_nonce.eq(nonces::number(nonce)))
            .select((repository_tokens::repository_id, repository_tokens::generation, repository_tokens::created_by))
            .get_result(connection)
            .optional()?;
        let Some((id, generation, by)) = row else { return Ok(None) };
        if by == self.acting.actor.name() { Ok(Some((id, generation))) } else { Err(Refusal::FormUsed) }
    }
}

/// A token about to become the current one of its repository.
struct NewToken<'a> {
    repository: RepositoryId,
    generation: i64,
    secret: &'a Secret,
    /// Of the form that asked for it.
    nonce: &'a str,
    /// Username of whoever made it; empty where it takes the place of one that somebody who held it revoked.
    by: &'a str,
    now: Timestamp,
}

fn insert(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    keys: &SealingKeys,
    token: &NewToken<'_>,
) -> Result<()> {
    let once = policies::current(connection)?.repository_tokens_shown_once;
    let bound_to = stored::bound_to(token.repository, token.generation);
    let sealed = (!once).then(|| keys.seal(token.secret.reveal(), &bound_to, rng));
    let (bytes, key_id) = sealed.map(|sealed| (sealed.bytes, sealed.key_id)).unzip();
    let digest = token.secret.digest();
    let row = (
        repository_tokens::repository_id.eq(token.repository),
        repository_tokens::generation.eq(token.generation),
        repository_tokens::digest.eq(digest.as_bytes().as_slice()),
        repository_tokens::hint.eq(token.secret.hint()),
        repository_tokens::sealed.eq(bytes),
        repository_tokens::key_id.eq(key_id),
        repository_tokens::created_at.eq(token.now.unix()),
        repository_tokens::created_by.eq(token.by),
        repository_tokens::form_nonce.eq(nonces::number(token.nonce)),
    );
    insert_with_new_id(
        || RepositoryTokenId::new(token.now, rng),
        |id| -> Result<usize> {
            Ok(on_each!(connection, |c| diesel::insert_into(repository_tokens::table)
                .values((repository_tokens::id.eq(id), row.clone()))
                .on_conflict(repository_tokens::id)
                .do_nothing()
                .execute(c))?)
        },
    )?;
    Ok(())
}

/// Holds off every other transaction that calls this for the same repository; its name, if it is there.
fn lock(connection: &mut Connection, id: RepositoryId) -> Result<Option<RepositoryName>> {
    let row = repositories::table.find(id);
    let hit = diesel::update(row).set(repositories::revision.eq(repositories::revision + 1)).execute(connection)?;
    if hit == 0 {
        return Ok(None);
    }
    let name: String = row.select(repositories::name).get_result(connection)?;
    RepositoryName::parse(&name).map(Some).map_err(|_| StorageError::corrupt("repositories", id))
}
