//! The store behind actix-session. The cookie holds a random key, the database its digest, and the state a single id:
//! that of our own `sessions` row, which `extract::signed_in` looks at on every request.
//!
//! `load` asks nothing: it hands on the digest of the key, and the row is read once, together with its user.
//! A session is never made or brought back here; `save` gives a key to a row that exists, or to nothing.

use std::collections::HashMap;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key};
use actix_web::cookie::time::Duration;
use actix_web::web;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::portal::Portal;
use crate::domain::id::SessionId;
use crate::domain::secret::Digest;
use crate::storage::{Connection, sessions};

type State = HashMap<String, String>;

/// In the state that `load` gives: Base64 of the key's digest.
const KEY: &str = "key";
/// In the state that `save` takes: the id of the row.
const ID: &str = "id";

/// Sessions in the portal's database.
#[derive(Clone)]
pub struct Store(pub web::Data<Portal>);

impl SessionStore for Store {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let digest = Digest::of(key.as_ref());
        Ok(Some(State::from([(KEY.into(), format!("\"{}\"", STANDARD.encode(digest.as_bytes())))])))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let missing = || SaveError::Other(anyhow::anyhow!("no session id in the state"));
        let id: SessionId = state.get(ID).and_then(|json| json.trim_matches('"').parse().ok()).ok_or_else(missing)?;
        let key = generate_session_key();
        let digest = Digest::of(key.as_ref());
        // If it has ended meanwhile, by a sign-out or as one too many, the key opens nothing: its row is not brought back.
        self.0
            .db
            .write_beside_checks(move |connection: &mut Connection| sessions::set_key(connection, id, &digest))
            .await
            .map_err(|error| SaveError::Other(error.into()))?;
        Ok(key)
    }

    /// A key is never kept while the state changes: whoever changes it asks for a new key.
    async fn update(&self, _: SessionKey, _: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        Err(UpdateError::Other(anyhow::anyhow!("sessions change only together with their key")))
    }

    /// The lifetime is judged by the row.
    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    /// Rows end by `sessions::end`; a key that was replaced went with the replacement.
    async fn delete(&self, _: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(())
    }
}

/// The digest of the key that the request's cookie holds.
pub fn key_digest(session: &actix_session::Session) -> Option<Digest> {
    let encoded: String = session.get(KEY).ok()??;
    let bytes: [u8; 32] = STANDARD.decode(encoded).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// Lets the answer carry a new key for the session's row, whatever key the request came with.
pub fn renew(session: &actix_session::Session, id: SessionId) -> Result<(), super::error::Failure> {
    session.renew();
    session.remove(KEY);
    session.insert(ID, id.to_string()).map_err(|error| super::error::Failure::Internal(error.to_string()))
}
