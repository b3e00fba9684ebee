//! The token of a service that ends because somebody who holds it says so.

use rand::CryptoRng;

use super::rotate::replace;
use super::{KIND, lock, stored};
use crate::domain::event::{Action, NewEvent};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::storage::error::Result;
use crate::storage::held::Held;
use crate::storage::{Connection, events};

/// Puts a token that nobody has seen in the place of this one: the service asks nothing more until it is given a new one.
pub fn revoke_held(connection: &mut Connection, rng: &mut impl CryptoRng, held: &Held) -> Result<bool> {
    let Some(before) = stored::find_by_digest(connection, &held.digest)? else { return Ok(false) };
    let Some(service) = lock(connection, before.id)? else { return Ok(false) };
    // It may have been replaced before this transaction had the lock.
    if stored::find_by_digest(connection, &held.digest)?.is_none() {
        return Ok(false);
    }
    let secret = Secret::generate(SecretKind::ServiceToken, rng);
    let nonce = random_code(rng);
    replace(connection, service.id, &secret, &nonce, "", held.now)?;
    let event = NewEvent {
        actor: held.actor.clone(),
        action: Action::ServiceTokenRevoked,
        subject_kind: KIND,
        subject_id: service.id.to_string(),
        subject_name: service.name.to_string(),
        detail: format!("{}; rotate it to give the service another", held.detail()),
    };
    events::append(connection, &event, held.now, rng)?;
    Ok(true)
}
