//! The name of a token, and whether it is valid.

use diesel::prelude::*;
use rand::CryptoRng;

use super::{Change, Refusal, reveals, stored};
use crate::domain::api_token::ApiToken;
use crate::domain::event::{Action, Actor};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::name::TokenName;
use crate::domain::timestamp::Timestamp;
use crate::storage::schema::api_tokens;
use crate::storage::{Connection, Result as Stored, held};

/// Revokes all API tokens of a user, whoever the actor is, and returns how many. The user must be locked.
pub fn revoke_all(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    owner: UserId,
    actor: &Actor,
    now: Timestamp,
) -> Stored<usize> {
    let change = Change { owner, actor: actor.clone(), by: None, now };
    let tokens = stored::list_current(connection, owner, None, i64::MAX)?;
    for token in &tokens {
        change.end(connection, rng, token, "with a password reset")?;
    }
    Ok(tokens.len())
}

impl Change {
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
        diesel::update(api_tokens::table.find(id))
            .set((api_tokens::name.eq(name.as_str()), api_tokens::name_key.eq(name.key())))
            .execute(connection)?;
        let detail = format!("was “{}”", token.name.as_str());
        Ok(self.event(connection, rng, Action::ApiTokenRenamed, id, name, detail)?)
    }

    /// Dismisses the notice that somebody revoked the token by possession. The event is what remembers it; where there
    /// is no notice nothing happens.
    pub fn dismiss_notice(
        &self,
        connection: &mut Connection,
        rng: &mut impl CryptoRng,
        id: ApiTokenId,
    ) -> Result<(), Refusal> {
        let token = self.token(connection, id)?;
        if held::has_notice(connection, (super::KIND, id.to_string()))? {
            self.event(connection, rng, Action::NoticeDismissed, id, &token.name, String::new())?;
        }
        Ok(())
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
        diesel::update(api_tokens::table.find(id))
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
        diesel::update(api_tokens::table.find(id)).set(api_tokens::disabled_at.eq(None::<i64>)).execute(connection)?;
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
}
