//! `POST /api/v1/users/{username}/sign-out`: the end of all sessions of a user.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::changeable;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::api::answer::Reply;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

#[derive(Serialize, ToSchema)]
#[schema(as = SignedOut)]
pub struct SignedOutJson {
    /// How many sessions there were.
    #[schema(minimum = 0, example = 2)]
    ended_sessions: usize,
}

/// `POST /api/v1/users/{username}/sign-out`
#[utoipa::path(
    post,
    path = "/api/v1/users/{username}/sign-out",
    tag = "Users",
    summary = "Sign a user out everywhere",
    description = "The user may sign in again, and API tokens go on working. Needs an API token whose owner holds User Management and can do everything that the user can do, grants included. Users with User Management, System Management or View Audit Log are changed on pages only.",
    security(("bearer" = ["administration:write"])),
    params(("username" = String, Path, description = "Who it is.", example = "ada")),
    responses(
        (status = 200, description = "All sessions have ended.", body = SignedOutJson),
        (status = 404, description = "There is no such user."),
    ),
)]
pub async fn create(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    username: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (change, user) = changeable(&caller, &portal, &username).await?;
    let sign_out = move |connection: &mut Connection| -> Result<Reply, Refusal> {
        let (_, ended_sessions) = change.sign_out(connection, &mut randomness::system(), user.id)?;
        Ok(Reply::json(StatusCode::OK, &SignedOutJson { ended_sessions })?)
    };
    Ok(caller.answer(sign_out).await?)
}
