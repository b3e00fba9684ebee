//! How a user ends sessions of their own. Each function is called inside one writing transaction, looks once more whether
//! the session that asks is still there, and appends its event.

use rand::CryptoRng;

use super::acting::{Acting, By, Ended};
use super::{Connection, sessions};
use crate::domain::device::describe;
use crate::domain::event::Action;
use crate::domain::id::SessionId;
use crate::domain::session::{BegunSession, Lifetimes};

/// Ends one of the user's sessions and returns which; `None` if it is not there, or is another's.
pub fn end(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    acting: &Acting,
    id: SessionId,
) -> Result<Option<BegunSession>, Ended> {
    let user = acting.begin(connection, &[])?;
    let Some(begun) = sessions::list(connection, user.id)?.into_iter().find(|begun| begun.session.id == id) else {
        return Ok(None);
    };
    sessions::end(connection, id)?;
    let subject = ("user", user.id.to_string(), user.username.as_str());
    let detail = format!("{}, from {}", describe(&begun.user_agent), begun.address);
    acting.event(connection, rng, Action::SessionEnded, subject, detail)?;
    Ok(Some(begun))
}

/// Ends all sessions of the user but the one that asks, and returns how many were alive. Where none was, there is no event.
pub fn end_others(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    acting: &Acting,
    lifetimes: &Lifetimes,
) -> Result<usize, Ended> {
    let user = acting.begin(connection, &[])?;
    let By::Session(kept) = acting.by else { return Err(Ended::Session) };
    let ended = sessions::end_others(connection, user.id, kept, acting.now, lifetimes)?;
    if ended > 0 {
        let subject = ("user", user.id.to_string(), user.username.as_str());
        acting.event(connection, rng, Action::UserSignedOut, subject, format!("other sessions ended: {ended}"))?;
    }
    Ok(ended)
}
