//! The token of a repository that ends because somebody who holds it says so.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{KIND, NewToken, insert, lock, stored};
use crate::domain::event::{Action, NewEvent};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::storage::error::{Result, StorageError};
use crate::storage::held::Held;
use crate::storage::schema::repository_tokens;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, events, idempotency, reveals};

/// Ends the token at once. In the place of a current one comes a token that nobody has seen: a repository always has one.
pub fn revoke_held(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    keys: &SealingKeys,
    held: &Held,
) -> Result<bool> {
    let Some(before) = stored::find_by_digest(connection, &held.digest)? else { return Ok(false) };
    let (repository, now) = (before.repository, held.now);
    let Some(name) = lock(connection, repository)? else { return Ok(false) };
    let Some(known) = stored::find_by_digest(connection, &held.digest)? else { return Ok(false) };
    if held.is_past(known.ends_at) {
        return Ok(false);
    }
    let current =
        stored::current(connection, repository)?.ok_or_else(|| StorageError::corrupt("repositories", repository))?;
    diesel::update(repository_tokens::table.find(known.id))
        .set((
            repository_tokens::valid_until.eq(now.unix()),
            repository_tokens::sealed.eq(None::<Vec<u8>>),
            repository_tokens::key_id.eq(None::<String>),
        ))
        .execute(connection)?;
    idempotency::withdraw(connection, &held.digest)?;
    let mut detail = format!("{}; it was replaced before", held.detail());
    if known.id == current.id {
        let secret = Secret::generate(SecretKind::RepositoryToken, rng);
        let nonce = random_code(rng);
        let generation = current.generation + 1;
        insert(
            connection,
            rng,
            keys,
            &NewToken { repository, generation, secret: &secret, nonce: &nonce, by: "", now },
        )?;
        // Whoever asked to see the old token must not be shown it as the current one.
        reveals::withdraw(connection, repository)?;
        detail = format!("{}; another that nobody has seen is in its place", held.detail());
    }
    let event = NewEvent {
        actor: held.actor.clone(),
        action: Action::RepositoryTokenRevoked,
        subject_kind: KIND,
        subject_id: repository.to_string(),
        subject_name: name.to_string(),
        detail,
    };
    events::append(connection, &event, now, rng)?;
    Ok(true)
}
