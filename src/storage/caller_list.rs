//! Who used a token or a repository lately, as pages show it.

use std::cmp::Reverse;

use diesel::declare_sql_function;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Connection;
use super::callers::{DAYS, OTHERS, Row, WHATEVER, WHOEVER, to_caller, unnamed};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::callers;
use crate::domain::caller::{Caller, MOST_CALLERS};
use crate::domain::id::{ApiTokenId, RepositoryId, ServiceId};
use crate::domain::timestamp::Timestamp;

/// Callers that a page adds up at most: no token has more of them, unless a program changes its user agent at many repositories.
const MOST_READ: i64 = 2_000;

/// Whose callers are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    ApiToken(ApiTokenId),
    /// Those who used the repository's own token.
    RepositoryToken(RepositoryId),
    /// Those who used the repository, with whatever token.
    Repository(RepositoryId),
    /// The addresses that a service asked from.
    Service(ServiceId),
}

#[declare_sql_function]
extern "SQL" {
    /// A sum that is cast back to its own type: PostgreSQL's has more digits, and no cast from that one is known here.
    #[aggregate]
    #[sql_name = "sum"]
    fn sum_of(number: BigInt) -> Double;
}

/// The rows of the last 30 days; of a repository those that stand for `all` its tokens.
macro_rules! of_the_last_days {
    ($connection:expr, $of:expr, $all:expr, $now:expr, |$rows:ident, $c:ident| $query:expr) => {{
        let today = $now.day_number();
        let days = callers::day.ge(today - (DAYS - 1));
        // Another node's clock may be ahead around midnight.
        let days = days.and(callers::day.le(today));
        macro_rules! of {
            ($filter:expr) => {
                on_each!($connection, |$c| {
                    let $rows = callers::table.filter($filter).filter(days);
                    $query
                })?
            };
        }
        match $of {
            Of::ApiToken(id) => of!(callers::token_id.eq(id.to_string())),
            Of::Service(id) => of!(callers::token_id.eq(id.to_string())),
            Of::RepositoryToken(id) => {
                of!(callers::repository_id.eq(id.to_string()).and(callers::token_id.eq(id.to_string())))
            }
            Of::Repository(id) => of!(callers::repository_id.eq(id.to_string()).and(callers::token_id.eq($all))),
        }
    }};
}

/// The callers of the last 30 days, latest first: the [`MOST_CALLERS`] with the most uses, and what all others did in one line.
pub fn recent(connection: &mut Connection, of: Of, now: Timestamp) -> Result<Vec<Caller>> {
    let (first, last) = (|| min(callers::first_used_at), || max(callers::last_used_at));
    let rows: Vec<Row> = of_the_last_days!(connection, of, WHATEVER, now, |rows, c| rows
        .group_by((callers::address, callers::user_agent))
        .order((sum_of(callers::uses).desc(), last().desc(), callers::address.asc(), callers::user_agent.asc()))
        .limit(MOST_READ)
        .select((
            callers::address,
            callers::user_agent,
            first().assume_not_null(),
            last().assume_not_null(),
            sum_of(callers::uses).cast::<BigInt>()
        ))
        .load(c));
    let (mut shown, mut others): (Vec<Caller>, Option<Caller>) = (Vec::new(), None);
    for caller in rows.into_iter().map(to_caller) {
        if caller.address != OTHERS && shown.len() < MOST_CALLERS {
            shown.push(caller);
        } else if let Some(others) = &mut others {
            others.add(&caller);
        } else {
            others = Some(unnamed(&caller));
        }
    }
    shown.extend(others);
    // Equally late ones stay in the order of their uses.
    shown.sort_by_key(|caller| Reverse(caller.last_used_at));
    Ok(shown)
}

/// The uses of each of the last 30 days, oldest first. Added up here: the database would sort all of it.
pub fn per_day(connection: &mut Connection, of: Of, now: Timestamp) -> Result<Vec<i64>> {
    let rows: Vec<(i64, i64)> =
        of_the_last_days!(connection, of, WHOEVER, now, |rows, c| rows.select((callers::day, callers::uses)).load(c));
    let mut sums = vec![0; usize::try_from(DAYS).unwrap_or_default()];
    for (day, uses) in rows {
        let index = usize::try_from(day - now.day_number() + DAYS - 1).ok();
        let sum = index.and_then(|index| sums.get_mut(index));
        *sum.ok_or_else(|| StorageError::corrupt("callers", day))? += uses;
    }
    Ok(sums)
}

/// [`recent`] and [`per_day`].
pub fn both(connection: &mut Connection, of: Of, now: Timestamp) -> Result<(Vec<Caller>, Vec<i64>)> {
    Ok((recent(connection, of, now)?, per_day(connection, of, now)?))
}
