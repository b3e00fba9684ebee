//! Sessions. Only the digest of the key in the cookie is stored; a session ends by its row going away.

use diesel::prelude::*;
use rand::CryptoRng;

use super::Connection;
use super::connection::on_each;
use super::error::Result;
use super::ids::{insert_with_new_id, numbers};
use super::schema::{roles, sessions, user_roles, users};
use super::users::{RoleRow, UserRow, from_rows, user_columns};
use crate::domain::id::{SessionId, UserId};
use crate::domain::secret::Digest;
use crate::domain::session::{BegunSession, Lifetimes, MOST_SESSIONS, Session};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;

type SessionRow = (SessionId, i64, i64, i64);

/// The session whose key has this digest, and its user with what they may do now; one statement.
pub fn find_by_key(connection: &mut Connection, digest: &Digest) -> Result<Option<(Session, User)>> {
    let rows: Vec<(SessionRow, (UserRow, RoleRow))> = on_each!(connection, |c| sessions::table
        .inner_join(users::table)
        .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
        .left_join(roles::table.on(roles::id.eq(user_roles::role_id)))
        .filter(sessions::key_digest.eq(digest.as_bytes().as_slice()))
        .select((
            (sessions::id, sessions::created_at, sessions::last_seen_at, sessions::authenticated_at),
            user_columns!(),
        ))
        .load(c))?;
    let Some((session, _)) = rows.first() else { return Ok(None) };
    let session = to_session(*session);
    Ok(from_rows(rows.into_iter().map(|(_, user)| user).collect())?.map(|user| (session, user)))
}

const fn to_session((id, created_at, last_seen_at, authenticated_at): SessionRow) -> Session {
    Session {
        id,
        created_at: Timestamp::from_unix(created_at),
        last_seen_at: Timestamp::from_unix(last_seen_at),
        authenticated_at: Timestamp::from_unix(authenticated_at),
    }
}

/// The sessions of a user that somebody can have the key of, the one that was seen last first.
pub fn list(connection: &mut Connection, user: UserId) -> Result<Vec<BegunSession>> {
    let rows: Vec<(SessionRow, String, String)> = on_each!(connection, |c| sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::key_digest.is_not_null())
        .order((sessions::last_seen_at.desc(), sessions::id.desc()))
        .limit(MOST_SESSIONS as i64)
        .select((
            (sessions::id, sessions::created_at, sessions::last_seen_at, sessions::authenticated_at),
            sessions::address,
            sessions::user_agent,
        ))
        .load(c))?;
    let begun = |(session, address, user_agent)| BegunSession { session: to_session(session), address, user_agent };
    Ok(rows.into_iter().map(begun).collect())
}

/// Makes a session without a key, which it gets when the cookie is made, and ends the oldest beyond the limit.
pub fn insert(
    connection: &mut Connection,
    user: UserId,
    address: &str,
    user_agent: &str,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<SessionId> {
    let oldest_first: Vec<SessionId> = sessions::table
        .filter(sessions::user_id.eq(user))
        .order((sessions::created_at.asc(), sessions::id.asc()))
        .select(sessions::id)
        .load(connection)?;
    let surplus = (oldest_first.len() + 1).saturating_sub(MOST_SESSIONS);
    diesel::delete(
        sessions::table.filter(sessions::id.eq_any(numbers(&oldest_first[..surplus.min(oldest_first.len())]))),
    )
    .execute(connection)?;
    let row = (
        sessions::user_id.eq(user),
        sessions::created_at.eq(now.unix()),
        sessions::last_seen_at.eq(now.unix()),
        sessions::authenticated_at.eq(now.unix()),
        sessions::address.eq(address),
        sessions::user_agent.eq(user_agent),
    );
    insert_with_new_id(
        || SessionId::new(now, rng),
        |id| {
            Ok(on_each!(connection, |c| diesel::insert_into(sessions::table)
                .values((sessions::id.eq(id), row))
                .on_conflict(sessions::id)
                .do_nothing()
                .execute(c))?)
        },
    )
}

/// Gives the session its key, in place of any former. `false` if it has ended meanwhile: it is never brought back.
pub fn set_key(connection: &mut Connection, id: SessionId, digest: &Digest) -> Result<bool> {
    let hit = diesel::update(sessions::table.find(id))
        .set(sessions::key_digest.eq(digest.as_bytes().as_slice()))
        .execute(connection)?;
    Ok(hit == 1)
}

/// Notes that the password was entered.
pub fn set_authenticated(connection: &mut Connection, id: SessionId, now: Timestamp) -> Result<bool> {
    let hit =
        diesel::update(sessions::table.find(id)).set(sessions::authenticated_at.eq(now.unix())).execute(connection)?;
    Ok(hit == 1)
}

/// Notes that the session was seen; never moves the moment back.
pub fn set_seen(connection: &mut Connection, id: SessionId, now: Timestamp) -> Result<()> {
    diesel::update(sessions::table.find(id).filter(sessions::last_seen_at.lt(now.unix())))
        .set(sessions::last_seen_at.eq(now.unix()))
        .execute(connection)?;
    Ok(())
}

/// Whether the session is there, and this user's.
pub fn is_of(connection: &mut Connection, id: SessionId, user: UserId) -> Result<bool> {
    let own = sessions::table.find(id).filter(sessions::user_id.eq(user));
    Ok(own.count().get_result::<i64>(connection)? == 1)
}

pub fn end(connection: &mut Connection, id: SessionId) -> Result<bool> {
    Ok(diesel::delete(sessions::table.find(id)).execute(connection)? == 1)
}

pub fn end_all_of(connection: &mut Connection, user: UserId) -> Result<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(connection)?)
}

/// How many sessions of a user were made and last seen after the given moments, and when the last of them was seen.
pub fn count_live(
    connection: &mut Connection,
    user: UserId,
    made_after: Timestamp,
    seen_after: Timestamp,
) -> Result<(i64, Option<Timestamp>)> {
    let (count, last): (i64, Option<i64>) = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::created_at.gt(made_after.unix()))
        .filter(sessions::last_seen_at.gt(seen_after.unix()))
        .select((diesel::dsl::count_star(), diesel::dsl::max(sessions::last_seen_at)))
        .get_result(connection)?;
    Ok((count, last.map(Timestamp::from_unix)))
}

/// Ends all sessions of a user but one, and returns how many of them were still alive.
pub fn end_others(
    connection: &mut Connection,
    user: UserId,
    kept: SessionId,
    now: Timestamp,
    lifetimes: &Lifetimes,
) -> Result<usize> {
    let ended = list(connection, user)?.into_iter().map(|begun| begun.session);
    let alive = ended.filter(|session| session.id != kept && session.is_live(now, lifetimes)).count();
    let others = sessions::user_id.eq(user).and(sessions::id.ne(kept));
    diesel::delete(sessions::table.filter(others)).execute(connection)?;
    Ok(alive)
}

/// Removes sessions that were made or last seen before the given moments.
pub fn prune(connection: &mut Connection, made_before: Timestamp, seen_before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(
        sessions::table
            .filter(sessions::created_at.lt(made_before.unix()).or(sessions::last_seen_at.lt(seen_before.unix()))),
    )
    .execute(connection)?)
}
