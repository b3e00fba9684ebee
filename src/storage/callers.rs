//! Who used a token, gathered by repository, day, address and user agent.

use std::collections::{BTreeMap, BTreeSet};

use diesel::declare_sql_function;
use diesel::dsl::{case_when, max, min};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{api_tokens, callers, repositories, repository_tokens, services};
use crate::domain::caller::{Caller, MOST_CALLERS, UsedToken};
use crate::domain::id::{ApiTokenId, RepositoryId, ServiceId};
use crate::domain::timestamp::Timestamp;

/// Days that a page looks back.
pub const DAYS: i64 = 30;

/// Callers of one token at one repository kept of one day.
const MOST_A_DAY: i64 = 50;
/// Stands for all callers beyond those: their uses count, their addresses are not kept.
const OTHERS: &str = "";
/// Stands for requests that asked for no repository.
const NOWHERE: &str = "";
/// Stands for all tokens together that were used at a repository.
pub(super) const WHATEVER: &str = "";
/// Stands for the same without regard to the caller: one row a day.
pub(super) const WHOEVER: &str = "days";

/// Uses of one token at one repository by one caller on one day, not yet written.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub token: UsedToken,
    pub repository: Option<RepositoryId>,
    pub day: i64,
    pub caller: Caller,
}

/// Adds what was gathered. Tokens that went away meanwhile are passed over.
pub fn add(connection: &mut Connection, gathered: &[Gathered]) -> Result<()> {
    // Repositories before tokens, as changes of a repository lock them.
    let mut used: BTreeMap<RepositoryId, Timestamp> = BTreeMap::new();
    for one in gathered {
        if let Some(repository) = one.repository {
            let last = used.entry(repository).or_insert(one.caller.last_used_at);
            *last = (*last).max(one.caller.last_used_at);
        }
    }
    let mut there = BTreeSet::new();
    for (repository, last) in used {
        let older = repositories::last_used_at.lt(last.unix());
        let row = repositories::table.find(repository.to_string());
        let touched = on_each!(connection, |c| diesel::update(row.clone().filter(older))
            .set(repositories::last_used_at.eq(last.unix()))
            .execute(c))?;
        if touched > 0 || on_each!(connection, |c| row.count().get_result::<i64>(c))? > 0 {
            there.insert(repository);
        }
    }
    let mut totals: BTreeMap<(String, i64, &str, &str), Caller> = BTreeMap::new();
    for one in gathered {
        if !note_last_use(connection, one)? {
            continue;
        }
        let repository = one.repository.map_or_else(|| NOWHERE.to_owned(), |id| id.to_string());
        count(connection, (&one.token.counted_under(), &repository), one.day, &one.caller)?;
        // A repository that went away meanwhile has no counts of its own.
        if one.repository.is_some_and(|id| there.contains(&id)) {
            let key = (repository, one.day, one.caller.address.as_str(), one.caller.user_agent.as_str());
            totals.entry(key).and_modify(|total| total.add(&one.caller)).or_insert_with(|| one.caller.clone());
        }
    }
    let mut days: BTreeMap<(&str, i64), Caller> = BTreeMap::new();
    for ((repository, day, ..), total) in &totals {
        count(connection, (WHATEVER, repository), *day, total)?;
        let whoever = || Caller { address: OTHERS.to_owned(), user_agent: OTHERS.to_owned(), ..total.clone() };
        days.entry((repository, *day)).and_modify(|sum| sum.add(total)).or_insert_with(whoever);
    }
    for ((repository, day), sum) in days {
        count(connection, (WHOEVER, repository), day, &sum)?;
    }
    Ok(())
}

/// Whether the token is still there.
fn note_last_use(connection: &mut Connection, one: &Gathered) -> Result<bool> {
    let (last, address) = (one.caller.last_used_at.unix(), &one.caller.address);
    macro_rules! note {
        ($table:ident, $id:expr) => {{
            let newer = $table::last_used_at.is_null().or($table::last_used_at.le(last));
            let token = $table::table.find($id.to_string());
            let touched = on_each!(connection, |c| diesel::update(token.clone().filter(newer))
                .set(($table::last_used_at.eq(last), $table::last_used_address.eq(address)))
                .execute(c))?;
            Ok(touched > 0 || on_each!(connection, |c| token.count().get_result::<i64>(c))? > 0)
        }};
    }
    match one.token {
        UsedToken::Api(id) => note!(api_tokens, id),
        UsedToken::Repository { token, .. } => note!(repository_tokens, token),
        UsedToken::Service(id) => note!(services, id),
    }
}

fn count(connection: &mut Connection, (token, repository): (&str, &str), day: i64, caller: &Caller) -> Result<()> {
    let (first, last) = (caller.first_used_at.unix(), caller.last_used_at.unix());
    // Another node, or a flush that was tried again, may tell of earlier uses later.
    let sums = (
        callers::uses.eq(callers::uses + caller.uses),
        callers::first_used_at.eq(case_when(callers::first_used_at.le(first), callers::first_used_at).otherwise(first)),
        callers::last_used_at.eq(case_when(callers::last_used_at.ge(last), callers::last_used_at).otherwise(last)),
    );
    let known = callers::table.find((token, repository, day, &caller.address, &caller.user_agent));
    if on_each!(connection, |c| diesel::update(known).set(sums).execute(c))? > 0 {
        return Ok(());
    }
    let (address, user_agent) = if has_room(connection, token, repository, day)? {
        (caller.address.as_str(), caller.user_agent.as_str())
    } else {
        (OTHERS, OTHERS)
    };
    let row = (
        callers::token_id.eq(token),
        callers::repository_id.eq(repository),
        callers::day.eq(day),
        callers::address.eq(address),
        callers::user_agent.eq(user_agent),
        callers::first_used_at.eq(first),
        callers::last_used_at.eq(last),
        callers::uses.eq(caller.uses),
    );
    on_each!(connection, |c| diesel::insert_into(callers::table)
        .values(row)
        .on_conflict((callers::token_id, callers::repository_id, callers::day, callers::address, callers::user_agent))
        .do_update()
        .set(sums)
        .execute(c))?;
    Ok(())
}

/// Whether another caller may be added: a token that is used from everywhere, or by a program that changes its user agent
/// each time, does not fill the database.
fn has_room(connection: &mut Connection, token: &str, repository: &str, day: i64) -> Result<bool> {
    let of_day = callers::table
        .filter(callers::token_id.eq(token))
        .filter(callers::repository_id.eq(repository))
        .filter(callers::day.eq(day));
    Ok(on_each!(connection, |c| of_day.count().get_result::<i64>(c))? < MOST_A_DAY)
}

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

/// The callers of the last 30 days, latest first.
pub fn recent(connection: &mut Connection, of: Of, now: Timestamp) -> Result<Vec<Caller>> {
    let (first, last) = (|| min(callers::first_used_at), || max(callers::last_used_at));
    let rows: Vec<(String, String, i64, i64, i64)> = of_the_last_days!(connection, of, WHATEVER, now, |rows, c| rows
        .group_by((callers::address, callers::user_agent))
        .order((last().desc(), callers::address.asc(), callers::user_agent.asc()))
        .limit(MOST_CALLERS as i64)
        .select((
            callers::address,
            callers::user_agent,
            first().assume_not_null(),
            last().assume_not_null(),
            sum_of(callers::uses).cast::<BigInt>()
        ))
        .load(c));
    let caller = |(address, user_agent, first, last, uses)| Caller {
        address,
        user_agent,
        first_used_at: Timestamp::from_unix(first),
        last_used_at: Timestamp::from_unix(last),
        uses,
    };
    Ok(rows.into_iter().map(caller).collect())
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

/// Drops days that no page shows any more.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(callers::table.filter(callers::day.lt(now.day_number() - DAYS))).execute(connection)?)
}
