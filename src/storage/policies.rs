//! Policies: rows of a name and a value in JSON, one for each field of [`Policy`]. A policy without a row has its
//! default, so that a new one needs no migration.

use diesel::prelude::*;
use rand::CryptoRng;
use serde_json::{Map, Value};

use super::Connection;
use super::acting::{Acting, Ended};
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::schema::{locks, policies};
use crate::domain::event::Action;
use crate::domain::policy::Policy;

/// The row of `locks` that [`lock`] updates.
const LOCK: &str = "policies";

pub fn current(connection: &mut Connection) -> Result<Policy> {
    let rows: Vec<(String, String)> =
        on_each!(connection, |c| policies::table.select((policies::name, policies::value)).load(c))?;
    let mut fields = Map::new();
    for (name, value) in rows {
        let value = serde_json::from_str(&value).map_err(|_| StorageError::corrupt("policies", &name))?;
        fields.insert(name, value);
    }
    let policy: Policy =
        serde_json::from_value(Value::Object(fields)).map_err(|error| StorageError::corrupt("policies", error))?;
    if policy.graces.is_empty() { Err(StorageError::corrupt("policies", "graces")) } else { Ok(policy) }
}

/// Holds off every other transaction that calls this, until the end of the present one.
pub fn lock(connection: &mut Connection) -> Result<()> {
    diesel::update(locks::table.find(LOCK)).set(locks::revision.eq(locks::revision + 1)).execute(connection)?;
    Ok(())
}

/// Stores `new`, and returns whether that changed a policy. Of two changes at the same time, the later one wins.
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
    let fields: Map<String, Value> =
        serde_json::to_value(new).and_then(serde_json::from_value).map_err(StorageError::serialization)?;
    for (name, value) in fields {
        let value = policies::value.eq(value.to_string());
        on_each!(connection, |c| diesel::insert_into(policies::table)
            .values((policies::name.eq(&name), value.clone()))
            .on_conflict(policies::name)
            .do_update()
            .set(value)
            .execute(c))?;
    }
    Ok(())
}
