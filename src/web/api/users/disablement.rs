//! `POST /api/v1/users/{username}/disablement`: a user who can do nothing any more, until enabled again.

use actix_web::{HttpResponse, web};

use super::{UserJson, changeable, reply};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::api::answer::Reply;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// `POST /api/v1/users/{username}/disablement`
#[utoipa::path(
    post,
    path = "/api/v1/users/{username}/disablement",
    tag = "Users",
    summary = "Disable a user",
    description = "Ends all sessions; all API tokens of the user are refused. Disabling who is disabled changes nothing and is no error. Needs an API token whose owner holds User Management and can do everything that the user can do, grants included. Users with User Management, System Management or View Audit Log are changed on pages only.",
    security(("bearer" = ["administration:write"])),
    params(("username" = String, Path, description = "Who it is.", example = "ada")),
    responses(
        (status = 200, description = "The user as it is now.", body = UserJson),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "No enabled Administrator would be left."),
    ),
)]
pub async fn create(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    username: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (change, user) = changeable(&caller, &portal, &username).await?;
    let disable = move |connection: &mut Connection| -> Result<Reply, Refusal> {
        change.disable(connection, &mut randomness::system(), user.id)?;
        reply(connection, &portal, &user.username)
    };
    Ok(caller.answer(disable).await?)
}
