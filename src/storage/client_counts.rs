//! The clients of one token, or of one repository, on one day: at most [`MOST_CALLERS`] of them have a row each, and
//! all others share one.

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use crate::domain::caller::{Caller, MOST_CALLERS};
use crate::domain::timestamp::Timestamp;

/// Address, user agent, first and last use, reads and writes.
pub(super) type Row = (String, String, i64, i64, i64, i64);

pub(super) fn to_caller((address, user_agent, first, last, reads, writes): Row) -> Caller {
    Caller {
        address,
        user_agent,
        first_used_at: Timestamp::from_unix(first),
        last_used_at: Timestamp::from_unix(last),
        uses: reads + writes,
        writes,
    }
}

/// Adds a client's uses to those of a row. Another node, or a flush that was tried again, may add earlier uses later.
macro_rules! sums {
    ($table:ident, $caller:expr) => {{
        let (first, last) = ($caller.first_used_at.unix(), $caller.last_used_at.unix());
        let earlier = $table::first_used_at.le(first);
        let later = $table::last_used_at.ge(last);
        (
            $table::reads.eq($table::reads + ($caller.uses - $caller.writes)),
            $table::writes.eq($table::writes + $caller.writes),
            $table::first_used_at.eq(case_when(earlier, $table::first_used_at).otherwise(first)),
            $table::last_used_at.eq(case_when(later, $table::last_used_at).otherwise(last)),
        )
    }};
}

/// The uses of a client, as the values of a row.
macro_rules! values {
    ($table:ident, $caller:expr) => {
        (
            $table::first_used_at.eq($caller.first_used_at.unix()),
            $table::last_used_at.eq($caller.last_used_at.unix()),
            $table::reads.eq($caller.uses - $caller.writes),
            $table::writes.eq($caller.writes),
        )
    };
}

macro_rules! counts {
    ($name:ident, $clients:ident, $others:ident, $key:ident) => {
        pub(super) mod $name {
            use diesel::dsl::case_when;
            use diesel::prelude::*;

            use super::{Caller, Connection, MOST_CALLERS, Result, Row, on_each, to_caller};
            use crate::storage::schema::{$clients as clients, $others as others};

            /// Adds what a client did; without an address it is one of the others.
            pub(in crate::storage) fn count(
                connection: &mut Connection,
                key: i64,
                day: i64,
                caller: &Caller,
            ) -> Result<()> {
                if caller.address.is_empty() {
                    return put_others(connection, key, day, caller);
                }
                let known = clients::table.find((key, &caller.address, &caller.user_agent, day));
                if on_each!(connection, |c| diesel::update(known).set(sums!(clients, caller)).execute(c))? > 0 {
                    return Ok(());
                }
                if make_room(connection, key, day, caller)? {
                    put(connection, key, day, caller)
                } else {
                    put_others(connection, key, day, caller)
                }
            }

            /// Makes room for a new client, and says whether it gets a row. Of more than [`MOST_CALLERS`] the quietest
            /// joins the others, and of equally quiet ones the one that was not seen for longest: a token that is used
            /// from everywhere, or by a program that changes its user agent each time, neither fills the database nor
            /// hides who uses it most.
            fn make_room(connection: &mut Connection, key: i64, day: i64, caller: &Caller) -> Result<bool> {
                let named = clients::table.filter(clients::$key.eq(key)).filter(clients::day.eq(day));
                if on_each!(connection, |c| named.count().get_result::<i64>(c))? < MOST_CALLERS as i64 {
                    return Ok(true);
                }
                let uses = || clients::reads + clients::writes;
                let quietest: Row = on_each!(connection, |c| named
                    .order((
                        uses().asc(),
                        clients::last_used_at.asc(),
                        clients::address.asc(),
                        clients::user_agent.asc()
                    ))
                    .limit(1)
                    .select((
                        clients::address,
                        clients::user_agent,
                        clients::first_used_at,
                        clients::last_used_at,
                        clients::reads,
                        clients::writes
                    ))
                    .get_result(c))?;
                let quietest = to_caller(quietest);
                if quietest.uses > caller.uses {
                    return Ok(false);
                }
                let row = clients::table.find((key, &quietest.address, &quietest.user_agent, day));
                // Another node may have added to it meanwhile.
                let same = row.filter(uses().eq(quietest.uses));
                if on_each!(connection, |c| diesel::delete(same).execute(c))? == 0 {
                    return Ok(false);
                }
                put_others(connection, key, day, &quietest)?;
                Ok(true)
            }

            /// Adds to the row of the client, which need not be there.
            fn put(connection: &mut Connection, key: i64, day: i64, caller: &Caller) -> Result<()> {
                let row = (
                    clients::$key.eq(key),
                    clients::address.eq(&caller.address),
                    clients::user_agent.eq(&caller.user_agent),
                    clients::day.eq(day),
                    values!(clients, caller),
                );
                on_each!(connection, |c| diesel::insert_into(clients::table)
                    .values(row)
                    .on_conflict((clients::$key, clients::address, clients::user_agent, clients::day))
                    .do_update()
                    .set(sums!(clients, caller))
                    .execute(c))?;
                Ok(())
            }

            fn put_others(connection: &mut Connection, key: i64, day: i64, caller: &Caller) -> Result<()> {
                let row = (others::$key.eq(key), others::day.eq(day), values!(others, caller));
                on_each!(connection, |c| diesel::insert_into(others::table)
                    .values(row)
                    .on_conflict((others::$key, others::day))
                    .do_update()
                    .set(sums!(others, caller))
                    .execute(c))?;
                Ok(())
            }
        }
    };
}

counts! { of_token, token_clients, token_other_clients, token_id }
counts! { of_repository, repository_clients, repository_other_clients, repository_id }
