//! The keys that sign registry tokens: the public part in clear, the private part sealed.

use diesel::prelude::*;
use zeroize::Zeroizing;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::signing_keys;
use super::sealing::{Sealed, SealingKeys};
use crate::domain::signing_key::{KeyState, PublicKey, SigningKeyId};
use crate::domain::timestamp::Timestamp;
use crate::randomness;

/// A fresh key.
pub struct NewSigningKey {
    pub public: PublicKey,
    /// PEM.
    pub certificate: String,
    /// PKCS #8 in Base64.
    pub private: Zeroizing<String>,
}

/// A key as everybody may know it.
#[derive(Debug, Clone)]
pub struct Published {
    pub public: PublicKey,
    pub certificate: String,
}

/// What the private part is bound to: it does not open in another row.
fn bound_to(id: &SigningKeyId) -> String {
    format!("signing-key|v1|{id}")
}

pub fn insert(
    connection: &mut Connection,
    keys: &SealingKeys,
    key: &NewSigningKey,
    state: KeyState,
    now: Timestamp,
    sealed_with: Option<&str>,
) -> Result<SigningKeyId> {
    let (id, rng) = (key.public.id(), &mut randomness::system());
    let sealed = match sealed_with {
        Some(key_id) => keys.seal_as(key_id, &key.private, &bound_to(&id), rng),
        None => keys.seal(&key.private, &bound_to(&id), rng),
    };
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::id.eq(id.as_str()),
            signing_keys::state.eq(state.name()),
            signing_keys::public_key.eq(key.public.point().as_slice()),
            signing_keys::certificate.eq(&key.certificate),
            signing_keys::sealed.eq(&sealed.bytes),
            signing_keys::key_id.eq(&sealed.key_id),
            signing_keys::created_at.eq(now.unix()),
        ))
        .execute(connection)?;
    Ok(id)
}

/// All that registries must know: the current key, the next one and former ones that were not pruned, in that order.
pub fn published(connection: &mut Connection) -> Result<Vec<Published>> {
    // The names of the states happen to sort so.
    let rows: Vec<(String, Vec<u8>, String)> = signing_keys::table
        .order((signing_keys::state.eq(KeyState::Former.name()), signing_keys::state.asc(), signing_keys::id.asc()))
        .select((signing_keys::id, signing_keys::public_key, signing_keys::certificate))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, point, certificate)| {
            let public = PublicKey::from_point(&point).ok_or_else(|| StorageError::corrupt("signing_keys", &id))?;
            Ok(Published { public, certificate })
        })
        .collect()
}

/// A key with what tells whether it can sign.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: SigningKeyId,
    /// The id of the key that sealed it; `None` once that was forgotten.
    pub sealed_with: Option<String>,
    /// Whether a bundle for registries was written with it.
    pub bundled: bool,
}

/// The key in this state.
pub fn in_state(connection: &mut Connection, state: KeyState) -> Result<Option<Standing>> {
    let row: Option<(String, Option<String>, Option<i64>)> = signing_keys::table
        .filter(signing_keys::state.eq(state.name()))
        .select((signing_keys::id, signing_keys::key_id, signing_keys::bundled_at))
        .get_result(connection)
        .optional()?;
    Ok(row.map(|(id, sealed_with, bundled_at)| Standing {
        id: SigningKeyId::from_stored(id),
        sealed_with,
        bundled: bundled_at.is_some(),
    }))
}

/// Notes that a bundle was written with these keys, and says whether that is news.
pub fn note_bundled(connection: &mut Connection, ids: &[String], now: Timestamp) -> Result<bool> {
    let news = signing_keys::table.filter(signing_keys::id.eq_any(ids)).filter(signing_keys::bundled_at.is_null());
    let noted = diesel::update(news).set(signing_keys::bundled_at.eq(now.unix())).execute(connection)?;
    Ok(noted > 0)
}

/// The current key with its private part, which still lies sealed.
pub fn current(connection: &mut Connection) -> Result<Option<(SigningKeyId, Sealed)>> {
    let row: Option<(String, Option<Vec<u8>>, Option<String>)> = signing_keys::table
        .filter(signing_keys::state.eq(KeyState::Current.name()))
        .select((signing_keys::id, signing_keys::sealed, signing_keys::key_id))
        .get_result(connection)
        .optional()?;
    Ok(row.and_then(|(id, bytes, key_id)| {
        Some((SigningKeyId::from_stored(id), Sealed { bytes: bytes?, key_id: key_id? }))
    }))
}

/// The private part as it was inserted, or `None` if `keys` do not open it.
pub fn open(keys: &SealingKeys, id: &SigningKeyId, sealed: &Sealed) -> Option<Zeroizing<String>> {
    keys.open(sealed, &bound_to(id))
}

/// Lets the current key, if there is one, be a former one. It never signs again, so its private part goes away.
pub fn retire_current(connection: &mut Connection, now: Timestamp) -> Result<()> {
    diesel::update(signing_keys::table.filter(signing_keys::state.eq(KeyState::Current.name())))
        .set((
            signing_keys::state.eq(KeyState::Former.name()),
            signing_keys::replaced_at.eq(now.unix()),
            signing_keys::sealed.eq(None::<Vec<u8>>),
            signing_keys::key_id.eq(None::<String>),
        ))
        .execute(connection)?;
    Ok(())
}

/// Lets the next key be the current one. There must be none.
pub fn promote_next(connection: &mut Connection) -> Result<()> {
    diesel::update(signing_keys::table.filter(signing_keys::state.eq(KeyState::Next.name())))
        .set(signing_keys::state.eq(KeyState::Current.name()))
        .execute(connection)?;
    Ok(())
}

/// Removes the next key, which nothing was ever signed with.
pub fn drop_next(connection: &mut Connection) -> Result<()> {
    diesel::delete(signing_keys::table.filter(signing_keys::state.eq(KeyState::Next.name()))).execute(connection)?;
    Ok(())
}

/// The ids of the keys that sealed the stored ones, in alphabetical order.
pub fn key_ids(connection: &mut Connection) -> Result<Vec<String>> {
    let ids: Vec<Option<String>> = signing_keys::table
        .filter(signing_keys::key_id.is_not_null())
        .select(signing_keys::key_id)
        .distinct()
        .order(signing_keys::key_id.asc())
        .load(connection)?;
    Ok(ids.into_iter().flatten().collect())
}

/// Gives up what the key of this id sealed. Returns how many keys that were.
pub fn forget_sealed(connection: &mut Connection, key_id: &str) -> Result<usize> {
    Ok(diesel::update(signing_keys::table.filter(signing_keys::key_id.eq(key_id)))
        .set((signing_keys::sealed.eq(None::<Vec<u8>>), signing_keys::key_id.eq(None::<String>)))
        .execute(connection)?)
}

/// Removes former keys that were replaced before `replaced_before`.
pub fn prune(connection: &mut Connection, replaced_before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(signing_keys::table.filter(signing_keys::replaced_at.lt(replaced_before.unix())))
        .execute(connection)?)
}
