//! A new token for a service. The old one stops at once: nobody else can be asked what it opened meanwhile.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Made, Refusal, Result, nonces};
use crate::domain::event::Action;
use crate::domain::id::ServiceId;
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;
use crate::storage::schema::services;
use crate::storage::{Connection, reveals};

/// A validated wish for a new token.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The generation of the token that the person saw as current.
    pub replaces: i64,
    /// Of the form.
    pub nonce: String,
}

impl Change {
    /// Gives the service the token `secret` in the place of the present one.
    pub fn rotate_token(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ServiceId,
        rotation: &Rotation,
        secret: &Secret,
    ) -> Result<Made, Refusal> {
        let service = self.begin(connection, id)?;
        match self.made_before(connection, &rotation.nonce)? {
            Some(made) if made == id => return Ok(Made::Before(id)),
            Some(_) => return Err(Refusal::FormUsed),
            None => {}
        }
        if service.generation != rotation.replaces {
            return Err(Refusal::Overtaken { by: service.token_created_by, at: service.token_created_at, service: id });
        }
        let (now, by) = (self.acting.now, self.acting.actor.name());
        // Two users may send the same form at once: neither sees what the other makes.
        replace(connection, id, secret, &rotation.nonce, by, now).map_err(|error| error.or_taken(Refusal::FormUsed))?;
        let subject = (KIND, id.to_string(), service.name.as_str());
        let detail = "old token stopped working at once".to_owned();
        self.acting.event(connection, rng, Action::ServiceTokenRotated, subject, detail)?;
        Ok(Made::Now(id))
    }
}

/// Puts `secret` in the place of the present token, and withdraws what of that waits to be shown.
pub(super) fn replace(
    connection: &mut Connection,
    id: ServiceId,
    secret: &Secret,
    nonce: &str,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::update(services::table.find(id))
        .set((
            services::digest.eq(secret.digest().as_bytes().as_slice()),
            services::hint.eq(secret.hint()),
            services::generation.eq(services::generation + 1),
            services::token_created_at.eq(now.unix()),
            services::token_created_by.eq(by),
            services::form_nonce.eq(nonces::number(nonce)),
        ))
        .execute(connection)?;
    reveals::withdraw(connection, id)
}
