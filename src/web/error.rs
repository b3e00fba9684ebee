//! One enum of all that can go wrong in a handler, and a newtype for each face it can wear.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use crate::auth::authorize::InsufficientScope;
use crate::auth::hasher::Busy;
use crate::auth::{authenticate, sign_in};
use crate::storage::StorageError;
use crate::storage::api_token_changes::Refusal;

/// Why a request was not done. The sentences are for the person; causes go to the log only.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("not found")]
    NotFound,
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// A page that needs a session; `next` is where to come back to, for requests that can be repeated.
    #[error("no session")]
    SessionMissing { next: Option<String> },
    /// A page that needs a recent password entry.
    #[error("the last password entry is too long ago")]
    ReauthenticationNeeded { next: String },
    /// The methods that are allowed, divided by spaces.
    #[error("method not allowed")]
    MethodNotAllowed(&'static str),
    #[error("bad request: {0}")]
    BadRequest(String),
    #[error("conflict: {0}")]
    Conflict(String),
    #[error("the body came too slowly")]
    Timeout,
    #[error("the address is too long")]
    AddressTooLong,
    #[error("the headers are too large")]
    HeadTooLarge,
    #[error("the body is too large")]
    TooLarge,
    #[error("unsupported media type")]
    UnsupportedMediaType,
    #[error("a host that is not ours")]
    Misdirected,
    #[error("too many tries")]
    TooManyRequests { seconds: i64 },
    /// A door: no good credentials.
    #[error("refused: {0}")]
    Unauthorized(authenticate::Reason),
    /// A door: the token lacks a permission.
    #[error(transparent)]
    InsufficientScope(InsufficientScope),
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::SessionMissing { next: Some(_) } | Self::ReauthenticationNeeded { .. } => StatusCode::SEE_OTHER,
            Self::SessionMissing { next: None } | Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::AddressTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the person is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "There is nothing here, or nothing that you may see.".into(),
            Self::Forbidden(sentence) | Self::BadRequest(sentence) | Self::Conflict(sentence) => sentence.clone(),
            Self::SessionMissing { .. } => "Your session has ended. Sign in and try again.".into(),
            Self::ReauthenticationNeeded { .. } => "Confirm your password first.".into(),
            Self::MethodNotAllowed(methods) => format!("This address takes {} only.", methods.replace(' ', " and ")),
            Self::Timeout => "The request came in too slowly. Send it again.".into(),
            Self::AddressTooLong => "The address is longer than 4 kB. Use a shorter one.".into(),
            Self::HeadTooLarge => "The headers are larger than 16 kB. Send fewer or shorter ones.".into(),
            Self::TooLarge => "The request is larger than 64 kB. Send less.".into(),
            Self::UnsupportedMediaType => {
                "The request has the wrong content type. Pages take application/x-www-form-urlencoded.".into()
            }
            Self::Misdirected => "This portal does not answer under this host name. Use its public address.".into(),
            Self::TooManyRequests { seconds } => {
                format!("Too many tries. Wait {} and try again.", in_words(*seconds))
            }
            Self::Unauthorized(_) => "The credentials are missing or not accepted.".into(),
            Self::InsufficientScope(scope) => format!("{}.", capitalised(&scope.to_string())),
            Self::Unavailable(_) => "The portal is busy at this moment. Try again in a few seconds.".into(),
            Self::Internal(_) => {
                "Something went wrong here, and it was logged. Try again, and tell an administrator the request number if it stays."
                    .into()
            }
        }
    }

    /// A short name of the failure, the heading of its page.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Forbidden(_) => "Not allowed",
            Self::SessionMissing { .. } | Self::ReauthenticationNeeded { .. } => "Sign in first",
            Self::MethodNotAllowed(_) => "Method not allowed",
            Self::BadRequest(_) => "Request not understood",
            Self::Conflict(_) => "No longer possible",
            Self::Timeout => "Too slow",
            Self::AddressTooLong | Self::HeadTooLarge | Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Wrong content type",
            Self::Misdirected => "Wrong host",
            Self::TooManyRequests { .. } => "Too many tries",
            Self::Unauthorized(_) => "Unauthorized",
            Self::InsufficientScope(_) => "Insufficient scope",
            Self::Unavailable(_) => "Busy",
            Self::Internal(_) => "Something went wrong",
        }
    }

    /// For the header `Allow`.
    pub fn allow(&self) -> Option<String> {
        match self {
            Self::MethodNotAllowed(methods) => Some(methods.replace("GET", "GET HEAD").replace(' ', ", ")),
            _ => None,
        }
    }

    /// Seconds for `Retry-After`, where waiting helps.
    pub const fn retry_after(&self) -> Option<i64> {
        match self {
            Self::TooManyRequests { seconds } => Some(*seconds),
            Self::Unavailable(_) => Some(2),
            _ => None,
        }
    }
}

fn in_words(seconds: i64) -> String {
    match seconds {
        ..=1 => "1 second".into(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(cause) => Self::Unavailable(cause),
            error => Self::Internal(with_causes(&error)),
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        Self::Unavailable(busy.to_string())
    }
}

impl From<authenticate::Refusal> for Failure {
    fn from(refusal: authenticate::Refusal) -> Self {
        match refusal {
            authenticate::Refusal::NotGood(reason) => Self::Unauthorized(reason),
            authenticate::Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<InsufficientScope> for Failure {
    fn from(scope: InsufficientScope) -> Self {
        Self::InsufficientScope(scope)
    }
}

impl From<sign_in::Refusal> for Failure {
    fn from(refusal: sign_in::Refusal) -> Self {
        match refusal {
            sign_in::Refusal::Wrong => Self::SessionMissing { next: None },
            sign_in::Refusal::Throttled(wait) => Self::TooManyRequests { seconds: wait.0 },
            sign_in::Refusal::Busy(busy) => busy.into(),
            sign_in::Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::LimitReached(most) => {
                Self::Conflict(format!("You have {most} of {most} tokens. Revoke one, then create another."))
            }
            Refusal::NameTaken => Self::Conflict("A token of this name already exists. Choose another name.".into()),
            Refusal::WrongStatus(status) => Self::Conflict(format!(
                "The token is {} now, so this can no longer be done. Go back and look at it again.",
                status.to_lowercase()
            )),
            Refusal::Overtaken => {
                Self::Conflict("The token was changed after this page was loaded. Go back and look at it again.".into())
            }
            Refusal::Storage(error) => error.into(),
        }
    }
}

macro_rules! faces {
    ($($(#[$doc:meta])* $face:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $face(pub Failure);

        impl<T> From<T> for $face where Failure: From<T> , T: IntoFailure {
            fn from(error: T) -> Self {
                Self(error.into())
            }
        }

        impl fmt::Display for $face {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

/// What `?` may turn into a face.
pub trait IntoFailure {}
impl IntoFailure for Failure {}
impl IntoFailure for StorageError {}
impl IntoFailure for askama::Error {}
impl IntoFailure for Busy {}
impl IntoFailure for authenticate::Refusal {}
impl IntoFailure for InsufficientScope {}
impl IntoFailure for sign_in::Refusal {}
impl IntoFailure for Refusal {}

faces! {
    /// The face for people: a page, which `middleware::pages` draws.
    PageFailure
    /// The face for scripts: problem details (RFC 9457).
    ApiFailure
}

impl ResponseError for PageFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status());
        match &self.0 {
            Failure::SessionMissing { next: Some(next) } => {
                response.insert_header((header::LOCATION, super::urls::login(next)));
            }
            Failure::ReauthenticationNeeded { next } => {
                response.insert_header((header::LOCATION, super::urls::reauthenticate(next)));
            }
            failure => {
                if let Some(seconds) = failure.retry_after() {
                    response.insert_header((header::RETRY_AFTER, seconds));
                }
                if let Some(methods) = failure.allow() {
                    response.insert_header((header::ALLOW, methods));
                }
            }
        }
        response.finish()
    }
}

impl ResponseError for ApiFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        super::api::problem::response(&self.0)
    }
}
