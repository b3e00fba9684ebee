//! `/api/v1/tokens/current`: the API token that asks.

use actix_web::{HttpRequest, HttpResponse, web};

use super::telling::TokenJson;
use super::{change, found, owner};
use crate::domain::permission::Permission;
use crate::randomness;
use crate::storage::Connection;
use crate::web::api::answer;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// `GET /api/v1/tokens/current`
#[utoipa::path(
    get,
    path = "/api/v1/tokens/current",
    tag = "API tokens",
    summary = "Show the API token that asks",
    description = "With its status and last use. `/api/v1/me` answers tokens of any kind, and those without this permission.",
    security(("bearer" = ["account:read"])),
    responses(
        (status = 200, description = "The token.", body = TokenJson),
        (status = 304, description = "It is as `If-None-Match` says."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    let own = owner(&caller, Permission::Read)?;
    Ok(answer::tagged(&request, &found(&portal, own, own.token).await?)?)
}

/// `DELETE /api/v1/tokens/current`
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/current",
    tag = "API tokens",
    summary = "Revoke the API token that asks",
    description = "For good: it is the last request that it makes. A replaced secret in its grace period ends only itself.",
    security(("bearer" = ["account:write"])),
    responses((status = 204, description = "The token opens nothing any more.")),
)]
pub async fn destroy(caller: ApiCaller, portal: web::Data<Portal>) -> Result<HttpResponse, ApiFailure> {
    owner(&caller, Permission::Write)?;
    let change = change(&caller)?;
    let revoke = move |connection: &mut Connection| change.revoke_itself(connection, &mut randomness::system());
    portal.db.write(revoke).await?;
    Ok(answer::done())
}
