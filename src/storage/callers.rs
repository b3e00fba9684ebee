//! Uses of tokens and repositories, by client and by day.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::case_when;
use diesel::prelude::*;

use super::Connection;
use super::client_counts::{of_repository, of_token};
use super::connection::on_each;
use super::error::Result;
use super::schema::{
    api_tokens, daily_usage, repositories, repository_clients, repository_other_clients, repository_tokens, services,
    token_clients, token_other_clients, token_usage,
};
use crate::domain::caller::{Caller, UsedToken};
use crate::domain::id::{ApiTokenId, RepositoryId};
use crate::domain::timestamp::Timestamp;

/// Days that a page looks back.
pub const DAYS: i64 = 30;

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
        let older = repositories::last_used_at.is_null().or(repositories::last_used_at.lt(last.unix()));
        let row = repositories::table.find(repository);
        let touched = on_each!(connection, |c| diesel::update(row.filter(older))
            .set(repositories::last_used_at.eq(last.unix()))
            .execute(c))?;
        if touched > 0 || on_each!(connection, |c| row.count().get_result::<i64>(c))? > 0 {
            there.insert(repository);
        }
    }
    let mut totals: BTreeMap<(RepositoryId, i64, &str, &str), Caller> = BTreeMap::new();
    for one in gathered {
        if !note_last_use(connection, one)? {
            continue;
        }
        of_token::count(connection, one.token.counted_under(), one.day, &one.caller)?;
        // A repository that went away meanwhile has no counts of its own.
        if let Some(repository) = one.repository.filter(|id| there.contains(id)) {
            let key = (repository, one.day, one.caller.address.as_str(), one.caller.user_agent.as_str());
            totals.entry(key).and_modify(|total| total.add(&one.caller)).or_insert_with(|| one.caller.clone());
        }
    }
    let mut days: BTreeMap<(RepositoryId, i64), Caller> = BTreeMap::new();
    for ((repository, day, ..), total) in &totals {
        of_repository::count(connection, repository.number(), *day, total)?;
        days.entry((*repository, *day)).and_modify(|sum| sum.add(total)).or_insert_with(|| total.clone());
    }
    for ((repository, day), sum) in days {
        count_day(connection, repository, day, &sum)?;
    }
    Ok(())
}

/// Whether the token is still there.
fn note_last_use(connection: &mut Connection, one: &Gathered) -> Result<bool> {
    let last = one.caller.last_used_at.unix();
    let address = address(&one.caller);
    macro_rules! note {
        ($table:ident, $id:expr) => {{
            let newer = $table::last_used_at.is_null().or($table::last_used_at.le(last));
            let token = $table::table.find($id);
            let touched = on_each!(connection, |c| diesel::update(token.filter(newer))
                .set(($table::last_used_at.eq(last), $table::last_used_address.eq(address)))
                .execute(c))?;
            Ok(touched > 0 || on_each!(connection, |c| token.count().get_result::<i64>(c))? > 0)
        }};
    }
    match one.token {
        UsedToken::Api(id, number) => note_use_of_secret(connection, id, number, &one.caller),
        UsedToken::Repository { token, .. } => note!(repository_tokens, token),
        UsedToken::Service(id) => note!(services, id),
    }
}

/// The same for an API token, and adds to the uses of the secret.
fn note_use_of_secret(connection: &mut Connection, id: ApiTokenId, number: i64, caller: &Caller) -> Result<bool> {
    // Locked, so that on PostgreSQL it does not go away before the row that refers to it is inserted.
    let there = match connection {
        Connection::Sqlite(c) => api_tokens::table.find(id).count().get_result::<i64>(c)? > 0,
        Connection::Postgres(c) => {
            let row = api_tokens::table.find(id).select(api_tokens::id).for_key_share();
            row.get_result::<ApiTokenId>(c).optional()?.is_some()
        }
    };
    if !there {
        return Ok(false);
    }
    let (last, reads) = (caller.last_used_at.unix(), caller.uses - caller.writes);
    let address = address(caller);
    let later = || token_usage::last_used_at.gt(last);
    let sums = (
        token_usage::reads.eq(token_usage::reads + reads),
        token_usage::writes.eq(token_usage::writes + caller.writes),
        token_usage::last_used_address.eq(case_when(later(), token_usage::last_used_address).otherwise(address)),
        token_usage::last_used_at.eq(case_when(later(), token_usage::last_used_at).otherwise(last)),
    );
    let row = (
        token_usage::api_token_id.eq(id),
        token_usage::secret_number.eq(number),
        token_usage::last_used_at.eq(last),
        token_usage::last_used_address.eq(address),
        token_usage::reads.eq(reads),
        token_usage::writes.eq(caller.writes),
    );
    on_each!(connection, |c| diesel::insert_into(token_usage::table)
        .values(row)
        .on_conflict((token_usage::api_token_id, token_usage::secret_number))
        .do_update()
        .set(sums)
        .execute(c))?;
    Ok(true)
}

/// Where a client is, if it was kept.
fn address(caller: &Caller) -> Option<&str> {
    Some(caller.address.as_str()).filter(|address| !address.is_empty())
}

fn count_day(connection: &mut Connection, repository: RepositoryId, day: i64, sum: &Caller) -> Result<()> {
    let reads = sum.uses - sum.writes;
    let row = (
        daily_usage::repository_id.eq(repository),
        daily_usage::day.eq(day),
        daily_usage::reads.eq(reads),
        daily_usage::writes.eq(sum.writes),
    );
    on_each!(connection, |c| diesel::insert_into(daily_usage::table)
        .values(row)
        .on_conflict((daily_usage::repository_id, daily_usage::day))
        .do_update()
        .set((
            daily_usage::reads.eq(daily_usage::reads + reads),
            daily_usage::writes.eq(daily_usage::writes + sum.writes),
        ))
        .execute(c))?;
    Ok(())
}

/// Removes the clients of a token that goes away.
pub(super) fn forget_token(connection: &mut Connection, id: impl Into<i64>) -> Result<()> {
    let id = id.into();
    diesel::delete(token_clients::table.filter(token_clients::token_id.eq(id))).execute(connection)?;
    diesel::delete(token_other_clients::table.filter(token_other_clients::token_id.eq(id))).execute(connection)?;
    Ok(())
}

/// Drops days that no page shows any more.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    let mut pruned = 0;
    macro_rules! prune {
        ($($table:ident)*) => {$(
            let old = $table::table.filter($table::day.lt(now.day_number() - DAYS));
            pruned += diesel::delete(old).execute(connection)?;
        )*};
    }
    prune!(token_clients token_other_clients repository_clients repository_other_clients daily_usage);
    Ok(pruned)
}
