//! How API tokens change. Each function is called inside one writing transaction, checks its rule after it has locked the
//! owner's row, and appends its event, so that two at once are decided one after the other and nothing is half made.

mod create;
mod held;
mod rotate;
mod status;

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::acting::{By, Ended};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{api_token_secrets, api_tokens};
use super::token_secrets::find_api_token;
use super::{api_tokens as stored, events, nonces, reveals, users};
use crate::domain::api_token::ApiToken;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::name::TokenName;
use crate::domain::privilege::Privilege;
use crate::domain::secret::Secret;
use crate::domain::timestamp::Timestamp;

pub use held::revoke_held;
pub use status::revoke_all;

/// The kind of subject in events.
pub const KIND: &str = "api_token";

/// Who changes whose tokens, and when.
#[derive(Debug, Clone)]
pub struct Change {
    pub owner: UserId,
    pub actor: Actor,
    /// What gives the owner the right; the owner must still be entitled too when the change is made.
    pub by: Option<By>,
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
    /// A repository that was selected was deleted meanwhile.
    #[error("a selected repository is gone")]
    RepositoryGone,
    /// Somebody was first.
    #[error("the token was changed meanwhile")]
    Overtaken,
    /// The token acts on itself with a secret that was replaced.
    #[error("the secret was replaced")]
    Replaced,
    #[error(transparent)]
    Ended(#[from] Ended),
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
    /// The number of the secret that the user saw as current.
    pub replaces: i64,
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
            subject_kind: KIND,
            subject_id: id.to_string(),
            subject_name: name.as_str().to_owned(),
            detail,
        };
        events::append(connection, &event, self.now, rng)
    }

    /// Locks the owner, and looks whether the owner may still do this.
    fn begin(&self, connection: &mut Connection) -> Result<(), Refusal> {
        users::lock(connection, self.owner)?;
        let Some(by) = self.by else { return Ok(()) };
        let owner = users::find(connection, self.owner)?.ok_or(Refusal::NotFound)?;
        by.judge(connection, &owner, self.now)?;
        if owner.holds(Privilege::ApiAccess) { Ok(()) } else { Err(Ended::Session.into()) }
    }

    /// Begins, and finds the token. A replaced secret in its grace period cannot change its own token.
    fn token(&self, connection: &mut Connection, id: ApiTokenId) -> Result<ApiToken, Refusal> {
        self.begin(connection)?;
        if let Some(By::ApiToken(digest)) = self.by {
            let acts = find_api_token(connection, &digest, None)?.ok_or(Ended::Token)?;
            if acts.id == id && acts.secret_ends_at.is_some() {
                return Err(Refusal::Replaced);
            }
        }
        stored::find(connection, self.owner, id)?.ok_or(Refusal::NotFound)
    }

    fn end(&self, connection: &mut Connection, rng: &mut impl CryptoRng, token: &ApiToken, detail: &str) -> Result<()> {
        diesel::update(api_tokens::table.find(token.id))
            .set(api_tokens::revoked_at.eq(self.now.unix()))
            .execute(connection)?;
        self.end_secrets(connection, token.id, self.now)?;
        reveals::withdraw(connection, token.id)?;
        self.event(connection, rng, Action::ApiTokenRevoked, token.id, &token.name, detail.to_owned())
    }

    /// Lets every secret of the token end at `ends_at`, or earlier where that was set before.
    fn end_secrets(&self, connection: &mut Connection, id: ApiTokenId, ends_at: Timestamp) -> Result<()> {
        let later = api_token_secrets::valid_until.is_null().or(api_token_secrets::valid_until.gt(ends_at.unix()));
        diesel::update(api_token_secrets::table.filter(api_token_secrets::api_token_id.eq(id)).filter(later))
            .set(api_token_secrets::valid_until.eq(ends_at.unix()))
            .execute(connection)?;
        Ok(())
    }

    fn insert_secret(
        &self,
        connection: &mut Connection,
        (token, number): (ApiTokenId, i64),
        secret: &Secret,
        nonce: &str,
    ) -> Result<(), Refusal> {
        on_each!(connection, |c| diesel::insert_into(api_token_secrets::table)
            .values((
                api_token_secrets::api_token_id.eq(token),
                api_token_secrets::number.eq(number),
                api_token_secrets::digest.eq(secret.digest().as_bytes().as_slice()),
                api_token_secrets::hint.eq(secret.hint()),
                api_token_secrets::created_at.eq(self.now.unix()),
                api_token_secrets::form_nonce.eq(nonces::number(nonce)),
            ))
            .execute(c))
        // Two users may send the same form at once: neither sees what the other makes.
        .map_err(|error| StorageError::from(error).or_taken(Refusal::Overtaken))?;
        Ok(())
    }

    /// The token that the form with this nonce made. A nonce that made another's token counts as overtaken.
    fn made_before(&self, connection: &mut Connection, nonce: &str) -> Result<Option<ApiTokenId>, Refusal> {
        let row: Option<(ApiTokenId, UserId)> = on_each!(connection, |c| api_token_secrets::table
            .inner_join(api_tokens::table)
            .filter(api_token_secrets::form_nonce.eq(nonces::number(nonce)))
            .select((api_tokens::id, api_tokens::user_id))
            .get_result(c))
        .optional()?;
        let Some((id, owner)) = row else { return Ok(None) };
        if owner == self.owner { Ok(Some(id)) } else { Err(Refusal::Overtaken) }
    }
}
