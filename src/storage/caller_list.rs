//! Who used a token or a repository lately, as pages show it.

use std::cmp::Reverse;

use diesel::declare_sql_function;
use diesel::dsl::{max, min};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::Connection;
use super::callers::DAYS;
use super::client_counts::{Row, to_caller};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{daily_usage, repository_clients, repository_other_clients, token_clients, token_other_clients};
use crate::domain::caller::{Caller, MOST_CALLERS};
use crate::domain::id::{ApiTokenId, RepositoryId, ServiceId};
use crate::domain::timestamp::Timestamp;

/// Callers that a page adds up at most: no token has more of them, unless a program changes its user agent at many
/// repositories.
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
    /// The same where there may be no row.
    #[aggregate]
    #[sql_name = "sum"]
    fn sum_of_any(number: BigInt) -> Nullable<Double>;
}

/// First and last use, reads and writes of all other clients together.
type OthersRow = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// The last 30 days. Another node's clock may be ahead around midnight.
fn days(now: Timestamp) -> std::ops::RangeInclusive<i64> {
    let today = now.day_number();
    today - (DAYS - 1)..=today
}

macro_rules! recent_of {
    ($connection:expr, $id:expr, $now:expr, $clients:ident, $others:ident, $key:ident) => {{
        let days = days($now);
        let (first, last) = (|| min($clients::first_used_at), || max($clients::last_used_at));
        let (reads, writes) = (|| sum_of($clients::reads), || sum_of($clients::writes));
        let rows: Vec<Row> = on_each!($connection, |c| $clients::table
            .filter($clients::$key.eq($id))
            .filter($clients::day.between(*days.start(), *days.end()))
            .group_by(($clients::address, $clients::user_agent))
            .order((
                sum_of($clients::reads + $clients::writes).desc(),
                last().desc(),
                $clients::address.asc(),
                $clients::user_agent.asc()
            ))
            .limit(MOST_READ)
            .select((
                $clients::address,
                $clients::user_agent,
                first().assume_not_null(),
                last().assume_not_null(),
                reads().cast::<BigInt>(),
                writes().cast::<BigInt>()
            ))
            .load(c))?;
        let others: OthersRow = on_each!($connection, |c| $others::table
            .filter($others::$key.eq($id))
            .filter($others::day.between(*days.start(), *days.end()))
            .select((
                min($others::first_used_at),
                max($others::last_used_at),
                sum_of_any($others::reads).cast::<Nullable<BigInt>>(),
                sum_of_any($others::writes).cast::<Nullable<BigInt>>(),
            ))
            .get_result(c))?;
        (rows, others)
    }};
}

/// The callers of the last 30 days, latest first: the [`MOST_CALLERS`] with the most uses, and what all others did in
/// one line.
pub fn recent(connection: &mut Connection, of: Of, now: Timestamp) -> Result<Vec<Caller>> {
    let (rows, others) = match of {
        Of::Repository(id) => {
            recent_of!(connection, id, now, repository_clients, repository_other_clients, repository_id)
        }
        Of::ApiToken(_) | Of::RepositoryToken(_) | Of::Service(_) => {
            recent_of!(connection, of.token_id(), now, token_clients, token_other_clients, token_id)
        }
    };
    let mut shown: Vec<Caller> = rows.into_iter().map(to_caller).collect();
    let mut others = match others {
        (Some(first), Some(last), Some(reads), Some(writes)) => {
            Some(to_caller((String::new(), String::new(), first, last, reads, writes)))
        }
        _ => None,
    };
    for caller in shown.split_off(shown.len().min(MOST_CALLERS)) {
        match &mut others {
            Some(others) => others.add(&caller),
            None => others = Some(Caller { address: String::new(), user_agent: String::new(), ..caller }),
        }
    }
    shown.extend(others);
    // Equally late ones stay in the order of their uses.
    shown.sort_by_key(|caller| Reverse(caller.last_used_at));
    Ok(shown)
}

/// The uses of each of the last 30 days, oldest first. Added up here: the database would sort all of it.
pub fn per_day(connection: &mut Connection, of: Of, now: Timestamp) -> Result<Vec<i64>> {
    let days = days(now);
    macro_rules! of {
        ($table:ident, $key:ident, $id:expr) => {
            on_each!(connection, |c| $table::table
                .filter($table::$key.eq($id))
                .filter($table::day.between(*days.start(), *days.end()))
                .select(($table::day, $table::reads + $table::writes))
                .load::<(i64, i64)>(c))?
        };
    }
    let rows: Vec<(i64, i64)> = match of {
        Of::Repository(id) => of!(daily_usage, repository_id, id),
        Of::ApiToken(_) | Of::RepositoryToken(_) | Of::Service(_) => {
            let id = of.token_id();
            [of!(token_clients, token_id, id), of!(token_other_clients, token_id, id)].concat()
        }
    };
    let mut sums = vec![0; usize::try_from(DAYS).unwrap_or_default()];
    for (day, uses) in rows {
        let index = usize::try_from(day - days.start()).ok();
        let sum = index.and_then(|index| sums.get_mut(index));
        *sum.ok_or_else(|| StorageError::corrupt("token_clients", day))? += uses;
    }
    Ok(sums)
}

impl Of {
    /// The id under which uses are counted.
    const fn token_id(self) -> i64 {
        match self {
            Self::ApiToken(id) => id.number(),
            Self::RepositoryToken(id) | Self::Repository(id) => id.number(),
            Self::Service(id) => id.number(),
        }
    }
}

/// [`recent`] and [`per_day`].
pub fn both(connection: &mut Connection, of: Of, now: Timestamp) -> Result<(Vec<Caller>, Vec<i64>)> {
    Ok((recent(connection, of, now)?, per_day(connection, of, now)?))
}
