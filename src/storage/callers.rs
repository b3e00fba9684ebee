//! Who used a token, gathered by repository, day, address and user agent.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::case_when;
use diesel::prelude::*;

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
const WHATEVER: &str = "";

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
    for (repository, last) in used {
        let older = repositories::last_used_at.lt(last.unix());
        diesel::update(repositories::table.find(repository.to_string()).filter(older))
            .set(repositories::last_used_at.eq(last.unix()))
            .execute(connection)?;
    }
    let mut totals: BTreeMap<(String, i64, &str, &str), Caller> = BTreeMap::new();
    for one in gathered {
        if !note_last_use(connection, one)? {
            continue;
        }
        let repository = one.repository.map_or_else(|| NOWHERE.to_owned(), |id| id.to_string());
        count(connection, (&token_of(one.token), &repository), one.day, &one.caller)?;
        if repository != NOWHERE {
            let key = (repository, one.day, one.caller.address.as_str(), one.caller.user_agent.as_str());
            totals.entry(key).and_modify(|total| total.add(&one.caller)).or_insert_with(|| one.caller.clone());
        }
    }
    for ((repository, day, ..), total) in totals {
        count(connection, (WHATEVER, &repository), day, &total)?;
    }
    Ok(())
}

fn token_of(used: UsedToken) -> String {
    match used {
        UsedToken::Api(id) => id.to_string(),
        UsedToken::Repository { repository, .. } => repository.to_string(),
        UsedToken::Service(id) => id.to_string(),
    }
}

/// Whether the token is still there.
fn note_last_use(connection: &mut Connection, one: &Gathered) -> Result<bool> {
    let (last, address) = (one.caller.last_used_at.unix(), &one.caller.address);
    match one.token {
        UsedToken::Api(id) => {
            let newer = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.le(last));
            let token = api_tokens::table.find(id.to_string());
            let touched = diesel::update(token.clone().filter(newer))
                .set((api_tokens::last_used_at.eq(last), api_tokens::last_used_address.eq(address)))
                .execute(connection)?;
            Ok(touched > 0 || token.count().get_result::<i64>(connection)? > 0)
        }
        UsedToken::Repository { token, .. } => {
            let newer = repository_tokens::last_used_at.is_null().or(repository_tokens::last_used_at.le(last));
            let token = repository_tokens::table.find(token.to_string());
            let touched = diesel::update(token.clone().filter(newer))
                .set((repository_tokens::last_used_at.eq(last), repository_tokens::last_used_address.eq(address)))
                .execute(connection)?;
            Ok(touched > 0 || token.count().get_result::<i64>(connection)? > 0)
        }
        UsedToken::Service(id) => {
            let newer = services::last_used_at.is_null().or(services::last_used_at.le(last));
            let service = services::table.find(id.to_string());
            let touched = diesel::update(service.clone().filter(newer))
                .set((services::last_used_at.eq(last), services::last_used_address.eq(address)))
                .execute(connection)?;
            Ok(touched > 0 || service.count().get_result::<i64>(connection)? > 0)
        }
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
    if diesel::update(known).set(sums).execute(connection)? > 0 {
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
    Ok(of_day.count().get_result::<i64>(connection)? < MOST_A_DAY)
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

/// The callers of the last 30 days, latest first, and the uses of each of those days, oldest first. Added up here: the
/// database would sort all of it for each of the two.
pub fn recent(connection: &mut Connection, of: Of, now: Timestamp) -> Result<(Vec<Caller>, Vec<i64>)> {
    let first_day = now.day_number() - (DAYS - 1);
    macro_rules! rows {
        ($of:expr) => {
            on_each!(connection, |c| callers::table
                .filter($of)
                .filter(callers::day.ge(first_day))
                // Another node's clock may be ahead around midnight.
                .filter(callers::day.le(now.day_number()))
                .select((
                    callers::day,
                    callers::address,
                    callers::user_agent,
                    callers::first_used_at,
                    callers::last_used_at,
                    callers::uses,
                ))
                .load(c))?
        };
    }
    let rows: Vec<(i64, String, String, i64, i64, i64)> = match of {
        Of::ApiToken(id) => rows!(callers::token_id.eq(id.to_string())),
        Of::Service(id) => rows!(callers::token_id.eq(id.to_string())),
        Of::RepositoryToken(id) => {
            rows!(callers::repository_id.eq(id.to_string()).and(callers::token_id.eq(id.to_string())))
        }
        Of::Repository(id) => {
            rows!(callers::repository_id.eq(id.to_string()).and(callers::token_id.eq(WHATEVER)))
        }
    };
    let mut per_day = vec![0; usize::try_from(DAYS).unwrap_or_default()];
    let mut merged: HashMap<(String, String), (i64, i64, i64)> = HashMap::new();
    for (day, address, user_agent, first, last, uses) in rows {
        let slot = usize::try_from(day - first_day).ok().and_then(|index| per_day.get_mut(index));
        *slot.ok_or_else(|| StorageError::corrupt("callers", day))? += uses;
        let (earliest, latest, all) = merged.entry((address, user_agent)).or_insert((first, last, 0));
        (*earliest, *latest, *all) = (first.min(*earliest), last.max(*latest), *all + uses);
    }
    let caller = |((address, user_agent), (first, last, uses))| Caller {
        address,
        user_agent,
        first_used_at: Timestamp::from_unix(first),
        last_used_at: Timestamp::from_unix(last),
        uses,
    };
    let mut callers: Vec<Caller> = merged.into_iter().map(caller).collect();
    callers.sort_by(|one, other| {
        other
            .last_used_at
            .cmp(&one.last_used_at)
            .then_with(|| (&one.address, &one.user_agent).cmp(&(&other.address, &other.user_agent)))
    });
    callers.truncate(MOST_CALLERS);
    Ok((callers, per_day))
}

/// Drops days that no page shows any more.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(callers::table.filter(callers::day.lt(now.day_number() - DAYS))).execute(connection)?)
}
