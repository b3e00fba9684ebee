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

type Row = (String, String, String, i64);

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
    );
    let made = insert_unless_taken(connection, |connection| {
        diesel::insert_into(repositories::table).values(row).execute(connection)
    })?;
    Ok(made.then_some(id))
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
        .select((
            (repositories::id, repositories::name, repositories::description, repositories::created_at),
            grants::permission.nullable(),
        ))
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
        .select((
            (repositories::id, repositories::name, repositories::description, repositories::created_at),
            grants::permission.nullable(),
        ))
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
    let (id, name, description, created_at) = row;
    let corrupt = || StorageError::corrupt("repositories", &id);
    let grant = grant.map(|stored| from_stored(&stored).ok_or_else(corrupt)).transpose()?;
    let repository = Repository {
        id: id.parse().map_err(|_| corrupt())?,
        name: RepositoryName::parse(&name).map_err(|_| corrupt())?,
        description,
        created_at: Timestamp::from_unix(created_at),
    };
    Ok((repository, grant))
}
