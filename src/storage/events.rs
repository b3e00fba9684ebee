//! Events: only ever added. Call it in the transaction of the change.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::ids::insert_with_new_id;
use super::schema::events;
use crate::domain::event::{Action, Event, NewEvent};
use crate::domain::id::EventId;
use crate::domain::timestamp::Timestamp;

pub fn append(connection: &mut Connection, event: &NewEvent, now: Timestamp, rng: &mut impl CryptoRng) -> Result<()> {
    insert_with_new_id(|| EventId::new(now, rng), |id| insert(connection, id, event, now)).map(drop)
}

/// How many rows were inserted: none if the id is taken.
fn insert(connection: &mut Connection, id: EventId, event: &NewEvent, now: Timestamp) -> Result<usize> {
    Ok(on_each!(connection, |c| diesel::insert_into(events::table)
        .values((
            events::id.eq(id),
            events::at.eq(now.unix()),
            events::actor_kind.eq(event.actor.kind()),
            events::actor_id.eq(event.actor.id()),
            events::actor_name.eq(event.actor.name()),
            events::address.eq(event.actor.address()),
            events::action.eq(event.action.name()),
            events::subject_kind.eq(event.subject_kind),
            events::subject_id.eq(&event.subject_id),
            events::subject_name.eq(&event.subject_name),
            events::detail.eq(&event.detail),
            events::actor_token.eq(event.actor.token()),
        ))
        .on_conflict(events::id)
        .do_nothing()
        .execute(c))?)
}

/// When the newest event happened.
pub fn newest(connection: &mut Connection) -> Result<Option<Timestamp>> {
    let newest = events::table.order(events::id.desc()).limit(1).select(events::at);
    let at: Option<i64> = on_each!(connection, |c| newest.get_result(c).optional())?;
    Ok(at.map(Timestamp::from_unix))
}

/// The names of what happened to one thing, oldest first, at most `limit`.
pub fn actions_on(
    connection: &mut Connection,
    subject_kind: &str,
    subject_id: &str,
    limit: i64,
) -> Result<Vec<String>> {
    Ok(events::table
        .filter(events::subject_kind.eq(subject_kind))
        .filter(events::subject_id.eq(subject_id))
        .order(events::id.asc())
        .limit(limit)
        .select(events::action)
        .load(connection)?)
}

/// What happened to one thing, newest first: at most `limit`, of those before `before`.
pub fn list_of(
    connection: &mut Connection,
    subject_kind: &str,
    subject_id: &str,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<Event>> {
    let before = before.map_or(i64::MAX, EventId::number);
    let rows: Vec<(EventId, i64, String, Option<String>, String, String)> = on_each!(connection, |c| events::table
        .filter(events::subject_kind.eq(subject_kind))
        .filter(events::subject_id.eq(subject_id))
        .filter(events::id.lt(before))
        .order(events::id.desc())
        .limit(limit)
        .select((events::id, events::at, events::actor_name, events::address, events::action, events::detail))
        .load(c))?;
    let to_event = |(id, at, actor_name, address, action, detail): (_, _, _, _, String, _)| Event {
        id,
        at: Timestamp::from_unix(at),
        actor_name,
        address,
        // A newer program may have written it.
        words: Action::from_name(&action).map_or(action, |action| action.words().to_owned()),
        detail,
    };
    Ok(rows.into_iter().map(to_event).collect())
}
