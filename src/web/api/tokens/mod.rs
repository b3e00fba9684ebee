//! `/api/v1/tokens`: the API tokens of whoever owns the one that asks. None is made here, and no secret is told again.

pub mod current;
pub mod rotation;
mod telling;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Fields, JsonBody};
use super::paging::{LimitQuery, Paging};
use crate::auth::authenticate as auth;
use crate::domain::id::ApiTokenId;
use crate::domain::name::TokenName;
use crate::domain::permission::{Area, Permission};
use crate::domain::privilege::{Privilege, Privileges};
use crate::randomness;
use crate::storage::api_token_changes::Change;
use crate::storage::{Connection, Result as Stored, api_tokens};
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;
use telling::TokenJson;

#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensJson {
    tokens: Vec<TokenJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenChange)]
pub struct TokenChangeJson {
    #[schema(min_length = 1, max_length = 100, example = "ci")]
    name: String,
}

/// `GET /api/v1/tokens`: newest first.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "API tokens",
    summary = "List one's API tokens",
    description = "All of the owner's but the revoked ones, newest first.",
    security(("bearer" = ["account:read"])),
    params(
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the tokens after the one of this id: take it from `next`.", pattern = "^([1-9][0-9]{0,17}|[1-8][0-9]{18})?$"),
    ),
    responses((status = 200, description = "One page of them.", body = TokensJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    let owner = owner(&caller, Permission::Read)?;
    let paging = Paging::of(&request, &[])?;
    let after = paging.after("the id of a token", |text| text.parse::<ApiTokenId>().ok())?;
    let (user, rows) = (owner.owner, paging.rows());
    let list = move |connection: &mut Connection| api_tokens::list_current(connection, user, after, rows);
    let mut tokens = portal.db.read(list).await?;
    let next = paging.next(&portal, urls::API_OWN_TOKENS, &mut tokens, |last| last.id.to_string());
    let (owner, shared) = (owner.clone(), portal.clone());
    let tokens = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<Vec<_>> {
            tokens.into_iter().map(|token| TokenJson::read(connection, &shared, &owner, token)).collect()
        })
        .await?;
    Ok(answer::json(StatusCode::OK, &TokensJson { tokens, next })?)
}

/// `GET /api/v1/tokens/{id}`
#[utoipa::path(
    get,
    path = "/api/v1/tokens/{id}",
    tag = "API tokens",
    summary = "Show one of one's API tokens",
    description = "Another's is not found.",
    security(("bearer" = ["account:read"])),
    params(("id" = String, Path, description = "The token's id.")),
    responses(
        (status = 200, description = "The token.", body = TokenJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "The owner has no such token."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let owner = owner(&caller, Permission::Read)?;
    Ok(answer::tagged(&request, &found(&portal, owner, id_of(&id)?).await?)?)
}

/// `PATCH /api/v1/tokens/{id}`
#[utoipa::path(
    patch,
    path = "/api/v1/tokens/{id}",
    tag = "API tokens",
    summary = "Rename one of one's API tokens",
    description = "Names are unique for their owner, without regard to case.",
    security(("bearer" = ["account:write"])),
    params(("id" = String, Path, description = "The token's id.")),
    request_body = TokenChangeJson,
    responses(
        (status = 200, description = "The token with its new name.", body = TokenJson),
        (status = 404, description = "The owner has no such token."),
        (status = 409, description = "The name is taken, the token is revoked, or it asks with a replaced secret."),
    ),
)]
pub async fn update(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    id: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let (owner, id) = (owner(&caller, Permission::Write)?, id_of(&id)?);
    found(&portal, owner, id).await?;
    let typed: TokenChangeJson = body.read().await?;
    let mut fields = Fields::default();
    let Some(name) = fields.parse("name", TokenName::parse(&typed.name)) else { return Err(fields.refused().into()) };
    let change = change(&caller)?;
    let rename = move |connection: &mut Connection| change.rename(connection, &mut randomness::system(), id, &name);
    portal.db.write(rename).await?;
    Ok(answer::json(StatusCode::OK, &found(&portal, owner, id).await?)?)
}

/// `DELETE /api/v1/tokens/{id}`
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    tag = "API tokens",
    summary = "Revoke one of one's API tokens",
    description = "For good. Revoking what is revoked changes nothing and is no error.",
    security(("bearer" = ["account:write"])),
    params(("id" = String, Path, description = "The token's id.")),
    responses(
        (status = 204, description = "The token opens nothing any more."),
        (status = 404, description = "The owner has no such token."),
        (status = 409, description = "The token asks with a replaced secret, which can end only itself: delete `current`."),
    ),
)]
pub async fn destroy(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    owner(&caller, Permission::Write)?;
    let (change, id) = (change(&caller)?, id_of(&id)?);
    let revoke = move |connection: &mut Connection| change.revoke(connection, &mut randomness::system(), id);
    portal.db.write(revoke).await?;
    Ok(answer::done())
}

/// Whose tokens are asked for: of an API token with this permission.
fn owner(caller: &ApiCaller, needed: Permission) -> Result<&auth::ApiCaller, Failure> {
    caller.require(Area::Account, needed)?;
    caller.api_token()
}

fn id_of(path: &str) -> Result<ApiTokenId, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

async fn found(portal: &web::Data<Portal>, owner: &auth::ApiCaller, id: ApiTokenId) -> Result<TokenJson, Failure> {
    let (owner, shared) = (owner.clone(), portal.clone());
    let find = move |connection: &mut Connection| -> Stored<_> {
        let Some(token) = api_tokens::find(connection, owner.owner, id)? else { return Ok(None) };
        TokenJson::read(connection, &shared, &owner, token).map(Some)
    };
    portal.db.read(find).await?.ok_or(Failure::NotFound)
}

/// A change of the owner's tokens.
fn change(caller: &ApiCaller) -> Result<Change, Failure> {
    let acting = caller.acting(Privileges::NONE.with(Privilege::ApiAccess))?;
    Ok(Change { owner: caller.api_token()?.owner, actor: acting.actor, by: Some(acting.by), now: acting.now })
}
