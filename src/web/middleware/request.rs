//! Around every request: its number, its line in the log, a limit of time, and an answer even where a handler panicked.

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::FutureExt as _;

use super::headers;
use crate::domain::secret::{contains_secret, random_code};
use crate::randomness;
use crate::web::client::peer;
use crate::web::error::{ApiFailure, Failure, PageFailure};
use crate::web::portal::Portal;

/// How long a request may take from its head to the head of its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of path and query.
const LONGEST_ADDRESS: usize = 4 * 1024;
/// Bytes of all headers.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of a request, in the log and on error pages.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl RequestId {
    /// Unlike any other of this or another process.
    fn next() -> Self {
        static PROCESS: LazyLock<String> = LazyLock::new(|| random_code(&mut randomness::system())[..8].to_owned());
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(format!("{}-{:06x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn of(request: &HttpRequest) -> String {
        request.extensions().get::<Self>().map_or_else(String::new, |id| id.0.clone())
    }
}

pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::next();
    let https = request.app_data::<web::Data<Portal>>().is_some_and(|portal| portal.settings.public_url.is_https());
    request.extensions_mut().insert(id.clone());
    let line = Line::of(&id, request.request());
    if let Err(failure) = limit_head(&request) {
        line.failure(&failure);
        let response = HttpResponse::build(failure.status()).body(failure.sentence());
        let mut response = request.into_response(response);
        finish(response.headers_mut(), &line, https);
        return Ok(response);
    }
    let answered = AssertUnwindSafe(tokio::time::timeout(PATIENCE, next.call(request))).catch_unwind().await;
    let gave_up = |failure: Failure| {
        line.failure(&failure);
        Err(refusal(&line, HttpResponse::build(failure.status()).body(failure.sentence()), https))
    };
    match answered {
        Ok(Ok(Ok(response))) => {
            let mut response = response.map_into_boxed_body();
            line.answer(response.status(), response.response().error());
            finish(response.headers_mut(), &line, https);
            Ok(response)
        }
        Ok(Ok(Err(error))) => {
            let response = error.error_response();
            line.answer(response.status(), Some(&error));
            Err(refusal(&line, response, https))
        }
        Ok(Err(_)) => gave_up(Failure::Unavailable("the request took longer than 30 seconds".into())),
        Err(_) => gave_up(Failure::Internal("a handler panicked; see the line before".into())),
    }
}

/// The framework itself lets far more pass.
fn limit_head(request: &ServiceRequest) -> Result<(), Failure> {
    if request.uri().path_and_query().is_some_and(|text| text.as_str().len() > LONGEST_ADDRESS) {
        return Err(Failure::AddressTooLong);
    }
    let size: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > LARGEST_HEAD || request.headers().len() > MOST_HEADERS {
        return Err(Failure::HeadTooLarge);
    }
    Ok(())
}

fn refusal(line: &Line, mut response: HttpResponse, https: bool) -> Error {
    finish(response.headers_mut(), line, https);
    InternalError::from_response("refused", response).into()
}

fn finish(headers: &mut actix_web::http::header::HeaderMap, line: &Line, https: bool) {
    headers::apply(headers, https);
    if let Ok(value) = HeaderValue::from_str(&line.id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// What the log tells of a request: never its query, its headers or its body.
struct Line {
    id: String,
    method: Method,
    path: String,
    peer: std::net::IpAddr,
    started: Instant,
}

impl Line {
    fn of(id: &RequestId, request: &HttpRequest) -> Self {
        let path = request.path();
        Self {
            id: id.0.clone(),
            method: request.method().clone(),
            path: if contains_secret(path) { "(a path with a token in it)".into() } else { path.to_owned() },
            peer: peer(request),
            started: Instant::now(),
        }
    }

    fn answer(&self, status: StatusCode, error: Option<&Error>) {
        if let Some(failure) = error.and_then(failure) {
            self.failure(failure);
        } else if status.is_server_error() {
            let cause = error.map(ToString::to_string).unwrap_or_default();
            tracing::error!(request = %self.id, %cause, "a request failed");
        }
        let milliseconds = self.started.elapsed().as_secs_f64() * 1_000.0;
        let status = status.as_u16();
        // A check of a token or a probe is no news; there may be thousands a second.
        if self.path.starts_with("/api/") || self.path.starts_with("/static/") || self.path.ends_with('z') {
            tracing::debug!(request = %self.id, method = %self.method, path = %self.path, peer = %self.peer, status, milliseconds, "request");
        } else {
            tracing::info!(request = %self.id, method = %self.method, path = %self.path, peer = %self.peer, status, milliseconds, "request");
        }
    }

    fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Internal(cause) => {
                tracing::error!(request = %self.id, path = %self.path, %cause, "a request failed")
            }
            Failure::Unavailable(cause) => {
                tracing::warn!(request = %self.id, path = %self.path, %cause, "a request was put off")
            }
            Failure::Unauthorized(reason) => {
                tracing::info!(request = %self.id, path = %self.path, peer = %self.peer, %reason, "credentials were refused")
            }
            other => tracing::debug!(request = %self.id, path = %self.path, reason = %other, "a request was refused"),
        }
    }
}

fn failure(error: &Error) -> Option<&Failure> {
    error.as_error::<PageFailure>().map(|face| &face.0).or_else(|| error.as_error::<ApiFailure>().map(|face| &face.0))
}
