//! Signing of registry tokens: the keys, how one follows another, and the current one in memory.
//!
//! There are always two keys with a future: the current one, which signs, and the next one, which is published already.
//! A registry reads the published keys when it starts; because it knows the next key before that signs anything, no
//! registry has to be told of a rotation at the moment when it happens.

mod key;
mod rotation;

use std::sync::{Arc, PoisonError, RwLock};

pub use key::SigningKey;
pub use rotation::{Rotated, RotationError, complete, ensure, rotate};

use crate::domain::timestamp::Timestamp;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Db, StorageError, signing_keys};

/// Seconds for which a node does not look whether another key is current.
pub const REREAD: i64 = 1;

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("there is no signing key; the next start makes one")]
    NoKey,
    #[error("the signing key is sealed with a key that is not in the key file")]
    Sealed,
    #[error("what is stored as a signing key is none")]
    NotAKey,
    #[error("cannot sign: {0}")]
    Failed(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl SigningError {
    fn cause(error: impl ToString) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The current key, kept in memory because opening and parsing it costs more than signing with it.
#[derive(Default)]
pub struct Signer(RwLock<Option<Kept>>);

#[derive(Clone)]
struct Kept {
    key: Arc<SigningKey>,
    read_at: Timestamp,
}

impl Signer {
    /// The key to sign with now.
    pub async fn key(&self, db: &Db, keys: &SealingKeys, now: Timestamp) -> Result<Arc<SigningKey>, SigningError> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = &kept
            && (0..REREAD).contains(&now.since(kept.read_at))
        {
            return Ok(kept.key.clone());
        }
        let (id, sealed) = db.look_up(signing_keys::current).await?.ok_or(SigningError::NoKey)?;
        let key = match kept.filter(|kept| *kept.key.id() == id) {
            Some(kept) => kept.key,
            None => {
                let private = signing_keys::open(keys, &id, &sealed).ok_or(SigningError::Sealed)?;
                Arc::new(SigningKey::parse(id, &private)?)
            }
        };
        let fresh = Kept { key: key.clone(), read_at: now };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        Ok(key)
    }
}
