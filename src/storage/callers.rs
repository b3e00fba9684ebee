//! Who used a token, gathered by repository, day, address and user agent.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::case_when;
use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::schema::{api_tokens, callers, repositories, repository_tokens, services};
use crate::domain::caller::{Caller, MOST_CALLERS, UsedToken};
use crate::domain::id::RepositoryId;
use crate::domain::timestamp::Timestamp;

/// Days that a page looks back.
pub const DAYS: i64 = 30;

/// Stands for all callers beyond the [`MOST_CALLERS`] of a day: their uses count, their addresses are not kept.
pub(super) const OTHERS: &str = "";
/// Stands for requests that asked for no repository.
const NOWHERE: &str = "";
/// Stands for all tokens together that were used at a repository.
pub(super) const WHATEVER: &str = "";
/// Stands for the same without regard to the caller: one row a day.
pub(super) const WHOEVER: &str = "days";

pub(super) type Row = (String, String, i64, i64, i64);

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
        let row = repositories::table.find(repository);
        let touched = on_each!(connection, |c| diesel::update(row.filter(older))
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
        let token = one.token.counted_under();
        let group = Group { token: &token, repository: &repository, day: one.day };
        count(connection, group, &one.caller)?;
        // A repository that went away meanwhile has no counts of its own.
        if one.repository.is_some_and(|id| there.contains(&id)) {
            let key = (repository, one.day, one.caller.address.as_str(), one.caller.user_agent.as_str());
            totals.entry(key).and_modify(|total| total.add(&one.caller)).or_insert_with(|| one.caller.clone());
        }
    }
    let mut days: BTreeMap<(&str, i64), Caller> = BTreeMap::new();
    for ((repository, day, ..), total) in &totals {
        count(connection, Group { token: WHATEVER, repository, day: *day }, total)?;
        days.entry((repository, *day)).and_modify(|sum| sum.add(total)).or_insert_with(|| unnamed(total));
    }
    for ((repository, day), sum) in days {
        count(connection, Group { token: WHOEVER, repository, day }, &sum)?;
    }
    Ok(())
}

/// Whether the token is still there.
fn note_last_use(connection: &mut Connection, one: &Gathered) -> Result<bool> {
    let (last, address) = (one.caller.last_used_at.unix(), &one.caller.address);
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
        UsedToken::Api(id) => note!(api_tokens, id),
        UsedToken::Repository { token, .. } => note!(repository_tokens, token),
        UsedToken::Service(id) => note!(services, id),
    }
}

/// Adds a caller's uses to those of a row. Another node, or a flush that was tried again, may tell of earlier uses later.
macro_rules! sums {
    ($caller:expr) => {{
        let (first, last) = ($caller.first_used_at.unix(), $caller.last_used_at.unix());
        let earlier = callers::first_used_at.le(first);
        let later = callers::last_used_at.ge(last);
        (
            callers::uses.eq(callers::uses + $caller.uses),
            callers::first_used_at.eq(case_when(earlier, callers::first_used_at).otherwise(first)),
            callers::last_used_at.eq(case_when(later, callers::last_used_at).otherwise(last)),
        )
    }};
}

/// The callers of one token at one repository on one day.
#[derive(Clone, Copy)]
struct Group<'a> {
    token: &'a str,
    repository: &'a str,
    day: i64,
}

fn count(connection: &mut Connection, group: Group<'_>, caller: &Caller) -> Result<()> {
    let known = callers::table.find((group.token, group.repository, group.day, &caller.address, &caller.user_agent));
    if on_each!(connection, |c| diesel::update(known).set(sums!(caller)).execute(c))? > 0 {
        return Ok(());
    }
    if caller.address == OTHERS || group.make_room(connection, caller)? {
        group.put(connection, caller)
    } else {
        group.put(connection, &unnamed(caller))
    }
}

impl Group<'_> {
    /// Makes room for a new caller, and says whether it is told by name. Of more than [`MOST_CALLERS`] the quietest joins the
    /// others, and of equally quiet ones the one that was not seen for longest: a token that is used from everywhere, or by a
    /// program that changes its user agent each time, neither fills the database nor hides who uses it most.
    fn make_room(self, connection: &mut Connection, caller: &Caller) -> Result<bool> {
        let named = callers::table
            .filter(callers::token_id.eq(self.token))
            .filter(callers::repository_id.eq(self.repository))
            .filter(callers::day.eq(self.day))
            .filter(callers::address.ne(OTHERS));
        if on_each!(connection, |c| named.count().get_result::<i64>(c))? < MOST_CALLERS as i64 {
            return Ok(true);
        }
        let (address, user_agent, first, last, uses): Row = on_each!(connection, |c| named
            .order((
                callers::uses.asc(),
                callers::last_used_at.asc(),
                callers::address.asc(),
                callers::user_agent.asc()
            ))
            .select((
                callers::address,
                callers::user_agent,
                callers::first_used_at,
                callers::last_used_at,
                callers::uses
            ))
            .first(c))?;
        if uses > caller.uses {
            return Ok(false);
        }
        let quietest = callers::table.find((self.token, self.repository, self.day, &address, &user_agent));
        // Another node may have added to it meanwhile.
        let same = quietest.filter(callers::uses.eq(uses));
        if on_each!(connection, |c| diesel::delete(same).execute(c))? == 0 {
            return Ok(false);
        }
        self.put(connection, &unnamed(&to_caller((address, user_agent, first, last, uses))))?;
        Ok(true)
    }

    /// Adds to the row of the caller, which need not be there.
    fn put(self, connection: &mut Connection, caller: &Caller) -> Result<()> {
        let row = (
            callers::token_id.eq(self.token),
            callers::repository_id.eq(self.repository),
            callers::day.eq(self.day),
            callers::address.eq(&caller.address),
            callers::user_agent.eq(&caller.user_agent),
            callers::first_used_at.eq(caller.first_used_at.unix()),
            callers::last_used_at.eq(caller.last_used_at.unix()),
            callers::uses.eq(caller.uses),
        );
        let key = (callers::token_id, callers::repository_id, callers::day, callers::address, callers::user_agent);
        on_each!(connection, |c| diesel::insert_into(callers::table)
            .values(row)
            .on_conflict(key)
            .do_update()
            .set(sums!(caller))
            .execute(c))?;
        Ok(())
    }
}

/// The uses of a caller, told among those of all others.
pub(super) fn unnamed(caller: &Caller) -> Caller {
    Caller { address: OTHERS.to_owned(), user_agent: OTHERS.to_owned(), ..caller.clone() }
}

pub(super) fn to_caller((address, user_agent, first, last, uses): Row) -> Caller {
    Caller {
        address,
        user_agent,
        first_used_at: Timestamp::from_unix(first),
        last_used_at: Timestamp::from_unix(last),
        uses,
    }
}

/// Drops days that no page shows any more.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(callers::table.filter(callers::day.lt(now.day_number() - DAYS))).execute(connection)?)
}
