//! A token that ends because somebody who holds it says so.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, stored};
use crate::domain::event::Action;
use crate::storage::error::{Result, StorageError};
use crate::storage::held::Held;
use crate::storage::schema::api_token_secrets;
use crate::storage::{Connection, token_secrets, users};

/// Revokes the token. Whoever holds a replaced secret ends that alone: it says nothing of the one in its place.
pub fn revoke_held(connection: &mut Connection, rng: &mut impl CryptoRng, held: &Held) -> Result<bool> {
    let Some(before) = token_secrets::find_api_token(connection, &held.digest, None)? else { return Ok(false) };
    users::lock(connection, before.owner)?;
    let Some(known) = token_secrets::find_api_token(connection, &held.digest, None)? else { return Ok(false) };
    let (id, now) = (known.id, held.now);
    if known.revoked || held.is_past(known.secret_ends_at) {
        return Ok(false);
    }
    let change = Change { owner: known.owner, actor: held.actor.clone(), by: None, now };
    let token = stored::find(connection, known.owner, id)?.ok_or_else(|| StorageError::corrupt("api_tokens", id))?;
    if known.secret_ends_at.is_none() {
        change.end(connection, rng, &token, held.detail())?;
        return Ok(true);
    }
    diesel::update(api_token_secrets::table.filter(api_token_secrets::digest.eq(held.digest.as_bytes().as_slice())))
        .set(api_token_secrets::ends_at.eq(now.unix()))
        .execute(connection)?;
    change.event(connection, rng, Action::ReplacedSecretRevoked, id, &token.name, held.detail().to_owned())?;
    Ok(true)
}
