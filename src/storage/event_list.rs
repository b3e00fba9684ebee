//! The audit log, page by page, newest first. Each filter has an index that ends with the id, and ids sort as the events
//! came about: a page costs the same however long the log is.

use diesel::prelude::*;

use super::error::Result;
use super::schema::events;
use super::{Connection, users};
use crate::domain::event::Action;
use crate::domain::id::EventId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;

/// Who did it: a user, whether in a session or by a token, or where there is no such user, whoever has this id.
#[derive(Debug, Clone)]
pub struct By {
    pub username: Option<Username>,
    pub id: Option<i64>,
}

/// What it happened to.
#[derive(Debug, Clone)]
pub struct Subject {
    pub kind: String,
    pub named: Named,
}

#[derive(Debug, Clone)]
pub enum Named {
    Id(String),
    /// As it was called when it happened.
    Name(String),
}

/// One page of the log; what is `None` does not matter.
#[derive(Debug, Clone)]
pub struct Asked {
    pub action: Option<Action>,
    pub by: Option<By>,
    pub subject: Option<Subject>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Before this event.
    pub before: Option<EventId>,
    pub limit: i64,
}

/// An event as stored. What it did is a name, which a newer program may have written.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub id: EventId,
    pub at: Timestamp,
    pub action: String,
    pub actor_kind: String,
    pub actor_id: Option<i64>,
    /// Empty where nobody is known.
    pub actor_name: String,
    pub actor_token: Option<i64>,
    pub address: Option<String>,
    pub subject_kind: String,
    pub subject_id: String,
    pub subject_name: String,
    pub detail: String,
}

type Row = (
    (EventId, i64, String, String),
    (String, Option<i64>, String, Option<i64>, Option<String>),
    (String, String, String),
);

/// The events asked for, newest first.
pub fn list(connection: &mut Connection, asked: &Asked) -> Result<Vec<Recorded>> {
    let mut query = events::table
        .order(events::id.desc())
        .limit(asked.limit)
        .select((
            (events::id, events::at, events::action, events::detail),
            (events::actor_kind, events::actor_id, events::actor_name, events::actor_token, events::address),
            (events::subject_kind, events::subject_id, events::subject_name),
        ))
        .into_boxed();
    if let Some(action) = asked.action {
        query = query.filter(events::action.eq(action.name()));
    }
    if let Some(by) = &asked.by {
        let user = match &by.username {
            Some(username) => users::credentials(connection, username)?.map(|user| user.id.number()),
            None => None,
        };
        let Some(id) = user.or(by.id) else { return Ok(Vec::new()) };
        query = query.filter(events::actor_id.eq(id));
    }
    if let Some(Subject { kind, named }) = &asked.subject {
        query = query.filter(events::subject_kind.eq(kind.clone()));
        query = match named {
            Named::Id(id) => query.filter(events::subject_id.eq(id.clone())),
            Named::Name(name) => query.filter(events::subject_name.eq(name.clone())),
        };
    }
    // The id tells the second, too.
    if let Some(since) = asked.since {
        query = query.filter(events::id.ge(EventId::first_of(since)));
    }
    if let Some(until) = asked.until {
        query = query.filter(events::id.lt(EventId::first_of(until)));
    }
    if let Some(id) = asked.before {
        query = query.filter(events::id.lt(id));
    }
    let rows: Vec<Row> = query.load(connection)?;
    Ok(rows.into_iter().map(to_recorded).collect())
}

fn to_recorded(row: Row) -> Recorded {
    let ((id, at, action, detail), actor, (subject_kind, subject_id, subject_name)) = row;
    let (actor_kind, actor_id, actor_name, actor_token, address) = actor;
    Recorded {
        id,
        at: Timestamp::from_unix(at),
        action,
        actor_kind,
        actor_id,
        actor_name,
        actor_token,
        address,
        subject_kind,
        subject_id,
        subject_name,
        detail,
    }
}
