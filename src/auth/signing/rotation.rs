//! How one signing key follows another.

use super::{SigningError, key};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::signing_key::{KeyState, SigningKeyId};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::sealing::SealingKeys;
use crate::storage::signing_keys::Standing;
use crate::storage::{Connection, StorageError, events, policies, signing_keys};

/// Why the keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error("there are no signing keys yet")]
    NoKeys,
    /// The next key, which no registry can know.
    #[error("no bundle was written with the next key {0}")]
    NotBundled(SigningKeyId),
    /// The id of the sealing key that is missing.
    #[error("the signing keys are sealed with the key {0}, which is not among those at hand")]
    OtherSealingKey(String),
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl From<StorageError> for RotationError {
    fn from(error: StorageError) -> Self {
        Self::Signing(error.into())
    }
}

/// The keys after a rotation.
#[derive(Debug)]
pub struct Rotated {
    pub current: SigningKeyId,
    pub next: SigningKeyId,
}

/// Whether both keys are there; where they are not, [`ensure`] makes them.
pub fn complete(connection: &mut Connection) -> Result<bool, StorageError> {
    Ok(is_there(connection, KeyState::Current)? && is_there(connection, KeyState::Next)?)
}

/// Makes the keys that are missing: at the first start, and after the key that sealed them was forgotten. Says whether
/// the current key is one that no registry can know.
pub fn ensure(connection: &mut Connection, keys: &SealingKeys, now: Timestamp) -> Result<bool, SigningError> {
    // Several nodes may start at once.
    policies::lock(connection)?;
    let mut unknown = false;
    if !is_there(connection, KeyState::Next)? {
        signing_keys::drop_next(connection)?;
    }
    if !is_there(connection, KeyState::Current)? {
        signing_keys::retire_current(connection, now)?;
        if is_there(connection, KeyState::Next)? {
            signing_keys::promote_next(connection)?;
        } else {
            make(connection, keys, KeyState::Current, now)?;
            unknown = true;
        }
    }
    if !is_there(connection, KeyState::Next)? {
        make(connection, keys, KeyState::Next, now)?;
    }
    Ok(unknown)
}

/// Lets the next key sign from now on, and makes another next one. Unless it is forced, the next key must be in a bundle.
pub fn rotate(
    connection: &mut Connection,
    keys: &SealingKeys,
    now: Timestamp,
    force: bool,
) -> Result<Rotated, RotationError> {
    policies::lock(connection)?;
    let next = signing_keys::in_state(connection, KeyState::Next)?;
    let Some(Standing { id: current, sealed_with: Some(sealed_with), bundled }) = next else {
        return Err(RotationError::NoKeys);
    };
    if !bundled && !force {
        return Err(RotationError::NotBundled(current));
    }
    // Sealed with a key of one's own, the new one would be lost on those who serve.
    if !keys.knows(&sealed_with) {
        return Err(RotationError::OtherSealingKey(sealed_with));
    }
    signing_keys::retire_current(connection, now)?;
    signing_keys::promote_next(connection)?;
    // With the key that the servers have, though a newer one may stand before it here.
    let next = insert(connection, keys, KeyState::Next, now, Some(&sealed_with))?;
    let event =
        NewEvent { detail: format!("next: {next}"), ..event(Actor::Shell, Action::SigningKeyRotated, &current) };
    events::append(connection, &event, now, &mut randomness::system())?;
    Ok(Rotated { current, next })
}

/// Whether there is a key in this state that can still be opened by who has the right key file.
fn is_there(connection: &mut Connection, state: KeyState) -> Result<bool, StorageError> {
    Ok(signing_keys::in_state(connection, state)?.is_some_and(|key| key.sealed_with.is_some()))
}

fn make(connection: &mut Connection, keys: &SealingKeys, state: KeyState, now: Timestamp) -> Result<(), SigningError> {
    let id = insert(connection, keys, state, now, None)?;
    let event = event(Actor::System, Action::SigningKeyCreated, &id);
    Ok(events::append(connection, &event, now, &mut randomness::system())?)
}

fn insert(
    connection: &mut Connection,
    keys: &SealingKeys,
    state: KeyState,
    now: Timestamp,
    sealed_with: Option<&str>,
) -> Result<SigningKeyId, SigningError> {
    Ok(signing_keys::insert(connection, keys, &key::generate()?, state, now, sealed_with)?)
}

fn event(actor: Actor, action: Action, id: &SigningKeyId) -> NewEvent {
    let (subject_id, subject_name) = (id.to_string(), id.to_string());
    NewEvent { actor, action, subject_kind: "signing_key", subject_id, subject_name, detail: String::new() }
}
