//! The OpenAPI 3.1 document of the API, made from the handlers: `/api/v1/openapi.json`, and what the page `/api` shows.
//! `tests/portal/openapi.rs` compares it with the route table.

mod complete;

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use utoipa::OpenApi;

use super::answer;
use super::problem::ProblemJson;
use super::{audit, me, policies, repositories, roles, services, tokens, users};
use crate::web::error::ApiFailure;

/// Each handler of the API. `complete` adds what is the same for all of them.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tokenhouse API",
        description = "Tokens, repositories, grants and administration, for scripts. Send a token as `Authorization: Bearer <token>`, or as the password of Basic with its username. Errors are problem details (RFC 9457). Lists come in pages; follow `next` until it is null.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This portal")),
    tags(
        (name = "Token that asks", description = "What a token is and may do."),
        (name = "API tokens", description = "One's own API tokens. None is made here: that takes a person, on the page API Token Management."),
        (name = "Repositories", description = "What tokens open."),
        (name = "Repository tokens", description = "The token of a repository itself."),
        (name = "Grants", description = "Who else may read or write a repository."),
        (name = "Users", description = "Everybody's accounts. Nobody gives or touches more than they hold."),
        (name = "Roles", description = "Named sets of privileges. Those that are built in stay as they are."),
        (name = "Services", description = "The systems that may ask about tokens. None is made here and no token of one is rotated: that takes a person, in Administration."),
        (name = "Policies", description = "The limits for all tokens."),
        (name = "Audit log", description = "Who did what, when and from where. Nobody changes it."),
        (name = "Reference", description = "This description."),
    ),
    paths(
        me::show,
        tokens::index,
        tokens::show,
        tokens::update,
        tokens::destroy,
        tokens::current::show,
        tokens::current::destroy,
        tokens::rotation::create,
        repositories::index,
        repositories::creation::create,
        repositories::show,
        repositories::changes::update,
        repositories::changes::destroy,
        repositories::token::show,
        repositories::token::create,
        repositories::callers::index,
        repositories::grants::index,
        repositories::grants::update,
        repositories::grants::destroy,
        users::index,
        users::creation::create,
        users::show,
        users::changes::update,
        users::disablement::create,
        users::enablement::create,
        users::sign_out::create,
        roles::index,
        roles::creation::create,
        roles::show,
        roles::changes::update,
        roles::changes::destroy,
        services::index,
        services::show,
        services::destroy,
        policies::show,
        policies::update,
        audit::index,
        show,
    ),
    components(schemas(ProblemJson)),
)]
struct Described;

struct Document {
    value: Value,
    text: String,
    tag: String,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let mut value = serde_json::to_value(Described::openapi()).unwrap_or_default();
    complete::complete(&mut value);
    let text = answer::text(&value).unwrap_or_default();
    Document { tag: answer::tag(text.as_bytes()), value, text }
});

/// Puts the document together, so that no request has to.
pub fn prepare() {
    LazyLock::force(&DOCUMENT);
}

/// The document, for the page that shows it.
pub fn document() -> &'static Value {
    &DOCUMENT.value
}

/// `GET /api/v1/openapi.json`
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "Reference",
    summary = "Show this description",
    description = "OpenAPI 3.1, for generators and readers.",
    security(()),
    responses(
        (status = 200, description = "The description.", body = Value),
        (status = 304, description = "It is as `If-None-Match` says."),
    ),
)]
pub async fn show(request: HttpRequest) -> Result<HttpResponse, ApiFailure> {
    Ok(answer::unless_known(&request, &DOCUMENT.tag, || {
        HttpResponse::Ok().insert_header(header::ContentType::json()).body(DOCUMENT.text.as_str())
    }))
}
