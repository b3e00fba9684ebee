//! Errors in the form that clients of container registries show to people (OCI Distribution Specification, "Error Codes").

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::Failure;

#[derive(Serialize)]
struct ErrorsJson {
    errors: [ErrorJson; 1],
}

#[derive(Serialize)]
struct ErrorJson {
    code: &'static str,
    message: String,
}

/// The answer to a failure.
pub(super) fn response(failure: &Failure) -> HttpResponse {
    let mut response = HttpResponse::build(failure.status());
    if failure.status() == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"Tokenhouse\", charset=\"UTF-8\""));
    }
    if let Some(seconds) = failure.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    if let Some(methods) = failure.allow() {
        response.insert_header((header::ALLOW, methods));
    }
    let code = match failure.status() {
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::FORBIDDEN => "DENIED",
        StatusCode::METHOD_NOT_ALLOWED => "UNSUPPORTED",
        StatusCode::TOO_MANY_REQUESTS => "TOOMANYREQUESTS",
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
        _ => "UNKNOWN",
    };
    let message = match failure {
        Failure::Unauthorized(_) => "The username or the token is missing or not accepted. Sign in with a username and an API token, or with a repository's name and its token. Send the token as Bearer or Basic.".into(),
        other => other.sentence(),
    };
    response.json(ErrorsJson { errors: [ErrorJson { code, message }] })
}
