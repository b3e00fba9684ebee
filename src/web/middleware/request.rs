//! Around every request: its number, its line in the log, the limits of its head, and an answer even where a handler panicked.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::FutureExt as _;

use super::{body_pieces, headers};
use crate::auth::authenticate::Reason;
use crate::domain::secret::{random_code, unless_secret};
use crate::randomness;
use crate::web::client::peer;
use crate::web::connection::{Exchange, UnderWay};
use crate::web::error::Failure;
use crate::web::gateway::forward_auth;
use crate::web::portal::Portal;
use crate::web::urls;
use crate::web::{budget, denial};

/// Bytes of path and query.
const LONGEST_ADDRESS: usize = 4 * 1024;
/// Bytes of all headers but cookies.
const LARGEST_HEAD: usize = 16 * 1024;
/// Bytes of all cookies: other sites on the same host set them, too.
const MAX_COOKIE_BYTES: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;
/// Requests on one connection; the next one takes another.
const MOST_REQUESTS: u32 = 500;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of a request, in the log and on error pages: unlike any other of this or another process.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(COUNT.fetch_add(1, Ordering::Relaxed))
    }

    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().copied().unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static PROCESS: LazyLock<String> = LazyLock::new(|| random_code(&mut randomness::system())[..8].to_owned());
        write!(f, "{}-{:06x}", *PROCESS, self.0)
    }
}

pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // A client that sends without reading fills memory with answers: after so many, what it sent ahead gets next to nothing.
    let under_way = request.request().conn_data::<Rc<Exchange>>().map(|exchange| exchange.begin());
    let count = under_way.as_ref().map_or(0, UnderWay::number);
    if count > MOST_REQUESTS {
        let mut response = HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE);
        response.head_mut().set_connection_type(ConnectionType::Close);
        return Ok(request.into_response(response));
    }
    let id = RequestId::next();
    let portal = request.app_data::<web::Data<Portal>>();
    let https = portal.is_some_and(|portal| portal.settings.public_url.is_https());
    let stopping = portal.is_some_and(|portal| portal.stopping.load(Ordering::SeqCst));
    request.extensions_mut().insert(id);
    let mut line = Line::of(request.request());
    line.closes = count >= MOST_REQUESTS || stopping;
    if let Err(failure) = limit_head(&request) {
        line.failure(&failure);
        let response = HttpResponse::build(understood(request.path(), failure.status())).body(failure.sentence());
        let mut response = request.into_response(response);
        finish(response.response_mut(), &line, https);
        return Ok(response);
    }
    let answered = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    match answered {
        Ok(Ok(response)) => {
            let mut response = response.map_body(|_, body| body_pieces::in_pieces(body.boxed(), under_way));
            budget::settle(&response);
            line.answer(response.status(), response.response().error(), Some(response.request()));
            line.admitted = response.status() == StatusCode::OK && line.path.starts_with(urls::FORWARD_AUTH);
            finish(response.response_mut(), &line, https);
            Ok(response)
        }
        Ok(Err(error)) => {
            let response = error.error_response();
            line.answer(response.status(), Some(&error), None);
            Err(refusal(&line, response, https))
        }
        Err(_) => {
            let failure = Failure::Internal("a handler panicked; see the line before".into());
            line.failure(&failure);
            let status = understood(&line.path, failure.status());
            Err(refusal(&line, HttpResponse::build(status).body(failure.sentence()), https))
        }
    }
}

/// A status that whoever asks at this path understands.
fn understood(path: &str, status: StatusCode) -> StatusCode {
    // The router knows other spellings of the path.
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    if path.starts_with(urls::FORWARD_AUTH) { forward_auth::status(status) } else { status }
}

/// The framework itself lets far more pass.
fn limit_head(request: &ServiceRequest) -> Result<(), Failure> {
    let length = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    // Caddy adds its client's query to the address that it asks, where nobody reads it.
    let asked = if request.path().starts_with(urls::FORWARD_AUTH) { request.path().len() } else { length };
    if asked > LONGEST_ADDRESS {
        return Err(Failure::AddressTooLong);
    }
    let (mut size, mut cookies) = (0, 0);
    for (name, value) in request.headers() {
        let sum = if *name == header::COOKIE { &mut cookies } else { &mut size };
        *sum += name.as_str().len() + value.len();
    }
    if size > LARGEST_HEAD || cookies > MAX_COOKIE_BYTES || request.headers().len() > MOST_HEADERS {
        return Err(Failure::HeadTooLarge);
    }
    Ok(())
}

fn refusal(line: &Line, mut response: HttpResponse, https: bool) -> Error {
    finish(&mut response, line, https);
    InternalError::from_response("refused", response).into()
}

fn finish<B>(response: &mut HttpResponse<B>, line: &Line, https: bool) {
    if line.closes {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if line.admitted {
        return headers::apply_for_a_proxy(headers);
    }
    headers::apply(headers, https);
    if let Ok(value) = HeaderValue::try_from(line.id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
}

/// What the log tells of a request: never its query, its headers or its body.
pub struct Line {
    id: RequestId,
    method: Method,
    path: String,
    peer: std::net::IpAddr,
    started: Instant,
    /// Whether a proxy was told that a request may pass: it reads that answer alone, and shows it to nobody.
    admitted: bool,
    /// Whether the connection is closed after the answer.
    closes: bool,
}

impl Line {
    /// What there is to tell of a request that has its number.
    pub fn of(request: &HttpRequest) -> Self {
        let path = request.path();
        Self {
            id: RequestId::of(request),
            method: request.method().clone(),
            path: unless_secret(path, "(a path with a token in it)").to_owned(),
            peer: peer(request),
            started: Instant::now(),
            admitted: false,
            closes: false,
        }
    }

    fn answer(&self, status: StatusCode, error: Option<&Error>, request: Option<&HttpRequest>) {
        if let Some(error) = error {
            match Failure::of(error) {
                Some(failure) if request.is_some_and(|request| denial::record(request, failure)) => {}
                Some(failure) => self.failure(failure),
                None => tracing::error!(request = %self.id, cause = %error, "a request failed"),
            }
        }
        let milliseconds = self.started.elapsed().as_secs_f64() * 1_000.0;
        let status = status.as_u16();
        let method = unless_secret(self.method.as_str(), "(a method with a token in it)");
        // A check of a token or a probe is no news; there may be thousands a second.
        let doors = ["/api/", "/static/", urls::FORWARD_AUTH, urls::OCI_TOKEN, urls::INTROSPECTION];
        if doors.iter().any(|door| self.path.starts_with(door)) || self.path.ends_with('z') {
            tracing::debug!(request = %self.id, %method, path = %self.path, peer = %self.peer, status, milliseconds, "request");
        } else {
            tracing::info!(request = %self.id, %method, path = %self.path, peer = %self.peer, status, milliseconds, "request");
        }
    }

    /// Why a request was not done, as loud as it deserves.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Internal(cause) => {
                tracing::error!(request = %self.id, path = %self.path, %cause, "a request failed")
            }
            Failure::Unavailable(cause) => {
                tracing::warn!(request = %self.id, path = %self.path, %cause, "a request was put off")
            }
            Failure::Disk { .. } | Failure::OutcomeUnknown(_) => {
                tracing::error!(request = %self.id, path = %self.path, cause = %failure, "a request failed")
            }
            // Garbage is no news: whoever sends it by the thousand must not fill the log.
            Failure::Unauthorized(Reason::Unusable(unusable)) => {
                tracing::debug!(request = %self.id, path = %self.path, peer = %self.peer, reason = %unusable, "credentials were refused");
            }
            Failure::Unauthorized(reason) => {
                tracing::info!(request = %self.id, path = %self.path, peer = %self.peer, %reason, "credentials were refused")
            }
            Failure::PlainHttp => tracing::info!(request = %self.id, path = %self.path, peer = %self.peer,
                missing = "X-Forwarded-Proto: https, from a proxy in --trusted-proxies",
                "credentials over plain HTTP were refused"),
            other => tracing::debug!(request = %self.id, path = %self.path, reason = %other, "a request was refused"),
        }
    }
}
