//! A new secret for a token.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, Made, Refusal, Rotation, reveals};
use crate::domain::event::Action;
use crate::domain::id::ApiTokenId;
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::storage::schema::api_tokens;

impl Change {
    /// Gives the token a new secret and end.
    pub fn rotate(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
        rotation: &Rotation,
        secret: &Secret,
    ) -> Result<Made, Refusal> {
        let token = self.token(connection, id)?;
        match self.made_before(connection, &rotation.nonce)? {
            Some(made) if made == id => return Ok(Made::Before(id)),
            Some(_) => return Err(Refusal::Overtaken),
            None => {}
        }
        if !token.can_rotate(self.now) {
            return Err(Refusal::WrongStatus(token.status(self.now).label()));
        }
        if token.current_secret != rotation.replaces {
            return Err(Refusal::Overtaken);
        }
        // An old secret never gains time: it still ends with the expiry it was made with, and never after its token.
        let ends = [token.expires_at, rotation.expires_at].into_iter().flatten();
        let old_ends_at = ends.fold(rotation.old_ends_at, Timestamp::min);
        self.end_secrets(connection, id, old_ends_at)?;
        let number = token.current_secret + 1;
        self.insert_secret(connection, (id, number), secret, &rotation.nonce)?;
        // Whoever has not looked at the former secret yet must not be shown it as the current one.
        reveals::withdraw(connection, id)?;
        diesel::update(api_tokens::table.find(id))
            .set((
                api_tokens::hint.eq(secret.hint()),
                api_tokens::secret_number.eq(number),
                api_tokens::rotated_at.eq(self.now.unix()),
                api_tokens::expires_at.eq(rotation.expires_at.map(Timestamp::unix)),
                api_tokens::lifetime.eq(rotation.expires_at.map(|end| end.since(self.now))),
            ))
            .execute(connection)?;
        let detail = if old_ends_at > self.now {
            format!("old token works until {}", old_ends_at.for_people())
        } else {
            "old token stopped working at once".to_owned()
        };
        self.event(connection, rng, Action::ApiTokenRotated, id, &token.name, detail)?;
        Ok(Made::Now(id))
    }
}
