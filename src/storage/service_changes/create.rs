//! A new service, with its token.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Made, NewService, Refusal, nonces, stored};
use crate::domain::event::Action;
use crate::domain::id::ServiceId;
use crate::domain::secret::Secret;
use crate::storage::Connection;
use crate::storage::connection::on_each;
use crate::storage::error::{InsertError, insert_unless_taken};
use crate::storage::ids::insert_with_new_id;
use crate::storage::schema::services;

impl Change {
    /// Makes a service whose token is `secret`, unless the form with this nonce made it already.
    pub fn create(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        wish: &NewService,
        secret: &Secret,
        nonce: &str,
    ) -> Result<Made, Refusal> {
        self.acting.begin(connection, &[])?;
        if let Some(id) = self.made_before(connection, nonce)? {
            let same = stored::find(connection, id)?.is_some_and(|made| made.name == wish.name && made.generation == 1);
            return if same { Ok(Made::Before(id)) } else { Err(Refusal::FormUsed) };
        }
        let (now, by) = (self.acting.now.unix(), self.acting.actor.name());
        let digest = secret.digest();
        let row = (
            services::name.eq(wish.name.as_str()),
            services::description.eq(wish.description.as_str()),
            services::digest.eq(digest.as_bytes().as_slice()),
            services::hint.eq(secret.hint()),
            services::generation.eq(1),
            services::created_at.eq(now),
            services::created_by.eq(by),
            services::token_created_at.eq(now),
            services::token_created_by.eq(by),
            services::form_nonce.eq(nonces::number(nonce)),
            services::search_key.eq(stored::search_key(&wish.name, wish.description.as_str())),
            services::revision.eq(0),
        );
        let made = insert_unless_taken(connection, |connection| {
            insert_with_new_id(
                || ServiceId::new(self.acting.now, rng),
                |id| -> Result<usize, InsertError> {
                    Ok(on_each!(connection, |c| diesel::insert_into(services::table)
                        .values((services::id.eq(id), row.clone()))
                        .on_conflict(services::id)
                        .do_nothing()
                        .execute(c))?)
                },
            )
        })?;
        let Some(id) = made else {
            // By now another's service is to be seen, that the same form made at the same moment.
            self.made_before(connection, nonce)?;
            return Err(Refusal::NameTaken);
        };
        let subject = (KIND, id.to_string(), wish.name.as_str());
        self.acting.event(connection, rng, Action::ServiceCreated, subject, String::new())?;
        Ok(Made::Now(id))
    }
}
