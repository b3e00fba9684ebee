//! Repositories, and which of them a user may see.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::error::{Result, StorageError, insert_unless_taken};
use super::schema::{grants, repositories};
use crate::domain::grant::from_stored;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::permission::Permission;
use crate::domain::repository::{Repository, RepositoryName};
use crate::domain::timestamp::Timestamp;

/// A repository, and the grant on it of the user who looks.
pub type Seen = (Repository, Option<Permission>);

type Row = (String, String, String, i64, Option<i64>);

macro_rules! columns {
    () => {
        (
            (
                repositories::id,
                repositories::name,
                repositories::description,
                repositories::created_at,
                repositories::last_used_at,
            ),
            grants::permission.nullable(),
        )
    };
}

/// `None` if the name is taken.
pub fn insert(
    connection: &mut Connection,
    name: &RepositoryName,
    description: &str,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Option<RepositoryId>> {
    let id = RepositoryId::new(now, rng);
    let row = (
        repositories::id.eq(id.to_string()),
        repositories::name.eq(name.as_str()),
        repositories::description.eq(description),
        repositories::created_at.eq(now.unix()),
        repositories::search_key.eq(search_key(name, description)),
    );
    let made = insert_unless_taken(connection, |connection| {
        diesel::insert_into(repositories::table).values(row).execute(connection)
    })?;
    Ok(made.then_some(id))
}

/// What a search looks into, in lower case.
pub(super) fn search_key(name: &RepositoryName, description: &str) -> String {
    format!("{name} {description}").to_lowercase()
}

/// A repository by its id.
pub fn find(connection: &mut Connection, id: RepositoryId) -> Result<Option<Repository>> {
    let row: Option<Row> = repositories::table
        .find(id.to_string())
        .select((
            repositories::id,
            repositories::name,
            repositories::description,
            repositories::created_at,
            repositories::last_used_at,
        ))
        .get_result(connection)
        .optional()?;
    row.map(|row| with_grant((row, None)).map(|(repository, _)| repository)).transpose()
}

/// A repository by name, with the grant that `user` has on it.
pub fn find_with_grant(
    connection: &mut Connection,
    user: UserId,
    name: &RepositoryName,
) -> Result<Option<(Repository, Option<Permission>)>> {
    repositories::table
        .left_join(
            grants::table.on(grants::repository_id.eq(repositories::id).and(grants::user_id.eq(user.to_string()))),
        )
        .filter(repositories::name.eq(name.as_str()))
        .select(columns!())
        .get_result::<(Row, Option<String>)>(connection)
        .optional()?
        .map(with_grant)
        .transpose()
}

/// Which repositories are asked for.
#[derive(Debug, Clone)]
pub struct Visible {
    pub user: UserId,
    /// All of them, or only those with a grant to `user`.
    pub all: bool,
    /// Only these, where given.
    pub among: Option<Vec<RepositoryId>>,
    /// Only names after this one.
    pub after: Option<String>,
}

/// At most `limit` repositories in the order of their names, each with the user's grant.
pub fn list(
    connection: &mut Connection,
    wanted: &Visible,
    limit: i64,
) -> Result<Vec<(Repository, Option<Permission>)>> {
    let mut query = repositories::table
        .left_join(
            grants::table
                .on(grants::repository_id.eq(repositories::id).and(grants::user_id.eq(wanted.user.to_string()))),
        )
        .select(columns!())
        .order(repositories::name.asc())
        .limit(limit)
        .into_boxed();
    if !wanted.all {
        query = query.filter(grants::permission.is_not_null());
    }
    if let Some(ids) = &wanted.among {
        query = query.filter(repositories::id.eq_any(ids.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    if let Some(name) = &wanted.after {
        query = query.filter(repositories::name.gt(name.clone()));
    }
    query.load::<(Row, Option<String>)>(connection)?.into_iter().map(with_grant).collect()
}

fn with_grant((row, grant): (Row, Option<String>)) -> Result<(Repository, Option<Permission>)> {
    let (id, name, description, created_at, last_used_at) = row;
    let corrupt = || StorageError::corrupt("repositories", &id);
    let grant = grant.map(|stored| from_stored(&stored).ok_or_else(corrupt)).transpose()?;
    let repository = Repository {
        id: id.parse().map_err(|_| corrupt())?,
        name: RepositoryName::parse(&name).map_err(|_| corrupt())?,
        description,
        created_at: Timestamp::from_unix(created_at),
        last_used_at: last_used_at.map(Timestamp::from_unix),
    };
    Ok((repository, grant))
}

/// The columns that the list of repositories can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    CreatedAt,
    LastUsedAt,
}

/// One page of the list of repositories.
#[derive(Debug, Clone)]
pub struct Asked {
    pub user: UserId,
    /// All of them, or only those with a grant to `user`.
    pub all: bool,
    /// Words that name or description must hold, all of them.
    pub search: Vec<String>,
    pub order: Column,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// The repositories asked for, each with the user's grant, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Seen>, i64)> {
    let from = || {
        let own = grants::repository_id.eq(repositories::id).and(grants::user_id.eq(asked.user.to_string()));
        let mut from = repositories::table.left_join(grants::table.on(own)).into_boxed();
        if !asked.all {
            from = from.filter(grants::permission.is_not_null());
        }
        for word in &asked.search {
            from = from.filter(repositories::search_key.like(containing(word)).escape('\\'));
        }
        from
    };
    let total = match (asked.all, asked.search.is_empty()) {
        (true, true) => repositories::table.count().get_result(connection)?,
        _ => from().count().get_result(connection)?,
    };
    let query = from().select(columns!()).limit(asked.limit).offset(asked.offset);
    // What was never used comes last, whichever way the others are ordered.
    let query = match (asked.order, asked.descending) {
        (Column::Name, false) => query.order(repositories::name.asc()),
        (Column::Name, true) => query.order(repositories::name.desc()),
        (Column::CreatedAt, false) => query.order((repositories::created_at.asc(), repositories::name.asc())),
        (Column::CreatedAt, true) => query.order((repositories::created_at.desc(), repositories::name.asc())),
        (Column::LastUsedAt, false) => query.order((
            repositories::last_used_at.is_null().asc(),
            repositories::last_used_at.asc(),
            repositories::name.asc(),
        )),
        (Column::LastUsedAt, true) => query.order((
            repositories::last_used_at.is_null().asc(),
            repositories::last_used_at.desc(),
            repositories::name.asc(),
        )),
    };
    let rows: Vec<(Row, Option<String>)> = query.load(connection)?;
    Ok((rows.into_iter().map(with_grant).collect::<Result<_>>()?, total))
}

/// A pattern for LIKE with backslash as its escape: anything around the word.
pub(super) fn containing(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for character in word.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
