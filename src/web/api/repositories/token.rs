//! `/api/v1/repositories/{name}/token`: the repository's own token, and a new one in its place.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CONFIGURE, reached};
use crate::auth::authenticate::Caller;
use crate::domain::id::RepositoryTokenId;
use crate::domain::permission::Permission;
use crate::domain::repository_token::RepositoryToken;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::acting::Acting;
use crate::storage::idempotency::NewSecret;
use crate::storage::repository_changes::{Change, Refusal, Renewal};
use crate::storage::{Connection, Result as Stored, StorageError, policies, repository_tokens};
use crate::web::api::answer::{self, Reply};
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = RepositoryToken)]
pub struct RepositoryTokenJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    /// How it begins.
    #[schema(example = "thr_AbCdEf…")]
    hint: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(example = "ada")]
    created_by: String,
    /// `null` for never.
    #[schema(format = DateTime, required)]
    last_used_at: Option<String>,
    #[schema(required, example = "192.0.2.7")]
    last_used_address: Option<String>,
    /// Former ones that still work.
    replaced: Vec<ReplacedJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplacedToken)]
pub struct ReplacedJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "thr_AbCdEf…")]
    hint: String,
    #[schema(format = DateTime, required)]
    ends_at: Option<String>,
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Renewal)]
pub struct RenewalJson {
    /// When the old token stops working: `now`, `1h`, `24h` or `7d`, as far as the policies offer it. Left out, it is the
    /// first that they offer.
    #[schema(pattern = "^(now|1h|24h|7d)$", example = "1h")]
    #[serde(default)]
    grace: Option<String>,
    /// The id of the token to replace: if it is no longer the present one, nothing is done. Left out, it is the one that
    /// asks, or whichever is present.
    #[schema(pattern = "^([1-9][0-9]{0,17}|[1-8][0-9]{18})$")]
    #[serde(default)]
    replaces: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RenewedToken)]
pub struct RenewedJson<'a> {
    /// The new token.
    #[schema(pattern = "^thr_[0-9A-Za-z]{38}$")]
    token: &'a str,
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    /// Goes with the token in Basic: the repository's name.
    #[schema(example = "payments")]
    username: &'a str,
    #[schema(format = DateTime)]
    old_token_ends_at: String,
}

/// `GET /api/v1/repositories/{name}/token`
#[utoipa::path(
    get,
    path = "/api/v1/repositories/{name}/token",
    tag = "Repository tokens",
    summary = "Show what is known of a repository's token",
    description = "Not the token itself. Asked by that token, or by an API token whose owner holds View Repositories and Repository Management.",
    security(("bearer" = ["repositories:read"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    responses(
        (status = 200, description = "The token, without its secret.", body = RepositoryTokenJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (repository, _) = reached(&caller, &portal, &name, Permission::Read).await?;
    acting(&caller)?;
    let (id, now) = (repository.id, caller.now());
    let (token, replaced) = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            let current = repository_tokens::current(connection, id)?;
            let current = current.ok_or_else(|| StorageError::corrupt("repositories", id))?;
            Ok((current, repository_tokens::replaced(connection, id, now)?))
        })
        .await?;
    let token = RepositoryTokenJson {
        id: token.id.to_string(),
        hint: token.hint,
        created_at: token.created_at.for_machines().into(),
        created_by: token.created_by,
        last_used_at: token.last_use.as_ref().map(|used| used.at.for_machines().into()),
        last_used_address: token.last_use.map(|used| used.address),
        replaced: replaced.into_iter().map(ReplacedJson::new).collect(),
    };
    Ok(answer::tagged(&request, &token)?)
}

/// `POST /api/v1/repositories/{name}/token`
#[utoipa::path(
    post,
    path = "/api/v1/repositories/{name}/token",
    tag = "Repository tokens",
    summary = "Generate a new token for a repository",
    description = "Asked by the present token itself, or by an API token whose owner holds View Repositories and Repository Management. The body may be left out.",
    security(("bearer" = ["repositories:write"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    request_body(content = Option<RenewalJson>),
    responses(
        (status = 201, description = "The new token.", body = RenewedJson),
        (status = 404, description = "The token reaches no such repository."),
        (status = 409, description = "The token to replace was replaced before."),
    ),
)]
pub async fn create(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let (repository, _) = reached(&caller, &portal, &name, Permission::Write).await?;
    let change = Change { acting: acting(&caller)? };
    let typed: RenewalJson = body.read_if_any().await?;
    let policy = portal.db.look_up(policies::current).await?;
    let mut fields = Fields::default();
    let named = typed.replaces.as_deref().map(parse_id).transpose();
    let (grace, named) = (fields.parse("grace", policy.grace(typed.grace.as_deref())), fields.parse("replaces", named));
    let (Some(grace), Some(named)) = (grace, named) else { return Err(fields.refused().into()) };
    let itself = match &*caller {
        Caller::Repository(own) => Some(own.token),
        Caller::ApiToken(_) | Caller::Service(_) => None,
    };
    let (id, now, shared) = (repository.id, caller.now(), portal.clone());
    let (name, is_own) = (repository.name, itself.is_some());
    let renewed = caller
        .answer(move |connection: &mut Connection| -> Result<Reply, Refusal> {
            let rng = &mut randomness::system();
            let present = repository_tokens::current(connection, id)?.ok_or(Refusal::NotFound)?;
            let replaces = named.or(itself).unwrap_or(present.id);
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let renewal = Renewal { replaces, nonce: random_code(rng), grace };
            change.renew_token(connection, rng, &shared.keys, id, &renewal, &secret)?;
            let made = repository_tokens::current(connection, id)?.ok_or(Refusal::NotFound)?;
            let old_ends_at = now.plus(grace.seconds());
            let reply = reply(&shared, name.as_str(), &secret, &made, old_ends_at)?;
            let new = NewSecret::Repository(secret.digest());
            Ok(if is_own { reply.rotated(new, old_ends_at) } else { reply })
        })
        .await;
    Ok(renewed.map_err(|refusal| match refusal {
        Refusal::Overtaken { by, at, .. } => Failure::Conflict(format!(
            "{by} generated the present token at {}, and yours is not the one to replace. None was generated now.",
            at.for_people()
        )),
        refusal => refusal.into(),
    })?)
}

fn reply(
    portal: &Portal,
    name: &str,
    secret: &Secret,
    made: &RepositoryToken,
    old_ends_at: Timestamp,
) -> Stored<Reply> {
    let renewed = RenewedJson {
        token: secret.reveal(),
        id: made.id.to_string(),
        username: name,
        old_token_ends_at: old_ends_at.for_machines().into(),
    };
    let location = portal.settings.public_url.join(&urls::api_repository_token(name));
    Reply::created(location, &renewed)
}

/// The repository's own token acts for itself, a user's with what the user holds.
fn acting(caller: &ApiCaller) -> Result<Acting, Failure> {
    match &**caller {
        Caller::Repository(_) => caller.acting_for_itself(),
        Caller::ApiToken(_) | Caller::Service(_) => caller.acting(CONFIGURE),
    }
}

fn parse_id(text: &str) -> Result<RepositoryTokenId, crate::domain::Invalid> {
    text.parse().map_err(|_| crate::domain::Invalid::new("This must be the id of a token."))
}

impl ReplacedJson {
    fn new(token: RepositoryToken) -> Self {
        Self { id: token.id.to_string(), hint: token.hint, ends_at: token.ends_at.map(|at| at.for_machines().into()) }
    }
}
