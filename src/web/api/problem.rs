//! Errors of the API as problem details (RFC 9457), and the rules around all of its routes.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::secret::contains_secret;
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure, FieldProblem};
use crate::web::form::Typed;

/// What went wrong, as problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemJson<'a> {
    /// `about:blank`: the status says what kind of problem it is.
    #[schema(example = "about:blank")]
    r#type: &'a str,
    /// The name of the status.
    #[schema(example = "Forbidden")]
    title: &'a str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599, example = 403)]
    status: u16,
    /// What is wrong, and what to do.
    #[schema(example = "The token needs the permission Account: Read and write.")]
    detail: &'a str,
    /// With 422: the fields that cannot be taken.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldProblem],
}

/// The answer to a failure.
pub fn response(failure: &Failure) -> HttpResponse {
    let status = match failure.status() {
        StatusCode::SEE_OTHER => StatusCode::UNAUTHORIZED,
        status => status,
    };
    let mut response = HttpResponse::build(status);
    match failure {
        Failure::Unauthorized(_) => {
            // RFC 6750, section 3, and RFC 7617: both schemes lead in.
            response.append_header((header::WWW_AUTHENTICATE, "Bearer realm=\"Tokenhouse\""));
            response.append_header((header::WWW_AUTHENTICATE, "Basic realm=\"Tokenhouse\", charset=\"UTF-8\""));
        }
        Failure::InsufficientScope(scope) => {
            let value = format!(
                "Bearer realm=\"Tokenhouse\", error=\"insufficient_scope\", scope=\"{}\"",
                scope.area.scope(scope.needed)
            );
            response.append_header((header::WWW_AUTHENTICATE, value));
        }
        _ => {}
    }
    if let Some(seconds) = failure.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    if let Some(methods) = failure.allow() {
        response.insert_header((header::ALLOW, methods));
    }
    let problem = ProblemJson {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &failure.sentence(),
        errors: match failure {
            Failure::Unprocessable(problems) => problems,
            Failure::TokenTyped(problem) => std::slice::from_ref(problem),
            _ => &[],
        },
    };
    let body = answer::text(&problem).unwrap_or_default();
    response.insert_header((header::CONTENT_TYPE, "application/problem+json")).body(body)
}

/// Around every route of the API: a token in the address is an error that says where it belongs.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.uri().path_and_query().is_some_and(|text| contains_secret(text.as_str())) {
        let typed = Typed::token_in_query(request.query_string());
        let failure = ApiFailure(typed.unwrap_or_else(Failure::token_in_address));
        let (request, _) = request.into_parts();
        return Ok(ServiceResponse::from_err(failure, request));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
