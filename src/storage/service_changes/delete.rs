//! The end of a service.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Refusal};
use crate::domain::event::Action;
use crate::domain::id::ServiceId;
use crate::storage::schema::services;
use crate::storage::{Connection, callers, reveals};

impl Change {
    /// Removes the service with its token and its counts of use. Its events stay.
    pub fn delete(&self, connection: &mut Connection, rng: &mut impl CryptoRng, id: ServiceId) -> Result<(), Refusal> {
        let service = self.begin(connection, id)?;
        reveals::withdraw(connection, id)?;
        diesel::delete(services::table.find(id)).execute(connection)?;
        // After the service, which the counting of uses takes in this order too.
        callers::forget_token(connection, id)?;
        let subject = (KIND, id.to_string(), service.name.as_str());
        Ok(self.acting.event(connection, rng, Action::ServiceDeleted, subject, String::new())?)
    }
}
