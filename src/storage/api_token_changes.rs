//! How API tokens change. Each function is called inside one writing transaction, checks its rule after it has locked the
//! owner's row, and appends its event, so that two at once are decided one after the other and nothing is half made.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::{api_token_repositories, api_token_secrets, api_tokens};
use super::{api_tokens as stored, events, reveals, users};
use crate::domain::api_token::{ApiToken, NewApiToken, RepositorySelection};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{ApiTokenId, TokenSecretId, UserId};
use crate::domain::name::TokenName;
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;

/// Who changes whose tokens, and when.
#[derive(Debug, Clone)]
pub struct Change {
    pub owner: UserId,
    pub actor: Actor,
    pub now: Timestamp,
}

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such token")]
    NotFound,
    #[error("the limit of {0} tokens is reached")]
    LimitReached(usize),
    #[error("a token of this name exists")]
    NameTaken,
    /// The token is not in a state that allows this.
    #[error("the token is {0}")]
    WrongStatus(&'static str),
    /// Somebody was first.
    #[error("the token was changed meanwhile")]
    Overtaken,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// What became of a form that makes a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The secret given is in force now.
    Now(ApiTokenId),
    /// The same form was submitted before; the secret given was not used.
    Before(ApiTokenId),
}

/// A validated wish for a new secret.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The secret that the person saw as current.
    pub replaces: TokenSecretId,
    /// Of the form.
    pub nonce: String,
    /// When the old secrets stop working.
    pub old_ends_at: Timestamp,
    /// The end of the token from now on.
    pub expires_at: Option<Timestamp>,
}

impl Change {
    fn event(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        action: Action,
        id: ApiTokenId,
        name: &TokenName,
        detail: String,
    ) -> Result<()> {
        let event = NewEvent {
            actor: self.actor.clone(),
            action,
            subject_kind: "api_token",
            subject_id: id.to_string(),
            subject_name: name.as_str().to_owned(),
            detail,
        };
        events::append(connection, &event, self.now, rng)
    }

    /// Locks the owner and finds the token.
    fn token(&self, connection: &mut Connection, id: ApiTokenId) -> Result<ApiToken, Refusal> {
        users::lock(connection, self.owner)?;
        stored::find(connection, self.owner, id)?.ok_or(Refusal::NotFound)
    }

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
        users::lock(connection, self.owner)?;
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
        let id = ApiTokenId::new(self.now, rng);
        let secret_id = TokenSecretId::new(self.now, rng);
        diesel::insert_into(api_tokens::table)
            .values((
                api_tokens::id.eq(id.to_string()),
                api_tokens::user_id.eq(self.owner.to_string()),
                api_tokens::name.eq(wish.name.as_str()),
                api_tokens::name_key.eq(wish.name.key()),
                api_tokens::hint.eq(secret.hint()),
                api_tokens::secret_id.eq(secret_id.to_string()),
                api_tokens::repositories_permission.eq(wish.permissions.repositories.name()),
                api_tokens::account_permission.eq(wish.permissions.account.name()),
                api_tokens::administration_permission.eq(wish.permissions.administration.name()),
                api_tokens::repository_selection.eq(wish.repositories.name()),
                api_tokens::lifetime.eq(wish.expires_at.map(|end| end.since(self.now))),
                api_tokens::created_at.eq(self.now.unix()),
                api_tokens::expires_at.eq(wish.expires_at.map(Timestamp::unix)),
            ))
            .execute(connection)?;
        self.insert_secret(connection, id, secret_id, secret, nonce)?;
        if let RepositorySelection::Selected(ids) = &wish.repositories {
            for repository in ids {
                diesel::insert_into(api_token_repositories::table)
                    .values((
                        api_token_repositories::api_token_id.eq(id.to_string()),
                        api_token_repositories::repository_id.eq(repository.to_string()),
                    ))
                    .execute(connection)?;
            }
        }
        let detail = wish.permissions.lines().join(", ");
        self.event(connection, rng, Action::ApiTokenCreated, id, &wish.name, detail)?;
        Ok(Made::Now(id))
    }

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
        if self.made_before(connection, &rotation.nonce)? == Some(id) {
            return Ok(Made::Before(id));
        }
        if !token.can_rotate(self.now) {
            return Err(Refusal::WrongStatus(token.status(self.now).label()));
        }
        if token.current_secret != rotation.replaces {
            return Err(Refusal::Overtaken);
        }
        // An old secret never gains time: it still ends with the expiry it was made with.
        let old_ends_at = token.expires_at.map_or(rotation.old_ends_at, |end| end.min(rotation.old_ends_at));
        self.end_secrets(connection, id, old_ends_at)?;
        let secret_id = TokenSecretId::new(self.now, rng);
        self.insert_secret(connection, id, secret_id, secret, &rotation.nonce)?;
        diesel::update(api_tokens::table.find(id.to_string()))
            .set((
                api_tokens::hint.eq(secret.hint()),
                api_tokens::secret_id.eq(secret_id.to_string()),
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

    pub fn rename(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
        name: &TokenName,
    ) -> Result<(), Refusal> {
        let token = self.token(connection, id)?;
        if !token.can_revoke() {
            return Err(Refusal::WrongStatus(token.status(self.now).label()));
        }
        if stored::name_is_taken(connection, self.owner, name, Some(id))? {
            return Err(Refusal::NameTaken);
        }
        if token.name == *name {
            return Ok(());
        }
        diesel::update(api_tokens::table.find(id.to_string()))
            .set((api_tokens::name.eq(name.as_str()), api_tokens::name_key.eq(name.key())))
            .execute(connection)?;
        let detail = format!("was “{}”", token.name.as_str());
        Ok(self.event(connection, rng, Action::ApiTokenRenamed, id, name, detail)?)
    }

    /// Disabling what is disabled changes nothing and is no error.
    pub fn disable(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
    ) -> Result<ApiToken, Refusal> {
        let token = self.token(connection, id)?;
        if token.disabled_at.is_some() && token.can_revoke() {
            return Ok(token);
        }
        if !token.can_disable(self.now) {
            return Err(Refusal::WrongStatus(token.status(self.now).label()));
        }
        diesel::update(api_tokens::table.find(id.to_string()))
            .set(api_tokens::disabled_at.eq(self.now.unix()))
            .execute(connection)?;
        reveals::withdraw(connection, id)?;
        self.event(connection, rng, Action::ApiTokenDisabled, id, &token.name, String::new())?;
        Ok(token)
    }

    /// Enabling what works already changes nothing and is no error.
    pub fn enable(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
    ) -> Result<ApiToken, Refusal> {
        let token = self.token(connection, id)?;
        if token.status(self.now).works() {
            return Ok(token);
        }
        if !token.can_enable(self.now) {
            return Err(Refusal::WrongStatus(token.status(self.now).label()));
        }
        diesel::update(api_tokens::table.find(id.to_string()))
            .set(api_tokens::disabled_at.eq(None::<i64>))
            .execute(connection)?;
        self.event(connection, rng, Action::ApiTokenEnabled, id, &token.name, String::new())?;
        Ok(token)
    }

    /// Revoking what is revoked changes nothing and is no error.
    pub fn revoke(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
    ) -> Result<ApiToken, Refusal> {
        let token = self.token(connection, id)?;
        if token.can_revoke() {
            self.end(connection, rng, &token, "")?;
        }
        Ok(token)
    }

    fn end(&self, connection: &mut Connection, rng: &mut impl CryptoRng, token: &ApiToken, detail: &str) -> Result<()> {
        diesel::update(api_tokens::table.find(token.id.to_string()))
            .set(api_tokens::revoked_at.eq(self.now.unix()))
            .execute(connection)?;
        self.end_secrets(connection, token.id, self.now)?;
        reveals::withdraw(connection, token.id)?;
        self.event(connection, rng, Action::ApiTokenRevoked, token.id, &token.name, detail.to_owned())
    }

    /// Lets every secret of the token end at `ends_at`, or earlier where that was set before.
    fn end_secrets(&self, connection: &mut Connection, id: ApiTokenId, ends_at: Timestamp) -> Result<()> {
        let later = api_token_secrets::ends_at.is_null().or(api_token_secrets::ends_at.gt(ends_at.unix()));
        diesel::update(
            api_token_secrets::table.filter(api_token_secrets::api_token_id.eq(id.to_string())).filter(later),
        )
        .set(api_token_secrets::ends_at.eq(ends_at.unix()))
        .execute(connection)?;
        Ok(())
    }

    fn insert_secret(
        &self,
        connection: &mut Connection,
        token: ApiTokenId,
        id: TokenSecretId,
        secret: &Secret,
        nonce: &str,
    ) -> Result<()> {
        diesel::insert_into(api_token_secrets::table)
            .values((
                api_token_secrets::id.eq(id.to_string()),
                api_token_secrets::api_token_id.eq(token.to_string()),
                api_token_secrets::digest.eq(secret.digest().as_bytes().as_slice()),
                api_token_secrets::hint.eq(secret.hint()),
                api_token_secrets::created_at.eq(self.now.unix()),
                api_token_secrets::form_nonce.eq(nonce),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// The token that the form with this nonce made. A nonce that made another's token counts as overtaken.
    fn made_before(&self, connection: &mut Connection, nonce: &str) -> Result<Option<ApiTokenId>, Refusal> {
        let row: Option<(String, String)> = api_token_secrets::table
            .inner_join(api_tokens::table)
            .filter(api_token_secrets::form_nonce.eq(nonce))
            .select((api_tokens::id, api_tokens::user_id))
            .get_result(connection)
            .optional()?;
        let Some((id, owner)) = row else { return Ok(None) };
        if owner != self.owner.to_string() {
            return Err(Refusal::Overtaken);
        }
        Ok(Some(id.parse().map_err(|_| StorageError::corrupt("api_tokens", &id))?))
    }
}
