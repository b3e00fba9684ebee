//! `/oci/token`: the token authentication of container registries. A registry sends its clients here; they show the
//! token that they were given, and take back one of a few minutes that the registry itself can judge.

use std::collections::BTreeMap;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::auth::authenticate::{Caller, Right};
use crate::auth::authorize::{may_list_registry, rights};
use crate::auth::credentials::{self, Presented, Unusable};
use crate::domain::oci_scope::{Granted, OciAction, OciScope};
use crate::domain::permission::Permission;
use crate::domain::repository::RepositoryName;
use crate::domain::secret::{contains_secret, random_code};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::{Connection, Result as Stored};
use crate::web::error::{Failure, OciFailure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::form::Body;
use crate::web::portal::Portal;

/// Seconds before its making from which a token holds: the clocks of registries differ.
const TOLERANCE: i64 = 10;

/// What is signed (the registry's own documentation, "Token Authentication Implementation"). `aud` must be one text:
/// registries do not take a list.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    access: Vec<AccessJson<'a>>,
}

#[derive(Serialize)]
struct AccessJson<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    name: &'a str,
    actions: Vec<&'static str>,
}

#[derive(Serialize)]
struct TokenJson<'a> {
    token: &'a str,
    /// The same under the name that OAuth gives it.
    access_token: &'a str,
    expires_in: i64,
    issued_at: String,
    /// What was granted, in the grammar of the request.
    scope: String,
}

/// The services and scopes that a request names. Parameters that are not known are passed over.
struct Asked {
    services: Vec<String>,
    scopes: Vec<String>,
}

/// `GET /oci/token?service=…&scope=…`, with the token in the Authorization header.
pub async fn show(request: HttpRequest, portal: web::Data<Portal>) -> Result<HttpResponse, OciFailure> {
    let asked = Asked::parse(request.query_string());
    let headers = request.headers().get_all(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    issue(&request, &portal, credentials::parse(headers), &asked).await
}

/// `POST /oci/token`, with the token in the body (CNCF Distribution, "Token Authentication using OAuth 2.0"). No refresh
/// token is issued: clients send the API token or repository token each time, as the password or the refresh token.
pub async fn create(request: HttpRequest, portal: web::Data<Portal>, body: Body) -> Result<HttpResponse, OciFailure> {
    let parameters = body.parameters().await?;
    if request.headers().contains_key(header::AUTHORIZATION) {
        let sentence = "A POST takes the token in the body. Leave the Authorization header out.";
        return Err(Failure::BadRequest(sentence.into()).into());
    }
    let presented = match parameters.text("grant_type") {
        "password" => credentials::named(parameters.text("username"), parameters.text("password")),
        "refresh_token" => credentials::bare(parameters.text("refresh_token")),
        _ => {
            let sentence = "The parameter “grant_type” must be “password” or “refresh_token”.";
            return Err(Failure::BadRequest(sentence.into()).into());
        }
    };
    let asked = Asked { services: parameters.all("service"), scopes: parameters.all("scope") };
    issue(&request, &portal, presented, &asked).await
}

async fn issue(
    request: &HttpRequest,
    portal: &Portal,
    presented: Result<Presented, Unusable>,
    asked: &Asked,
) -> Result<HttpResponse, OciFailure> {
    let scopes = OciScope::parse_all(asked.scopes.iter().map(String::as_str));
    let mut names = scopes.iter().flatten().filter_map(OciScope::governing).cloned().collect::<Vec<_>>();
    names.sort_unstable();
    names.dedup();
    // Most requests are about one repository, whose right is found with the caller, in one statement.
    let single = if names.len() == 1 { names.first().cloned() } else { None };
    let caller = ApiCaller::check_presented(request, presented, single).await?;
    if contains_secret(request.query_string()) {
        return Err(Failure::token_in_address().into());
    }
    if let Caller::Service(_) = *caller {
        caller.remember(request);
        return Err(Failure::Forbidden("The token of a service opens no registry. Use an API token.".into()).into());
    }
    let settings = &portal.settings;
    if asked.services.iter().any(|service| *service != settings.oci_service) {
        let sentence = format!("Tokens are made for the service “{}” only.", settings.oci_service);
        return Err(Failure::BadRequest(sentence).into());
    }
    let scopes = scopes.map_err(|invalid| Failure::BadRequest(invalid.0))?;
    let rights: BTreeMap<_, _> = match caller.right() {
        Some(right) => names.iter().cloned().map(|name| (name, right)).collect(),
        None if names.len() > 1 => ask_rights(portal, &caller, names).await?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    let catalog = may_list_registry(&caller);
    let mut granted: Vec<Granted> = Vec::new();
    for scope in &scopes {
        let right = scope.governing().and_then(|name| rights.get(name));
        if let Some(part) = scope.granted(right.map_or(Permission::None, |right| right.permission), catalog) {
            if let Some(right) = right
                && granted.is_empty()
            {
                caller.at(right.repository);
            }
            granted.push(part);
        }
    }
    let mut actions = granted.iter().flat_map(|part| &part.actions);
    caller.writes(actions.any(|action| *action != OciAction::Pull));
    // The moment at which the caller was judged.
    let now = caller.now();
    let claims = claims(portal, &caller, &granted, now);
    let token = portal.signer.key(&portal.db, &portal.keys, now).await?.sign(&claims)?;
    Ok(HttpResponse::Ok().json(TokenJson {
        token: &token,
        access_token: &token,
        expires_in: claims.exp - now.unix(),
        issued_at: now.for_machines().into(),
        scope: granted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }))
}

impl Asked {
    /// Bytes that are not UTF-8 become what no service and no scope is made of.
    fn parse(query: &str) -> Self {
        let mut asked = Self { services: Vec::new(), scopes: Vec::new() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "service" => asked.services.push(value.into_owned()),
                "scope" => asked.scopes.push(value.into_owned()),
                _ => {}
            }
        }
        asked
    }
}

/// The rights on all of these, as they stand at one moment.
async fn ask_rights(
    portal: &Portal,
    caller: &Caller,
    names: Vec<RepositoryName>,
) -> Stored<Vec<(RepositoryName, Right)>> {
    let caller = caller.clone();
    portal.db.read(move |connection: &mut Connection| rights(connection, &caller, &names)).await
}

/// A token never outlives the one that it was made for.
fn claims<'a>(portal: &'a Portal, caller: &'a Caller, granted: &'a [Granted], now: Timestamp) -> Claims<'a> {
    // A repository may be named like a user.
    let (subject, end) = match caller {
        Caller::ApiToken(own) => (format!("user/{}", own.username), own.expires_at),
        Caller::Repository(own) => (format!("repository/{}", own.name), own.ends_at),
        Caller::Service(own) => (format!("service/{}", own.name), None),
    };
    let longest = now.plus(portal.settings.oci_token_seconds);
    let end = end.map_or(longest, |end| end.min(longest));
    let access = granted.iter().map(|part| AccessJson {
        r#type: &part.kind,
        class: part.class.as_deref(),
        name: &part.name,
        actions: part.actions.iter().copied().map(OciAction::name).collect(),
    });
    Claims {
        iss: portal.settings.public_url.as_str(),
        sub: subject,
        aud: &portal.settings.oci_service,
        exp: end.unix(),
        nbf: now.minus(TOLERANCE).unix(),
        iat: now.unix(),
        jti: random_code(&mut randomness::system()),
        access: access.collect(),
    }
}
