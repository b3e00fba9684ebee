//! What the API answers: JSON with a newline at its end, and a tag where somebody may ask whether it has changed.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::domain::id::RepositoryId;
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::idempotency::{self, KeyedRequest, NewAnswer, NewSecret};
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, StorageError};
use crate::web::error::Failure;

/// An answer with this status.
pub fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let body = text(body)?;
    Ok(HttpResponse::build(status).insert_header(header::ContentType::json()).body(body))
}

/// Something new, and its address.
pub fn created(location: String, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    Ok(Reply::created(location, body)?.into_response())
}

/// The answer to a change, made in the transaction of the change.
pub struct Reply {
    status: StatusCode,
    /// The address of what was created.
    location: Option<String>,
    body: Zeroizing<String>,
    repository: Option<RepositoryId>,
    rotated: Option<(NewSecret, Timestamp)>,
}

impl Reply {
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, StorageError> {
        let mut text = serde_json::to_string(body).map_err(StorageError::serialization)?;
        text.push('\n');
        Ok(Self { status, location: None, body: Zeroizing::new(text), repository: None, rotated: None })
    }

    /// 201 with the address of what was created.
    pub fn created(location: String, body: &impl Serialize) -> Result<Self, StorageError> {
        Ok(Self { location: Some(location), ..Self::json(StatusCode::CREATED, body)? })
    }

    /// Notes for which repository the token was used.
    pub const fn at(mut self, repository: RepositoryId) -> Self {
        self.repository = Some(repository);
        self
    }

    /// Notes the new secret where the request replaced the one that it presented, and until when that one works.
    pub const fn rotated(mut self, secret: NewSecret, old_ends_at: Timestamp) -> Self {
        self.rotated = Some((secret, old_ends_at));
        self
    }

    pub const fn repository(&self) -> Option<RepositoryId> {
        self.repository
    }

    /// Stores it in the same transaction.
    pub fn store(
        &self,
        connection: &mut Connection,
        keys: &SealingKeys,
        keyed: &KeyedRequest,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let text = Zeroizing::new(format!("{}\n{}", self.location.as_deref().unwrap_or_default(), *self.body));
        let answer = NewAnswer { status: self.status.as_u16(), text: &text, rotated: self.rotated };
        idempotency::insert(connection, &mut randomness::system(), keys, keyed, &answer, now)
    }

    /// The one that was stored as this status and text.
    pub fn stored(status: u16, text: &str) -> Self {
        let (location, body) = text.split_once('\n').unwrap_or(("", text));
        Self {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            location: (!location.is_empty()).then(|| location.to_owned()),
            body: Zeroizing::new(body.to_owned()),
            repository: None,
            rotated: None,
        }
    }

    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(location) = &self.location {
            response.insert_header((header::LOCATION, location.as_str()));
        }
        response.insert_header(header::ContentType::json()).body(self.body.as_str().to_owned())
    }
}

/// Done, and there is nothing to tell.
pub fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// One thing with an `ETag`, or 304 where the request knows it as it is (RFC 9110, section 13.1.2).
pub fn tagged(request: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let body = text(body)?;
    let tag = tag(body.as_bytes());
    Ok(unless_known(request, &tag, || HttpResponse::Ok().insert_header(header::ContentType::json()).body(body)))
}

/// The tag of these bytes.
pub fn tag(body: &[u8]) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..12]))
}

/// The answer with its tag, or 304.
pub fn unless_known(request: &HttpRequest, tag: &str, answer: impl FnOnce() -> HttpResponse) -> HttpResponse {
    let mut response = if knows(request, tag) { HttpResponse::NotModified().finish() } else { answer() };
    if let Ok(value) = header::HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn knows(request: &HttpRequest, tag: &str) -> bool {
    request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok()).any(|known| {
        known.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    })
}

/// JSON as a text file is: it ends with a newline.
pub fn text(body: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string(body).map_err(|error| Failure::Internal(format!("JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}
