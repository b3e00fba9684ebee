//! A new repository, with its token.

use rand::CryptoRng;

use super::{Change, KIND, Made, NewRepository, Refusal};
use crate::domain::event::Action;
use crate::domain::secret::Secret;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, repositories};

impl Change {
    /// Makes a repository whose token is `secret`, unless the form with this nonce made it already.
    pub fn create(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        keys: &SealingKeys,
        wish: &NewRepository,
        secret: &Secret,
        nonce: &str,
    ) -> Result<Made, Refusal> {
        self.acting.begin(connection, &[])?;
        match self.made_before(connection, nonce)? {
            Some((id, 1)) if repositories::find(connection, id)?.is_some_and(|made| made.name == wish.name) => {
                return Ok(Made::Before(id));
            }
            Some(_) => return Err(Refusal::FormUsed),
            None => {}
        }
        let (name, now) = (&wish.name, self.acting.now);
        let id =
            repositories::insert(connection, name, wish.description.as_str(), now, rng)?.ok_or(Refusal::NameTaken)?;
        self.insert_token(connection, rng, keys, (id, 1), secret, nonce)?;
        let subject = (KIND, id.to_string(), name.as_str());
        self.acting.event(connection, rng, Action::RepositoryCreated, subject, String::new())?;
        Ok(Made::Now(id))
    }
}
