//! Tokens of repositories as they stand, and from the digest of one to all that a check must know, in one statement.
//! How they change is in `repository_changes`.

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{repositories, repository_tokens};
use super::sealing::{Sealed, SealingKeys};
use crate::domain::api_token::LastUse;
use crate::domain::id::{RepositoryId, RepositoryTokenId};
use crate::domain::repository::RepositoryName;
use crate::domain::repository_token::RepositoryToken;
use crate::domain::secret::{Digest, Secret};
use crate::domain::timestamp::Timestamp;

/// What a sealed token is bound to: it does not open in another row.
pub(super) fn bound_to(repository: RepositoryId, generation: i64) -> String {
    format!("repository-token|v1|{repository}|{generation}")
}

type Row = (
    RepositoryTokenId,
    RepositoryId,
    i64,
    String,
    i64,
    String,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
);

macro_rules! columns {
    () => {
        (
            repository_tokens::id,
            repository_tokens::repository_id,
            repository_tokens::generation,
            repository_tokens::hint,
            repository_tokens::created_at,
            repository_tokens::created_by,
            repository_tokens::valid_until,
            repository_tokens::last_used_at,
            repository_tokens::last_used_address,
            repository_tokens::key_id,
        )
    };
}

/// The one that is in force. Every repository has one.
pub fn current(connection: &mut Connection, repository: RepositoryId) -> Result<Option<RepositoryToken>> {
    let row: Option<Row> = on_each!(connection, |c| repository_tokens::table
        .filter(repository_tokens::repository_id.eq(repository))
        .filter(repository_tokens::valid_until.is_null())
        .select(columns!())
        .get_result(c))
    .optional()?;
    Ok(row.map(to_token))
}

/// The former ones that still work, the one that ends last at the end.
pub fn replaced(connection: &mut Connection, repository: RepositoryId, now: Timestamp) -> Result<Vec<RepositoryToken>> {
    let rows: Vec<Row> = on_each!(connection, |c| repository_tokens::table
        .filter(repository_tokens::repository_id.eq(repository))
        .filter(repository_tokens::valid_until.gt(now.unix()))
        .order(repository_tokens::valid_until.asc())
        .select(columns!())
        .load(c))?;
    Ok(rows.into_iter().map(to_token).collect())
}

fn to_token(row: Row) -> RepositoryToken {
    let (id, repository, generation, hint, created_at, created_by, ends_at, used_at, address, key_id) = row;
    RepositoryToken {
        id,
        repository,
        generation,
        hint,
        created_at: Timestamp::from_unix(created_at),
        created_by,
        ends_at: ends_at.map(Timestamp::from_unix),
        last_use: used_at.map(|at| LastUse { at: Timestamp::from_unix(at), address: address.unwrap_or_default() }),
        sealed: key_id.is_some(),
    }
}

/// The token in clear, or `None` if it does not lie sealed or `keys` do not open it.
pub fn open(connection: &mut Connection, keys: &SealingKeys, token: &RepositoryToken) -> Result<Option<Secret>> {
    let (sealed, key_id): (Option<Vec<u8>>, Option<String>) = repository_tokens::table
        .find(token.id)
        .select((repository_tokens::sealed, repository_tokens::key_id))
        .get_result(connection)?;
    let (Some(bytes), Some(key_id)) = (sealed, key_id) else { return Ok(None) };
    let text = keys.open(&Sealed { key_id, bytes }, &bound_to(token.repository, token.generation));
    Ok(text.and_then(Secret::from_text))
}

/// A repository's token with its repository, as they stand now.
#[derive(Debug, Clone)]
pub struct KnownRepositoryToken {
    pub id: RepositoryTokenId,
    pub repository: RepositoryId,
    pub name: RepositoryName,
    pub created_at: Timestamp,
    /// When it, replaced by another, stops working.
    pub ends_at: Option<Timestamp>,
    /// Whether the first use of it must be noted: see `idempotency`.
    pub first_use_pending: bool,
}

pub fn find_by_digest(connection: &mut Connection, digest: &Digest) -> Result<Option<KnownRepositoryToken>> {
    let row: Option<(RepositoryTokenId, i64, Option<i64>, bool, RepositoryId, String)> = repository_tokens::table
        .inner_join(repositories::table)
        .filter(repository_tokens::digest.eq(digest.as_bytes().as_slice()))
        .select((
            repository_tokens::id,
            repository_tokens::created_at,
            repository_tokens::valid_until,
            repository_tokens::first_use_pending,
            repositories::id,
            repositories::name,
        ))
        .get_result(connection)
        .optional()?;
    row.map(|(id, created_at, ends_at, first_use_pending, repository, name)| {
        Ok(KnownRepositoryToken {
            id,
            repository,
            name: RepositoryName::parse(&name).map_err(|_| StorageError::corrupt("repositories", repository))?,
            created_at: Timestamp::from_unix(created_at),
            ends_at: ends_at.map(Timestamp::from_unix),
            first_use_pending,
        })
    })
    .transpose()
}

/// The ids of the keys that sealed the stored tokens, in alphabetical order.
pub fn key_ids(connection: &mut Connection) -> Result<Vec<String>> {
    let ids: Vec<Option<String>> = repository_tokens::table
        .filter(repository_tokens::key_id.is_not_null())
        .select(repository_tokens::key_id)
        .distinct()
        .order(repository_tokens::key_id.asc())
        .load(connection)?;
    Ok(ids.into_iter().flatten().collect())
}

/// How many stored tokens the key of this id sealed.
pub fn count_sealed(connection: &mut Connection, key_id: &str) -> Result<i64> {
    Ok(repository_tokens::table.filter(repository_tokens::key_id.eq(key_id)).count().get_result(connection)?)
}

/// Gives up what the key of this id sealed; the tokens go on working but cannot be shown again. Returns how many.
pub fn forget_sealed(connection: &mut Connection, key_id: &str) -> Result<usize> {
    Ok(diesel::update(repository_tokens::table.filter(repository_tokens::key_id.eq(key_id)))
        .set((repository_tokens::sealed.eq(None::<Vec<u8>>), repository_tokens::key_id.eq(None::<String>)))
        .execute(connection)?)
}

/// Removes former tokens that ended before `ended_before`.
pub fn prune(connection: &mut Connection, ended_before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(repository_tokens::table.filter(repository_tokens::valid_until.lt(ended_before.unix())))
        .execute(connection)?)
}
