//! The one row of policies.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::policies;
use crate::domain::policy::{Grace, Policy};

type Row = (Option<i64>, bool, Option<i64>, String, bool);

pub fn current(connection: &mut Connection) -> Result<Policy> {
    let (max_lifetime_days, no_expiry_allowed, max_api_tokens, graces, repository_tokens_shown_once): Row =
        policies::table
            .find(1)
            .select((
                policies::max_lifetime_days,
                policies::no_expiry_allowed,
                policies::max_api_tokens,
                policies::graces,
                policies::repository_tokens_shown_once,
            ))
            .get_result(connection)?;
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
