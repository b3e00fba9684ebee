//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that is sent again gets the stored answer.
//!
//! The middleware finds stored answers. `ApiCaller::answer` stores one in the transaction of the change, so an endpoint
//! takes part by calling it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use sha2::{Digest as _, Sha256};

use super::answer::Reply;
use crate::auth::authenticate::{Reason, Refusal, authenticate};
use crate::auth::credentials::{Presented, parse};
use crate::auth::recovery::check_replaced;
use crate::domain::secret::{Digest, contains_secret};
use crate::domain::timestamp::Timestamp;
use crate::storage::idempotency::{self, KeyedRequest};
use crate::storage::{Connection, StorageError};
use crate::web::client::{Client, peer};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::form::Body;
use crate::web::portal::Portal;

const HEADER: &str = "idempotency-key";
const MAX_KEY_LEN: usize = 64;

/// What a credential gives access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It is accepted.
    Full,
    /// It was replaced: only the stored answer to the rotation that replaced it.
    Recovery,
}

/// Around every route of the API.
pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let key = if *request.method() == Method::POST { key(request.headers()).map_err(ApiFailure)? } else { None };
    let (Some(key), Some((portal, presented))) = (key, presented(&request)) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let now = portal.now();
    let Some(access) = access(&portal, &presented, now).await.map_err(ApiFailure)? else {
        // The handler refuses it.
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let mut payload = request.take_payload();
    let body = Body::of(request.request(), &mut payload).bytes().await.map_err(ApiFailure)?;
    let keyed = KeyedRequest { credential: presented.digest, key, request: digest(&request, &body) };
    let _running = portal.running.begin(&portal, &keyed).ok_or(ApiFailure(Failure::StillRunning))?;
    if let Some(answer) = stored(&portal, &keyed, access, now).await.map_err(ApiFailure)? {
        if access == Access::Full {
            // Counts the use of the token.
            drop(ApiCaller::check(request.request(), None).await);
        } else {
            let address = peer(request.request());
            let path = request.path();
            tracing::info!(%address, path, "a replaced secret fetched the answer to its rotation");
        }
        return Ok(request.into_response(answer));
    }
    let bytes = Bytes::copy_from_slice(&body);
    request
        .set_payload(Payload::Stream { payload: Box::pin(futures_util::stream::iter([Ok::<_, PayloadError>(bytes)])) });
    if access == Access::Full {
        request.extensions_mut().insert(keyed.clone());
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if response.status().is_success() {
        return Ok(response);
    }
    // The same request may have been answered meanwhile: on another node, or the first time after its client had gone.
    if let Ok(Some(access)) = self::access(&portal, &presented, now).await
        && let Ok(Some(answer)) = stored(&portal, &keyed, access, now).await
    {
        return Ok(response.into_response(answer));
    }
    Ok(response)
}

/// The well-formed credential of a request that is private; the handler refuses all others.
fn presented(request: &ServiceRequest) -> Option<(web::Data<Portal>, Presented)> {
    let portal = request.app_data::<web::Data<Portal>>()?.clone();
    let headers = request.headers().get_all(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    let presented = parse(headers).ok()?;
    Client::of(request.request(), &portal.settings).require_private().ok()?;
    Some((portal, presented))
}

async fn access(portal: &Portal, presented: &Presented, now: Timestamp) -> Result<Option<Access>, Failure> {
    match authenticate(&portal.db, presented.clone(), None, now).await {
        Ok(_) => Ok(Some(Access::Full)),
        Err(Refusal::NotGood(Reason::Replaced(_) | Reason::RepositoryTokenReplaced(_))) => {
            match check_replaced(&portal.db, presented.clone(), now).await {
                Ok(()) => Ok(Some(Access::Recovery)),
                Err(Refusal::NotGood(_)) => Ok(None),
                Err(Refusal::Storage(error)) => Err(error.into()),
            }
        }
        Err(Refusal::NotGood(_)) => Ok(None),
        Err(Refusal::Storage(error)) => Err(error.into()),
    }
}

async fn stored(
    portal: &Portal,
    keyed: &KeyedRequest,
    access: Access,
    now: Timestamp,
) -> Result<Option<HttpResponse>, Failure> {
    let wanted = keyed.clone();
    let find = move |connection: &mut Connection| -> Result<_, StorageError> {
        idempotency::find(connection, &wanted.credential, &wanted.key, now)
    };
    let Some(stored) = portal.db.read(find).await? else { return Ok(None) };
    if access == Access::Recovery && !stored.is_rotation() {
        return Ok(None);
    }
    if stored.request != keyed.request {
        return Err(Failure::KeyReused);
    }
    let text = stored.open(&portal.keys, keyed);
    let text = text.ok_or_else(|| {
        tracing::error!("the key that sealed a stored answer is missing");
        Failure::Conflict(
            "This request was answered before, and the answer can no longer be read. Check what it changed, then use another \
             Idempotency-Key."
                .into(),
        )
    })?;
    Ok(Some(Reply::stored(stored.status, &text).into_response()))
}

/// The value of the header: a string (RFC 8941, section 3.3.3), or the same without quotes.
fn key(headers: &header::HeaderMap) -> Result<Option<String>, Failure> {
    let invalid = || {
        Failure::BadRequest(format!(
            "Idempotency-Key must be 1 to {MAX_KEY_LEN} visible ASCII characters, once, with or without quotes. Use a random value."
        ))
    };
    let mut values = headers.get_all(HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid());
    }
    let text = value.to_str().map_err(|_| invalid())?.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or_else(invalid)?,
        None => text.to_owned(),
    };
    if key.is_empty() || key.len() > MAX_KEY_LEN || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid());
    }
    if contains_secret(&key) {
        let sentence =
            "Idempotency-Key contains a token. Use a random value, and revoke the token if others have seen it.";
        return Err(Failure::BadRequest(sentence.into()));
    }
    Ok(Some(key))
}

/// What is between the quotes, of which the first is gone.
fn unquoted(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next().filter(|escaped| ['"', '\\'].contains(escaped))?),
            other => key.push(other),
        }
    }
}

fn digest(request: &ServiceRequest, body: &[u8]) -> Digest {
    let address = request.uri().path_and_query().map_or("", |address| address.as_str());
    let mut hasher = Sha256::new();
    for part in [request.method().as_str().as_bytes(), b"\n", address.as_bytes(), b"\n", body] {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// The requests with a key that are being handled in this process.
#[derive(Debug, Default)]
pub struct RunningRequests(Mutex<HashSet<(Digest, String)>>);

/// One of them, until it is dropped.
struct Running {
    portal: web::Data<Portal>,
    own: (Digest, String),
}

impl RunningRequests {
    /// `None` while another request with the same credential and key is handled.
    fn begin(&self, portal: &web::Data<Portal>, keyed: &KeyedRequest) -> Option<Running> {
        let own = (keyed.credential, keyed.key.clone());
        let begun = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(own.clone());
        begun.then(|| Running { portal: portal.clone(), own })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.portal.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.own);
    }
}

#[cfg(test)]
mod tests;
