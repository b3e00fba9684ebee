//! Stored answers to requests with an `Idempotency-Key`. Each is inserted in the transaction of the change that it answers,
//! so that a crash leaves both or neither.

use diesel::prelude::*;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::{api_token_secrets, idempotency_keys, repository_tokens};
use super::sealing::{Sealed, SealingKeys};
use crate::domain::secret::{Digest, SecretKind};
use crate::domain::timestamp::{MINUTE, Timestamp};

/// Seconds for which an answer is kept.
pub const ANSWER_TTL: i64 = 10 * MINUTE;
/// Answers kept for one credential.
const MAX_ANSWERS: i64 = 100;

/// A request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Of the secret that was presented.
    pub credential: Digest,
    pub key: String,
    /// Of method, address and body.
    pub request: Digest,
}

/// The digest of the new secret, where a request replaced the one that it presented.
#[derive(Debug, Clone, Copy)]
pub enum NewSecret {
    ApiToken(Digest),
    Repository(Digest),
}

/// An answer to be stored.
pub struct NewAnswer<'a> {
    pub status: u16,
    pub text: &'a str,
    /// The new secret, and until when the replaced one works.
    pub rotated: Option<(NewSecret, Timestamp)>,
}

/// An answer as it is stored.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    pub request: Digest,
    pub status: u16,
    sealed: Sealed,
    secret_digest: Option<Vec<u8>>,
}

impl StoredAnswer {
    /// Whether the request replaced the secret that it presented.
    pub const fn is_rotation(&self) -> bool {
        self.secret_digest.is_some()
    }

    /// The text that was stored, or `None` if `keys` do not open it.
    pub fn open(&self, keys: &SealingKeys, keyed: &KeyedRequest) -> Option<Zeroizing<String>> {
        keys.open(&self.sealed, &bound_to(keyed))
    }
}

/// Request, status, sealed answer with the id of its key, and the new secret.
type Row = (Vec<u8>, i64, Vec<u8>, String, Option<Vec<u8>>);

/// What a sealed answer is bound to: it does not open in another row.
fn bound_to(keyed: &KeyedRequest) -> String {
    let hex = |digest: &Digest| digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("idempotency|v1|{}|{}|{}", hex(&keyed.credential), hex(&keyed.request), keyed.key)
}

/// The answer stored under this credential and key. The one of a rotation whose new secret has ended meanwhile is not found.
pub fn find(
    connection: &mut Connection,
    credential: &Digest,
    key: &str,
    now: Timestamp,
) -> Result<Option<StoredAnswer>> {
    let row: Option<Row> = idempotency_keys::table
        .find((credential.as_bytes().as_slice(), key))
        .filter(idempotency_keys::expires_at.gt(now.unix()))
        .select((
            idempotency_keys::request,
            idempotency_keys::status,
            idempotency_keys::sealed,
            idempotency_keys::key_id,
            idempotency_keys::secret_digest,
        ))
        .get_result(connection)
        .optional()?;
    let Some((request, status, bytes, key_id, secret_digest)) = row else { return Ok(None) };
    if let Some(digest) = &secret_digest
        && !is_in_force(connection, digest, now)?
    {
        return Ok(None);
    }
    let corrupt = || StorageError::corrupt("idempotency_keys", key);
    let request = <[u8; 32]>::try_from(request).map_err(|_| corrupt())?;
    Ok(Some(StoredAnswer {
        request: Digest::from_bytes(request),
        status: u16::try_from(status).map_err(|_| corrupt())?,
        sealed: Sealed { key_id, bytes },
        secret_digest,
    }))
}

/// Whether the secret with this digest is valid.
fn is_in_force(connection: &mut Connection, digest: &[u8], now: Timestamp) -> Result<bool> {
    let api: i64 = api_token_secrets::table
        .find(digest)
        .filter(api_token_secrets::valid_until.is_null().or(api_token_secrets::valid_until.gt(now.unix())))
        .count()
        .get_result(connection)?;
    let repository: i64 = repository_tokens::table
        .filter(repository_tokens::digest.eq(digest))
        .filter(repository_tokens::valid_until.is_null().or(repository_tokens::valid_until.gt(now.unix())))
        .count()
        .get_result(connection)?;
    Ok(api + repository > 0)
}

/// Stores the answer to a request whose change was made in this transaction.
pub fn insert(
    connection: &mut Connection,
    rng: &mut impl CryptoRng,
    keys: &SealingKeys,
    keyed: &KeyedRequest,
    answer: &NewAnswer<'_>,
    now: Timestamp,
) -> Result<()> {
    let own = idempotency_keys::table.filter(idempotency_keys::credential.eq(keyed.credential.as_bytes().as_slice()));
    diesel::delete(own.filter(idempotency_keys::expires_at.le(now.unix()))).execute(connection)?;
    let (count, first): (i64, Option<i64>) = own
        .select((diesel::dsl::count_star(), diesel::dsl::min(idempotency_keys::expires_at)))
        .get_result(connection)?;
    if count >= MAX_ANSWERS {
        return Err(StorageError::TooManyAnswers { seconds: first.map_or(ANSWER_TTL, |first| first - now.unix()) });
    }
    let sealed = keys.seal(answer.text, &bound_to(keyed), rng);
    let until = answer.rotated.map_or(now, |(_, until)| until);
    let secret_digest = match answer.rotated {
        Some((secret, _)) => Some(await_first_use(connection, secret)?),
        None => None,
    };
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::credential.eq(keyed.credential.as_bytes().as_slice()),
            idempotency_keys::key.eq(&keyed.key),
            idempotency_keys::request.eq(keyed.request.as_bytes().as_slice()),
            idempotency_keys::status.eq(i64::from(answer.status)),
            idempotency_keys::sealed.eq(sealed.bytes),
            idempotency_keys::key_id.eq(sealed.key_id),
            idempotency_keys::secret_digest.eq(secret_digest.as_ref().map(|digest| digest.as_bytes().as_slice())),
            idempotency_keys::created_at.eq(now.unix()),
            idempotency_keys::expires_at.eq(until.max(now.plus(ANSWER_TTL)).unix()),
        ))
        .execute(connection)
        // Another node answered a request with the same key meanwhile: this change is undone, and that answer is found.
        .map_err(|error| {
            let first = StorageError::Unavailable("a request with the same Idempotency-Key was first".into());
            StorageError::from(error).or_taken(first)
        })?;
    Ok(())
}

fn await_first_use(connection: &mut Connection, secret: NewSecret) -> Result<Digest> {
    let (NewSecret::ApiToken(digest) | NewSecret::Repository(digest)) = secret;
    if set_first_use_pending(connection, secret, true)? == 1 {
        Ok(digest)
    } else {
        Err(StorageError::corrupt("idempotency_keys", "of a secret that is not there"))
    }
}

fn set_first_use_pending(connection: &mut Connection, secret: NewSecret, pending: bool) -> Result<usize> {
    Ok(match secret {
        NewSecret::ApiToken(digest) => diesel::update(api_token_secrets::table.find(digest.as_bytes().as_slice()))
            .set(api_token_secrets::first_use_pending.eq(pending))
            .execute(connection)?,
        NewSecret::Repository(digest) => {
            let row = repository_tokens::table.filter(repository_tokens::digest.eq(digest.as_bytes().as_slice()));
            diesel::update(row).set(repository_tokens::first_use_pending.eq(pending)).execute(connection)?
        }
    })
}

/// Removes the answer that has this secret, because the secret is used: its client has received it.
pub fn note_first_use(connection: &mut Connection, kind: SecretKind, digest: &Digest) -> Result<()> {
    let secret = match kind {
        SecretKind::ApiToken => NewSecret::ApiToken(*digest),
        SecretKind::RepositoryToken => NewSecret::Repository(*digest),
        SecretKind::ServiceToken => return Ok(()),
    };
    set_first_use_pending(connection, secret, false)?;
    let own = idempotency_keys::table.filter(idempotency_keys::secret_digest.eq(digest.as_bytes().as_slice()));
    diesel::delete(own).execute(connection)?;
    Ok(())
}

/// Removes the answers stored for a credential that ends, so that it cannot fetch what replaced it.
pub fn withdraw(connection: &mut Connection, credential: &Digest) -> Result<()> {
    let own = idempotency_keys::table.filter(idempotency_keys::credential.eq(credential.as_bytes().as_slice()));
    diesel::delete(own).execute(connection)?;
    Ok(())
}

/// Removes the answers that were sealed with a key that is lost.
pub fn forget_sealed(connection: &mut Connection, key_id: &str) -> Result<usize> {
    Ok(diesel::delete(idempotency_keys::table.filter(idempotency_keys::key_id.eq(key_id))).execute(connection)?)
}

/// Removes answers that have expired.
pub fn prune(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(idempotency_keys::table.filter(idempotency_keys::expires_at.le(now.unix())))
        .execute(connection)?)
}
