//! What the doors of OAuth have in common: their errors (RFC 6749, section 5.2), and the rules around all of them.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use serde::Serialize;

use crate::domain::secret::contains_secret;
use crate::web::error::{Failure, OAuthFailure};
use crate::web::form::Typed;

#[derive(Serialize)]
struct ErrorJson {
    error: &'static str,
    error_description: String,
}

/// The answer to a failure.
pub fn response(failure: &Failure) -> HttpResponse {
    let status = match failure.status() {
        StatusCode::SEE_OTHER => StatusCode::UNAUTHORIZED,
        status => status,
    };
    let mut response = HttpResponse::build(status);
    let error = match status {
        StatusCode::UNAUTHORIZED => {
            response.append_header((header::WWW_AUTHENTICATE, "Bearer realm=\"Tokenhouse\""));
            response.append_header((header::WWW_AUTHENTICATE, "Basic realm=\"Tokenhouse\", charset=\"UTF-8\""));
            "invalid_client"
        }
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "server_error",
        _ => "invalid_request",
    };
    if let Some(seconds) = failure.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    if let Some(methods) = failure.allow() {
        response.insert_header((header::ALLOW, methods));
    }
    response.json(ErrorJson { error, error_description: description(&failure.sentence()) })
}

/// Of all characters RFC 6749 allows only those of ASCII that can be seen, and neither the quotation mark nor the backslash.
fn description(sentence: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    sentence.replace(['“', '”', '"', '’'], "'").chars().filter(|&c| allowed(c)).collect()
}

/// Around every endpoint: a token in the address is an error that says where it belongs.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.uri().path_and_query().is_some_and(|text| contains_secret(text.as_str())) {
        let sentence = "A token does not belong into an address, where logs keep it. \
                        Send it in the body of a POST, and rotate this one: it may have leaked.";
        let failure = OAuthFailure(Failure::BadRequest(sentence.into()));
        let (request, _) = request.into_parts();
        return Ok(ServiceResponse::from_err(failure, request));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The parameter `token`, which a request must have.
pub fn required_token(typed: &Typed) -> Result<&str, Failure> {
    match typed.text("token") {
        "" => Err(Failure::BadRequest("The parameter “token” is missing.".into())),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_only_what_the_standard_allows() {
        assert_eq!(description("The “token” isn’t \\ \"here\".\n"), "The 'token' isn't  'here'.");
    }
}
