//! The list of repositories, page by page.

use std::collections::HashMap;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::paging::{Slice, holding, total};
use super::repositories::{Row, Seen, columns, with_grant};
use super::schema::{grants, repositories};
use crate::domain::id::{RepositoryId, UserId};

/// The columns that the list of repositories can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    CreatedAt,
    LastUsedAt,
}

/// Never used comes before all uses, in an order that the indexes of both databases have.
const LAST_USE: &str = "last_used_at ASC NULLS FIRST";
const LAST_USE_DESCENDING: &str = "last_used_at DESC NULLS LAST";

/// One page of the list of repositories.
#[derive(Debug, Clone)]
pub struct Asked {
    pub user: UserId,
    /// All of them, or only those with a grant to `user`.
    pub all: bool,
    /// Whether the user's grants matter.
    pub with_grants: bool,
    /// Words that name or description must hold, all of them.
    pub search: Vec<String>,
    pub order: Column,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// The repositories asked for, each with the user's grant, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Seen>, i64)> {
    let user = asked.user;
    let (rows, total): (Vec<Row>, i64) = on_each!(connection, |c| {
        let from = || {
            let mut from = repositories::table.into_boxed();
            if !asked.all {
                let own = grants::table.filter(grants::user_id.eq(user));
                from = from.filter(exists(own.filter(grants::repository_id.eq(repositories::id))));
            }
            for word in &asked.search {
                from = holding!(from, repositories::search_key, word);
            }
            from
        };
        // Each order has an index, which is read from either end.
        macro_rules! ordered {
            ($query:expr, $descending:expr) => {
                match (asked.order, $descending) {
                    (Column::Name, false) => $query.order(repositories::name.asc()),
                    (Column::Name, true) => $query.order(repositories::name.desc()),
                    (Column::CreatedAt, false) => {
                        $query.order((repositories::created_at.asc(), repositories::name.asc()))
                    }
                    (Column::CreatedAt, true) => {
                        $query.order((repositories::created_at.desc(), repositories::name.desc()))
                    }
                    (Column::LastUsedAt, false) => $query.order((sql::<BigInt>(LAST_USE), repositories::name.asc())),
                    (Column::LastUsedAt, true) => {
                        $query.order((sql::<BigInt>(LAST_USE_DESCENDING), repositories::name.desc()))
                    }
                }
            };
        }
        // A search would look at every row to count them.
        let counted =
            if asked.offset > 0 && asked.search.is_empty() { Some(from().count().get_result(c)?) } else { None };
        let slice = Slice::of(asked.offset, asked.limit, counted);
        let query = ordered!(from(), asked.descending != slice.backwards).limit(slice.limit).offset(slice.offset);
        let mut rows: Vec<Row> = query.select(columns!()).load(c)?;
        if slice.backwards {
            rows.reverse();
        }
        let total = match counted {
            Some(total) => total,
            None => total(rows.len(), asked.offset, asked.limit, || Ok(from().count().get_result(c)?))?,
        };
        (rows, total)
    });
    // Not joined: rows that are passed over, on the way to a later page, need no grant.
    let mut grants: HashMap<RepositoryId, String> = if asked.with_grants {
        let own = grants::table.filter(grants::user_id.eq(user)).select((grants::repository_id, grants::permission));
        let rows: Vec<(RepositoryId, String)> = on_each!(connection, |c| own.load(c))?;
        rows.into_iter().collect()
    } else {
        HashMap::new()
    };
    let seen = rows.into_iter().map(|row| {
        let grant = grants.remove(&row.0);
        with_grant((row, grant))
    });
    Ok((seen.collect::<Result<_>>()?, total))
}
