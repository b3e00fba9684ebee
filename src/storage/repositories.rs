//! Repositories, and which of them a user may see.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::connection::on_each;
use super::error::{InsertError, Result, StorageError, insert_unless_taken};
use super::ids::{insert_with_new_id, numbers};
use super::paging::holding;
use super::schema::{grants, repositories};
use crate::domain::grant::from_stored;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::repository::{Repository, RepositoryName};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;

/// A repository, and the grant on it of the user who looks.
pub type Seen = (Repository, Option<Permission>);

pub(super) type Row = (RepositoryId, String, String, i64, Option<i64>);

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        (
            repositories::id,
            repositories::name,
            repositories::description,
            repositories::created_at,
            repositories::last_used_at,
        )
    };
}
pub(super) use columns;

/// `None` if the name is taken.
pub fn insert(
    connection: &mut Connection,
    name: &RepositoryName,
    description: &str,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Option<RepositoryId>> {
    let row = (
        repositories::name.eq(name.as_str()),
        repositories::description.eq(description),
        repositories::created_at.eq(now.unix()),
        repositories::search_key.eq(search_key(name, description)),
    );
    insert_unless_taken(connection, |connection| {
        insert_with_new_id(
            || RepositoryId::new(now, rng),
            |id| -> Result<usize, InsertError> {
                Ok(on_each!(connection, |c| diesel::insert_into(repositories::table)
                    .values((repositories::id.eq(id), row.clone()))
                    .on_conflict(repositories::id)
                    .do_nothing()
                    .execute(c))?)
            },
        )
    })
}

/// What a search looks into, in lower case and NFC.
pub fn search_key(name: &RepositoryName, description: &str) -> String {
    text::search_key(&format!("{name} {description}"))
}

/// A repository by its id.
pub fn find(connection: &mut Connection, id: RepositoryId) -> Result<Option<Repository>> {
    let row: Option<Row> =
        on_each!(connection, |c| repositories::table.find(id).select(columns!()).get_result(c)).optional()?;
    row.map(|row| with_grant((row, None)).map(|(repository, _)| repository)).transpose()
}

/// A repository by name, with the grant that `user` has on it.
pub fn find_with_grant(
    connection: &mut Connection,
    user: UserId,
    name: &RepositoryName,
) -> Result<Option<(Repository, Option<Permission>)>> {
    let row: Option<(Row, Option<String>)> = on_each!(connection, |c| repositories::table
        .left_join(grants::table.on(grants::repository_id.eq(repositories::id).and(grants::user_id.eq(user))),)
        .filter(repositories::name.eq(name.as_str()))
        .select((columns!(), grants::permission.nullable()))
        .get_result(c))
    .optional()?;
    row.map(with_grant).transpose()
}

/// A choice among repositories.
#[derive(Debug, Clone)]
pub enum Among {
    All,
    Ids(Vec<RepositoryId>),
    Names(Vec<String>),
}

/// Which repositories are asked for.
#[derive(Debug, Clone)]
pub struct Visible {
    pub user: UserId,
    /// All of them, or only those with a grant to `user`.
    pub all: bool,
    pub among: Among,
    /// Words that name or description must hold, all of them.
    pub search: Vec<String>,
    /// Only names after this one.
    pub after: Option<String>,
}

/// When any repository was used last.
pub fn last_use(connection: &mut Connection) -> Result<Option<Timestamp>> {
    let last: Option<i64> =
        repositories::table.select(diesel::dsl::max(repositories::last_used_at)).get_result(connection)?;
    Ok(last.map(Timestamp::from_unix))
}

/// At most `limit` repositories in the order of their names, each with the user's grant.
pub fn list(
    connection: &mut Connection,
    wanted: &Visible,
    limit: i64,
) -> Result<Vec<(Repository, Option<Permission>)>> {
    let mut query = repositories::table
        .left_join(grants::table.on(grants::repository_id.eq(repositories::id).and(grants::user_id.eq(wanted.user))))
        .select((columns!(), grants::permission.nullable()))
        .order(repositories::name.asc())
        .limit(limit)
        .into_boxed();
    if !wanted.all {
        query = query.filter(grants::permission.is_not_null());
    }
    query = match &wanted.among {
        Among::All => query,
        Among::Ids(ids) => query.filter(repositories::id.eq_any(numbers(ids))),
        Among::Names(names) => query.filter(repositories::name.eq_any(names.clone())),
    };
    for word in &wanted.search {
        query = holding!(query, repositories::search_key, word);
    }
    if let Some(name) = &wanted.after {
        query = query.filter(repositories::name.gt(name.clone()));
    }
    query.load::<(Row, Option<String>)>(connection)?.into_iter().map(with_grant).collect()
}

/// Whether a user sees more than `count` repositories: no more of them are looked at.
pub fn more_than(connection: &mut Connection, user: UserId, all: bool, count: i64) -> Result<bool> {
    let next: Option<i64> = if all {
        let names = repositories::table.select(repositories::id).order(repositories::name.asc());
        on_each!(connection, |c| names.offset(count).limit(1).get_result(c)).optional()?
    } else {
        let own = grants::table.filter(grants::user_id.eq(user)).select(grants::repository_id);
        on_each!(connection, |c| own.offset(count).limit(1).get_result(c)).optional()?
    };
    Ok(next.is_some())
}

pub(super) fn with_grant((row, grant): (Row, Option<String>)) -> Result<(Repository, Option<Permission>)> {
    let (id, name, description, created_at, last_used_at) = row;
    let corrupt = || StorageError::corrupt("repositories", id);
    let grant = grant.map(|stored| from_stored(&stored).ok_or_else(corrupt)).transpose()?;
    let repository = Repository {
        id,
        name: RepositoryName::parse(&name).map_err(|_| corrupt())?,
        description,
        created_at: Timestamp::from_unix(created_at),
        last_used_at: last_used_at.map(Timestamp::from_unix),
    };
    Ok((repository, grant))
}
