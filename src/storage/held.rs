//! Tokens that end because somebody who holds them says so (RFC 7009): whoever has a token in hand may revoke it, and needs
//! no other right. What was looked up is judged once more after the lock, so that of many at once one ends the token.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use rand::CryptoRng;

use super::connection::on_each;
use super::error::Result;
use super::schema::{api_tokens, events};
use super::sealing::SealingKeys;
use super::token_secrets;
use super::{Connection, api_token_changes, repository_changes, repository_tokens, service_changes, services};
use crate::domain::event::{Action, Actor};
use crate::domain::id::{ApiTokenId, EventId, UserId};
use crate::domain::secret::{Digest, SecretKind};
use crate::domain::timestamp::Timestamp;

/// A token in the hands of somebody who wants it to end, and where that somebody is.
#[derive(Debug, Clone)]
pub struct Held {
    pub kind: SecretKind,
    pub digest: Digest,
    pub actor: Actor,
    pub now: Timestamp,
}

/// The revocation has no later event that dismisses its notice. Ids of events sort as they came about.
macro_rules! not_dismissed {
    () => {{
        let later = diesel::alias!(events as later_events);
        not(exists(
            later
                .filter(later.field(events::subject_kind).eq(events::subject_kind))
                .filter(later.field(events::subject_id).eq(events::subject_id))
                .filter(later.field(events::action).eq(Action::NoticeDismissed.name()))
                .filter(later.field(events::id).gt(events::id)),
        ))
    }};
}

const DETAIL: &str = "by somebody who held it";

impl Held {
    /// Whether there is such a token that still works; changes nothing and locks nothing, so that neither garbage nor a
    /// token that has ended costs a write.
    pub fn is_in_force(&self, connection: &mut Connection) -> Result<bool> {
        Ok(match self.kind {
            SecretKind::ApiToken => token_secrets::find_api_token(connection, &self.digest, None)?
                .is_some_and(|known| !known.revoked && !self.is_past(known.secret_ends_at)),
            SecretKind::RepositoryToken => repository_tokens::find_by_digest(connection, &self.digest)?
                .is_some_and(|known| !self.is_past(known.ends_at)),
            SecretKind::ServiceToken => services::find_by_digest(connection, &self.digest)?.is_some(),
        })
    }

    /// Ends the token. A repository and a service get another in its place that nobody has seen. `false` if it had ended.
    pub fn revoke(&self, connection: &mut Connection, rng: &mut impl CryptoRng, keys: &SealingKeys) -> Result<bool> {
        match self.kind {
            SecretKind::ApiToken => api_token_changes::revoke_held(connection, rng, self),
            SecretKind::RepositoryToken => repository_changes::revoke_held(connection, rng, keys, self),
            SecretKind::ServiceToken => service_changes::revoke_held(connection, rng, self),
        }
    }

    pub(super) fn is_past(&self, end: Option<Timestamp>) -> bool {
        end.is_some_and(|end| end <= self.now)
    }

    /// Told in the event of the end.
    pub(super) const fn detail(&self) -> &'static str {
        match self.actor {
            Actor::Shell => "by its text",
            _ => DETAIL,
        }
    }
}

/// Whether the thing has a notice of such a revocation that nobody has dismissed yet.
pub(super) fn has_notice(connection: &mut Connection, subject: (&str, String)) -> Result<bool> {
    let (revoked, replaced) = (Action::ApiTokenRevoked.name(), Action::ReplacedSecretRevoked.name());
    let of_repository = Action::RepositoryTokenRevoked.name();
    let found: Option<EventId> = on_each!(connection, |c| events::table
        .filter(events::subject_kind.eq(subject.0))
        .filter(events::subject_id.eq(&subject.1))
        .filter(events::action.eq_any([revoked, replaced, of_repository]))
        .filter(events::actor_kind.eq(ANONYMOUS))
        .filter(not_dismissed!())
        .limit(1)
        .select(events::id)
        .get_result(c))
    .optional()?;
    Ok(found.is_some())
}

/// When and from where somebody who held it revoked a token.
#[derive(Debug, Clone)]
pub struct Revocation {
    pub at: Timestamp,
    pub address: String,
}

/// The first revocation of the token of a thing, from `since` on, by somebody who held it.
pub fn of_subject(
    connection: &mut Connection,
    action: Action,
    subject: (&str, String),
    since: Timestamp,
) -> Result<Option<Revocation>> {
    let row: Option<(i64, Option<String>)> = on_each!(connection, |c| events::table
        .filter(events::subject_kind.eq(subject.0))
        .filter(events::subject_id.eq(subject.1))
        .filter(events::action.eq(action.name()))
        .filter(events::actor_kind.eq(ANONYMOUS))
        .filter(events::at.ge(since.unix()))
        .filter(not_dismissed!())
        .order(events::id.asc())
        .limit(1)
        .select((events::at, events::address))
        .get_result(c))
    .optional()?;
    Ok(row.map(|(at, address)| to_revocation(at, address)))
}

/// An API token of which a secret was revoked by somebody who held it.
#[derive(Debug, Clone)]
pub struct RevokedToken {
    pub id: ApiTokenId,
    pub name: String,
    /// Whether it was a replaced secret alone, so that the token goes on working.
    pub replaced_only: bool,
    pub revocation: Revocation,
}

/// Those of one owner since `since`, latest first, at most `limit`.
pub fn of_owner(connection: &mut Connection, owner: UserId, since: Timestamp, limit: i64) -> Result<Vec<RevokedToken>> {
    let actions = [Action::ApiTokenRevoked.name(), Action::ReplacedSecretRevoked.name()];
    macro_rules! owned {
        ($condition:expr) => {
            on_each!(connection, |c| api_tokens::table
                .filter(api_tokens::user_id.eq(owner))
                .filter($condition)
                .select((api_tokens::id, api_tokens::name))
                .load(c))?
        };
    }
    // One query for each index. A join with the events, whose ids are text, would have none.
    let current: Vec<(ApiTokenId, String)> = owned!(api_tokens::revoked_at.is_null());
    let revoked: Vec<(ApiTokenId, String)> = owned!(api_tokens::revoked_at.ge(since.unix()));
    let tokens: HashMap<String, (ApiTokenId, String)> =
        current.into_iter().chain(revoked).map(|token| (token.0.to_string(), token)).collect();
    let rows: Vec<(String, String, i64, Option<String>)> = on_each!(connection, |c| events::table
        .filter(events::subject_kind.eq(api_token_changes::KIND))
        .filter(events::subject_id.eq_any(tokens.keys()))
        .filter(events::action.eq(actions[0]).or(events::action.eq(actions[1])))
        .filter(events::actor_kind.eq(ANONYMOUS))
        .filter(events::at.ge(since.unix()))
        .filter(not_dismissed!())
        .order(events::id.desc())
        .limit(limit)
        .select((events::subject_id, events::action, events::at, events::address))
        .load(c))?;
    let to_token = |(subject, action, at, address): (String, String, _, _)| {
        let (id, name) = tokens.get(&subject).cloned()?;
        let revocation = to_revocation(at, address);
        Some(RevokedToken { id, name, replaced_only: action == actions[1], revocation })
    };
    Ok(rows.into_iter().filter_map(to_token).collect())
}

/// Nobody else revokes a token without being known.
const ANONYMOUS: &str = "anonymous";

fn to_revocation(at: i64, address: Option<String>) -> Revocation {
    Revocation { at: Timestamp::from_unix(at), address: address.unwrap_or_default() }
}
