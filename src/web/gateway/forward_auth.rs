//! Forward-auth: a reverse proxy asks here before it lets a request through. What is asked stands in the path, never in the
//! query, to which Caddy adds the client's. Proxies understand 200, 401, 403 and 5xx alone, so nothing else is ever answered.

use std::borrow::Cow;

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::auth::authenticate::Caller;
use crate::domain::permission::Permission;
use crate::domain::repository::RepositoryName;
use crate::domain::secret::unless_secret;
use crate::web::client;
use crate::web::error::{Failure, ForwardFailure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const KIND: HeaderName = HeaderName::from_static("x-auth-kind");
const TOKEN_ID: HeaderName = HeaderName::from_static("x-auth-token-id");
const TOKEN_NAME: HeaderName = HeaderName::from_static("x-auth-token-name");
const REPOSITORY: HeaderName = HeaderName::from_static("x-auth-repository");
const PERMISSION: HeaderName = HeaderName::from_static("x-auth-permission");

/// What a header does not carry as it is. The percent sign is among them, so that it can be read back.
const ENCODED: AsciiSet = CONTROLS.add(b'%');
const EMPTY: HeaderValue = HeaderValue::from_static("");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Tokenhouse\", charset=\"UTF-8\"");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Tokenhouse\"");

/// How a proxy tells what it was asked for. The headers of the other one are the client's own: nginx passes on
/// `X-Forwarded-*`, and Caddy `X-Original-*`.
struct Dialect {
    method: HeaderName,
    uri: HeaderName,
}

const NGINX: Dialect =
    Dialect { method: HeaderName::from_static("x-original-method"), uri: HeaderName::from_static("x-original-uri") };
/// Caddy and Traefik.
const FORWARD: Dialect =
    Dialect { method: HeaderName::from_static("x-forwarded-method"), uri: HeaderName::from_static("x-forwarded-uri") };

/// `/auth/nginx`: any good token of a user or a repository. `/auth/nginx/{name}`: one that may do at the repository what the
/// original request is about to do.
pub async fn nginx(request: HttpRequest, portal: web::Data<Portal>) -> Result<HttpResponse, ForwardFailure> {
    answer(&request, &portal, &NGINX).await
}

/// `/auth/forward` and `/auth/forward/{name}`: the same.
pub async fn forward(request: HttpRequest, portal: web::Data<Portal>) -> Result<HttpResponse, ForwardFailure> {
    answer(&request, &portal, &FORWARD).await
}

/// Where no door is. A path that a proxy put together wrongly opens nothing.
pub async fn nothing() -> Result<HttpResponse, ForwardFailure> {
    Err(no_right().into())
}

async fn answer(request: &HttpRequest, portal: &Portal, dialect: &Dialect) -> Result<HttpResponse, ForwardFailure> {
    refuse_control_characters(request)?;
    log_original(request, portal, dialect);
    let Some(text) = request.match_info().unprocessed().strip_prefix('/') else {
        let caller = ApiCaller::check(request, None).await?;
        if let Caller::Service(_) = *caller {
            return Err(denied(&caller, request).into());
        }
        caller.writes(!reads(request, portal, dialect));
        return admit(&caller, None);
    };
    // As it stands in the path: there is but one way to spell a name.
    let name = RepositoryName::parse(text).ok().filter(|name| name.as_str() == text);
    let caller = ApiCaller::check(request, name).await?;
    let right = caller.right().ok_or_else(|| denied(&caller, request))?;
    let needed = if reads(request, portal, dialect) { Permission::Read } else { Permission::Write };
    caller.writes(needed == Permission::Write);
    if right.permission < needed {
        return Err(denied(&caller, request).into());
    }
    admit(&caller, Some((text, right.permission)))
}

/// A proxy hands on what its client sent. The parser of HTTP lets tabs pass, which no forwarded value needs.
fn refuse_control_characters(request: &HttpRequest) -> Result<(), Failure> {
    let forwarded =
        |name: &str| name == "forwarded" || name.starts_with("x-forwarded-") || name.starts_with("x-original-");
    let mut headers = request.headers().iter().filter(|(name, _)| forwarded(name.as_str()));
    if headers.any(|(_, value)| value.as_bytes().iter().any(u8::is_ascii_control)) {
        return Err(Failure::Forbidden("A forwarded header contains a control character.".into()));
    }
    Ok(())
}

/// What is not surely a read is a write: another method, one in small letters, none, two, or the word of somebody whom we do not trust.
fn reads(request: &HttpRequest, portal: &Portal, dialect: &Dialect) -> bool {
    let mut methods = request.headers().get_all(&dialect.method);
    let (first, second) = (methods.next(), methods.next());
    let reads = first.is_some_and(|method| matches!(method.as_bytes(), b"GET" | b"HEAD" | b"OPTIONS"));
    reads && second.is_none() && client::is_proxy(request, &portal.settings)
}

/// What the proxy was asked for; without the query, which may hold anything.
fn log_original(request: &HttpRequest, portal: &Portal, dialect: &Dialect) {
    if tracing::enabled!(tracing::Level::DEBUG) && client::is_proxy(request, &portal.settings) {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("(none)");
        let path = text(&dialect.uri).split(['?', '#']).next().unwrap_or_default();
        let path = unless_secret(path, "(a path with a token in it)");
        let method = unless_secret(text(&dialect.method), "(a method with a token in it)");
        tracing::debug!(method, path, "a proxy asks");
    }
}

/// 200 with all of the headers, empty where there is nothing to say: what a client made up is overwritten in any case.
fn admit(caller: &Caller, at: Option<(&str, Permission)>) -> Result<HttpResponse, ForwardFailure> {
    let (kind, user, id, token_name) = match caller {
        Caller::ApiToken(own) => ("api_token", own.username.as_str(), own.token.to_string(), own.token_name.as_str()),
        // A repository is never a user: one may be named like the other.
        Caller::Repository(own) => ("repository_token", "", own.token.to_string(), ""),
        Caller::Service(_) => return Err(no_right().into()),
    };
    let (user, id, token_name) = (value(user)?, HeaderValue::try_from(id).map_err(unfit)?, value(token_name)?);
    let (repository, permission) = match (at, caller) {
        (Some((name, permission)), _) => (value(name)?, HeaderValue::from_static(permission.name())),
        (None, Caller::Repository(own)) => (value(own.name.as_str())?, EMPTY),
        (None, _) => (EMPTY, EMPTY),
    };
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(USER, user);
    headers.insert(KIND, HeaderValue::from_static(kind));
    headers.insert(TOKEN_ID, id);
    headers.insert(TOKEN_NAME, token_name);
    headers.insert(REPOSITORY, repository);
    headers.insert(PERMISSION, permission);
    Ok(response)
}

/// Percent-encoded where it has to be.
fn value(text: &str) -> Result<HeaderValue, Failure> {
    match Cow::from(utf8_percent_encode(text, &ENCODED)) {
        Cow::Borrowed(text) => HeaderValue::from_str(text),
        Cow::Owned(text) => HeaderValue::try_from(text),
    }
    .map_err(unfit)
}

fn unfit(error: header::InvalidHeaderValue) -> Failure {
    Failure::Internal(error.to_string())
}

/// The token is valid, and not for this.
fn denied(caller: &ApiCaller, request: &HttpRequest) -> Failure {
    caller.remember(request);
    no_right()
}

const fn no_right() -> Failure {
    Failure::Forbidden(String::new())
}

/// The nearest status that a proxy understands.
pub fn status(of: StatusCode) -> StatusCode {
    match of {
        StatusCode::UNAUTHORIZED => of,
        of if of.is_server_error() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    }
}

/// The answer to a failure. Caddy and Traefik hand it on to the client as it is.
pub fn refusal(failure: &Failure) -> HttpResponse {
    let status = status(failure.status());
    let mut response = HttpResponse::build(status);
    let sentence = match status {
        StatusCode::UNAUTHORIZED => {
            // RFC 7617 and RFC 6750, section 3. Basic comes first: nginx before 1.23 hands on but one, and Docker and browsers know no other.
            response.append_header((header::WWW_AUTHENTICATE, BASIC)).append_header((header::WWW_AUTHENTICATE, BEARER));
            "The credentials are missing or not accepted. Send the token as Bearer or Basic.\n"
        }
        StatusCode::FORBIDDEN => match failure {
            Failure::Forbidden(sentence) if !sentence.is_empty() => return plain(response, sentence.clone() + "\n"),
            Failure::PlainHttp => return plain(response, failure.sentence() + "\n"),
            _ => "This token does not open what was asked for.\n",
        },
        _ => {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from_static("2")));
            "The portal is busy at this moment. Try again in a few seconds.\n"
        }
    };
    plain(response, sentence)
}

fn plain(mut response: HttpResponseBuilder, body: impl MessageBody + 'static) -> HttpResponse {
    response.insert_header((header::CONTENT_TYPE, PLAIN)).body(body)
}
