//! A token that ends because it is presented to be revoked.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{By, Change, Ended, Refusal, stored};
use crate::domain::api_token::ApiToken;
use crate::domain::event::Action;
use crate::domain::secret::Digest;
use crate::storage::error::{Result as Stored, StorageError};
use crate::storage::held::Held;
use crate::storage::schema::api_token_secrets;
use crate::storage::{Connection, idempotency, token_secrets, users};

/// Revokes the token. Whoever holds a replaced secret ends that alone: it says nothing of the one in its place.
pub fn revoke_held(connection: &mut Connection, rng: &mut impl CryptoRng, held: &Held) -> Stored<bool> {
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
    change.end_replaced(connection, rng, &token, &held.digest, held.detail())?;
    Ok(true)
}

impl Change {
    /// Ends the token that acts. A replaced secret ends only itself.
    pub fn revoke_itself(&self, connection: &mut Connection, rng: &mut impl CryptoRng) -> Result<(), Refusal> {
        self.begin(connection)?;
        let Some(By::ApiToken(digest)) = self.by else { return Err(Ended::Token.into()) };
        let acts = token_secrets::find_api_token(connection, &digest, None)?.ok_or(Ended::Token)?;
        let token = stored::find(connection, self.owner, acts.id)?.ok_or(Refusal::NotFound)?;
        if acts.secret_ends_at.is_some() {
            return Ok(self.end_replaced(connection, rng, &token, &digest, "")?);
        }
        Ok(self.end(connection, rng, &token, "")?)
    }

    fn end_replaced(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        token: &ApiToken,
        digest: &Digest,
        detail: &str,
    ) -> Stored<()> {
        diesel::update(api_token_secrets::table.filter(api_token_secrets::digest.eq(digest.as_bytes().as_slice())))
            .set(api_token_secrets::valid_until.eq(self.now.unix()))
            .execute(connection)?;
        idempotency::withdraw(connection, digest)?;
        self.event(connection, rng, Action::ReplacedSecretRevoked, token.id, &token.name, detail.to_owned())
    }
}
