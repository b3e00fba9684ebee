//! The faces of a failure: a page, or what the programs at each door understand. A handler's return type picks one, and
//! `?` just works.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::{Failure, oci};
use crate::auth::authorize::InsufficientScope;
use crate::auth::hasher::Busy;
use crate::auth::signing::SigningError;
use crate::auth::{authenticate, sign_in};
use crate::storage::acting::Ended;
use crate::storage::api_token_changes::Refusal;
use crate::storage::{StorageError, repository_changes, role_changes, service_changes, user_changes};
use crate::web::gateway::{self, forward_auth};
use crate::web::{api, urls};

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
    )*

    impl Failure {
        /// The failure in an error of a handler, in whatever format it was answered.
        pub fn of(error: &actix_web::Error) -> Option<&Self> {
            None$(.or_else(|| error.as_error::<$face>().map(|face| &face.0)))*
        }
    }
    };
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
impl IntoFailure for SigningError {}
impl IntoFailure for Refusal {}
impl IntoFailure for Ended {}
impl IntoFailure for repository_changes::Refusal {}
impl IntoFailure for service_changes::Refusal {}
impl IntoFailure for user_changes::Refusal {}
impl IntoFailure for role_changes::Refusal {}

faces! {
    /// The face for people: a page, which `middleware::pages` draws.
    PageFailure
    /// The face for scripts: problem details (RFC 9457).
    ApiFailure
    /// The face for clients of container registries: the errors of the OCI Distribution Specification.
    OciFailure
    /// The face for reverse proxies, which understand few answers.
    ForwardFailure
    /// The face for services: an error of OAuth (RFC 6749, section 5.2).
    OAuthFailure
}

impl ResponseError for PageFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status());
        match &self.0 {
            Failure::SessionMissing { next: Some(next) } => {
                response.insert_header((header::LOCATION, urls::login(next)));
            }
            Failure::ReauthenticationNeeded { next } => {
                response.insert_header((header::LOCATION, urls::reauthenticate(next)));
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

impl ResponseError for OciFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        oci::response(&self.0)
    }
}

impl ResponseError for ApiFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        api::problem::response(&self.0)
    }
}

impl ResponseError for ForwardFailure {
    fn status_code(&self) -> StatusCode {
        forward_auth::status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        forward_auth::refusal(&self.0)
    }
}

impl ResponseError for OAuthFailure {
    fn status_code(&self) -> StatusCode {
        self.0.status()
    }

    fn error_response(&self) -> HttpResponse {
        gateway::oauth::response(&self.0)
    }
}
