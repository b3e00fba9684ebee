//! The one row of policies.

use diesel::prelude::*;

use rand::CryptoRng;

use super::Connection;
use super::acting::{Acting, Ended};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::policies;
use crate::domain::event::Action;
use crate::domain::policy::{Grace, Policy};

type Row = (Option<i64>, bool, Option<i64>, String, bool);

pub fn current(connection: &mut Connection) -> Result<Policy> {
    let (max_lifetime_days, no_expiry_allowed, max_api_tokens, graces, repository_tokens_shown_once): Row =
        on_each!(connection, |c| policies::table
            .find(1)
            .select((
                policies::max_lifetime_days,
                policies::no_expiry_allowed,
                policies::max_api_tokens,
                policies::graces,
                policies::repository_tokens_shown_once,
            ))
            .get_result(c))?;
    let corrupt = || StorageError::corrupt("policies", 1);
    let count = |number: Option<i64>| number.map(u32::try_from).transpose().map_err(|_| corrupt());
    Ok(Policy {
        max_lifetime_days: count(max_lifetime_days)?,
        no_expiry_allowed,
        max_api_tokens: count(max_api_tokens)?,
        graces: graces.split(' ').map(|name| Grace::from_name(name).ok_or_else(corrupt)).collect::<Result<Vec<_>>>()?,
        repository_tokens_shown_once,
    })
}

/// Holds off every other transaction that calls this, until the end of the present one.
pub fn lock(connection: &mut Connection) -> Result<()> {
    diesel::update(policies::table.find(1)).set(policies::revision.eq(policies::revision + 1)).execute(connection)?;
    Ok(())
}

/// Lets `new` hold from now on, and says whether that is another than before. Of two who do so at once, the later one wins.
pub fn set(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    acting: &Acting,
    new: &Policy,
) -> Result<bool, Ended> {
    lock(connection)?;
    acting.begin(connection, &[])?;
    let changes = current(connection)?.changes_to(new);
    if changes.is_empty() {
        return Ok(false);
    }
    write(connection, new)?;
    let subject = ("policies", "1".to_owned(), "Policies");
    acting.event(connection, rng, Action::PoliciesChanged, subject, changes)?;
    Ok(true)
}

fn write(connection: &mut Connection, new: &Policy) -> Result<()> {
    let graces: Vec<_> = new.graces.iter().map(|grace| grace.name()).collect();
    diesel::update(policies::table.find(1))
        .set((
            policies::max_lifetime_days.eq(new.max_lifetime_days.map(i64::from)),
            policies::no_expiry_allowed.eq(new.no_expiry_allowed),
            policies::max_api_tokens.eq(new.max_api_tokens.map(i64::from)),
            policies::graces.eq(graces.join(" ")),
            policies::repository_tokens_shown_once.eq(new.repository_tokens_shown_once),
        ))
        .execute(connection)?;
    Ok(())
}
