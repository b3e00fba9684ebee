//! A new token.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use rand::CryptoRng;

use super::{Change, Made, Refusal, stored};
use crate::domain::api_token::{NewApiToken, RepositorySelection};
use crate::domain::event::Action;
use crate::domain::id::ApiTokenId;
use crate::domain::name::Note;
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::storage::connection::on_each;
use crate::storage::ids::insert_with_new_id;
use crate::storage::schema::{api_token_repositories, api_tokens};

impl Change {
    /// Makes a token whose secret is `secret`, unless the form with this nonce made one already. `most` is the limit of tokens.
    pub fn create(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        wish: &NewApiToken,
        secret: &Secret,
        nonce: &str,
        most: usize,
    ) -> Result<Made, Refusal> {
        self.begin(connection)?;
        if let Some(id) = self.made_before(connection, nonce)? {
            return Ok(Made::Before(id));
        }
        if let Some(original) = wish.recreates {
            let original = stored::find(connection, self.owner, original)?.ok_or(Refusal::NotFound)?;
            if !original.can_recreate(self.now) {
                return Err(Refusal::WrongStatus(original.status(self.now).label()));
            }
            self.end(connection, rng, &original, "recreated")?;
        }
        if stored::count_current(connection, self.owner)? >= most {
            return Err(Refusal::LimitReached(most));
        }
        if stored::name_is_taken(connection, self.owner, &wish.name, None)? {
            return Err(Refusal::NameTaken);
        }
        let row = (
            api_tokens::user_id.eq(self.owner),
            api_tokens::name.eq(wish.name.as_str()),
            api_tokens::name_key.eq(wish.name.key()),
            api_tokens::note.eq(wish.note.as_ref().map(Note::as_str)),
            api_tokens::hint.eq(secret.hint()),
            api_tokens::secret_number.eq(1),
            api_tokens::repositories_permission.eq(wish.permissions.repositories.name()),
            api_tokens::account_permission.eq(wish.permissions.account.name()),
            api_tokens::administration_permission.eq(wish.permissions.administration.name()),
            api_tokens::repository_selection.eq(wish.repositories.name()),
            api_tokens::lifetime.eq(wish.expires_at.map(|end| end.since(self.now))),
            api_tokens::created_at.eq(self.now.unix()),
            api_tokens::expires_at.eq(wish.expires_at.map(Timestamp::unix)),
        );
        let id = insert_with_new_id(
            || ApiTokenId::new(self.now, rng),
            |id| -> Result<usize, Refusal> {
                Ok(on_each!(connection, |c| diesel::insert_into(api_tokens::table)
                    .values((api_tokens::id.eq(id), row.clone()))
                    .on_conflict(api_tokens::id)
                    .do_nothing()
                    .execute(c))?)
            },
        )?;
        self.insert_secret(connection, (id, 1), secret, nonce)?;
        if let RepositorySelection::Selected(ids) = &wish.repositories {
            for repository in ids {
                diesel::insert_into(api_token_repositories::table)
                    .values((
                        api_token_repositories::api_token_id.eq(id),
                        api_token_repositories::repository_id.eq(*repository),
                    ))
                    .execute(connection)
                    .map_err(|error| match error {
                        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Refusal::RepositoryGone,
                        error => error.into(),
                    })?;
            }
        }
        let detail = wish.permissions.lines().join(", ");
        self.event(connection, rng, Action::ApiTokenCreated, id, &wish.name, detail)?;
        Ok(Made::Now(id))
    }
}
