//! The description of a repository, and its end.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, KIND, Refusal};
use crate::domain::event::Action;
use crate::domain::id::RepositoryId;
use crate::domain::repository::Description;
use crate::storage::repositories::search_key;
use crate::storage::schema::repositories;
use crate::storage::{Connection, callers, held, reveals};

impl Change {
    /// Describing a repository as it is described changes nothing and is no error.
    pub fn describe(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
        description: &Description,
    ) -> Result<(), Refusal> {
        let name = self.begin(connection, id)?;
        let row = repositories::table.find(id);
        let before: String = row.select(repositories::description).get_result(connection)?;
        if before == description.as_str() {
            return Ok(());
        }
        diesel::update(row)
            .set((
                repositories::description.eq(description.as_str()),
                repositories::search_key.eq(search_key(&name, description.as_str())),
            ))
            .execute(connection)?;
        let subject = (KIND, id.to_string(), name.as_str());
        Ok(self.acting.event(connection, rng, Action::RepositoryDescribed, subject, format!("was “{before}”"))?)
    }

    /// Dismisses the notice that somebody revoked the repository's token by possession. The event is what remembers it;
    /// where there is no notice nothing happens.
    pub fn dismiss_notice(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
    ) -> Result<(), Refusal> {
        let name = self.begin(connection, id)?;
        if held::has_notice(connection, (KIND, id.to_string()))? {
            let subject = (KIND, id.to_string(), name.as_str());
            self.acting.event(connection, rng, Action::NoticeDismissed, subject, String::new())?;
        }
        Ok(())
    }

    /// Removes the repository with its token, its grants and its counts of use. Its events stay.
    pub fn delete(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: RepositoryId,
    ) -> Result<(), Refusal> {
        let name = self.begin(connection, id)?;
        reveals::withdraw(connection, id)?;
        diesel::delete(repositories::table.find(id)).execute(connection)?;
        // After the tokens, which the counting of uses takes in this order too. What API tokens did there is their history.
        callers::forget_token(connection, id)?;
        let subject = (KIND, id.to_string(), name.as_str());
        Ok(self.acting.event(connection, rng, Action::RepositoryDeleted, subject, String::new())?)
    }
}
