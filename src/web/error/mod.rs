//! One enum of all that can go wrong in a handler, and a newtype for each face it can wear.

mod causes;
mod faces;
mod oci;
mod words;

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::authenticate;
use crate::auth::authorize::InsufficientScope;
use crate::domain::secret::{LOOKS_LIKE_TOKEN, unless_secret};

pub use faces::{ApiFailure, ForwardFailure, OAuthFailure, OciFailure, PageFailure};

/// Why a request was not done. The sentences are for the person; causes go to the log only.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("not found")]
    NotFound,
    /// What was asked for is gone, for the reason in this sentence.
    #[error("gone: {0}")]
    Gone(&'static str),
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// Credentials came over plain HTTP from elsewhere than loopback.
    #[error("credentials over plain HTTP")]
    PlainHttp,
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
    /// A body whose fields broke these rules.
    #[error("refused fields")]
    Unprocessable(Vec<FieldProblem>),
    /// A valid token was typed into this field, which is not meant for one.
    #[error("a token was typed into a field")]
    TokenTyped(FieldProblem),
    #[error("conflict: {0}")]
    Conflict(String),
    /// A conflict that is cleared up by looking at the page `back` again.
    #[error("overtaken: {sentence}")]
    Overtaken { sentence: String, back: String, back_label: &'static str },
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
    /// The user or the token has used up its changes of this hour.
    #[error("too many changes")]
    TooManyChanges { seconds: i64 },
    /// The credential has as many stored answers as it can have.
    #[error("too many stored answers")]
    TooManyAnswers { seconds: i64 },
    /// The first request with this `Idempotency-Key` is still running.
    #[error("a request with the same Idempotency-Key is running")]
    StillRunning,
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// A door: no good credentials.
    #[error("refused: {0}")]
    Unauthorized(authenticate::Reason),
    /// A door: the token lacks a permission.
    #[error(transparent)]
    InsufficientScope(InsufficientScope),
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The disk of the SQLite file is full, or cannot be read or written.
    #[error("disk: {cause}")]
    Disk { is_full: bool, cause: String },
    /// A change that was not confirmed, and may have been made.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    #[error("{0}")]
    Internal(String),
}

/// A field of a body, and the sentence that says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FieldProblem)]
pub struct FieldProblem {
    #[schema(example = "name")]
    pub field: String,
    #[schema(example = "Name is empty. Enter 1 to 100 characters.")]
    pub detail: String,
}

impl Failure {
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Gone(_) => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::PlainHttp | Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::SessionMissing { next: Some(_) } | Self::ReauthenticationNeeded { .. } => StatusCode::SEE_OTHER,
            Self::SessionMissing { next: None } | Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unprocessable(_) | Self::TokenTyped(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) | Self::Overtaken { .. } | Self::StillRunning => StatusCode::CONFLICT,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::AddressTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests { .. } | Self::TooManyChanges { .. } | Self::TooManyAnswers { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unavailable(_) | Self::Disk { .. } | Self::OutcomeUnknown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A valid token was typed into this field. The field's name is not repeated if it contains the token.
    pub fn token_typed(field: &str) -> Self {
        let field = unless_secret(field, "(a token)").to_owned();
        Self::TokenTyped(FieldProblem { field, detail: LOOKS_LIKE_TOKEN.into() })
    }

    /// A form without the hidden values that its page gave it.
    pub fn incomplete_form() -> Self {
        Self::BadRequest("The form is incomplete. Load the page again and fill it in once more.".into())
    }

    /// A token is in the address.
    pub fn token_in_address() -> Self {
        let sentence = "A token does not belong into an address, where logs keep it. \
                        Send it as “Authorization: Bearer <token>”, and rotate this one: it may have leaked.";
        Self::BadRequest(sentence.into())
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
            Self::TooManyRequests { seconds } | Self::TooManyChanges { seconds } | Self::TooManyAnswers { seconds } => {
                Some(*seconds)
            }
            Self::StillRunning => Some(1),
            Self::Unavailable(_) | Self::OutcomeUnknown(_) => Some(2),
            Self::Disk { .. } => Some(60),
            _ => None,
        }
    }
}
