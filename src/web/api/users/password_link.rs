//! `POST /api/v1/users/{username}/password-link`: a new link to set a password, in the place of the password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{changeable, link};
use crate::domain::secret::{Digest, random_code};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::api::answer;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

#[derive(Serialize, ToSchema)]
#[schema(as = PasswordLink)]
pub struct PasswordLinkJson<'a> {
    #[schema(example = "ada")]
    username: &'a str,
    /// Where the user sets a password, once. It is told now and never again.
    #[schema(format = "uri")]
    password_link: &'a str,
    #[schema(format = DateTime)]
    password_link_ends_at: String,
}

/// `POST /api/v1/users/{username}/password-link`
#[utoipa::path(
    post,
    path = "/api/v1/users/{username}/password-link",
    tag = "Users",
    summary = "Reset the password of a user",
    description = "The password stops working, all sessions end, and the answer has the link with which the user sets another; a former link ends. Nobody resets their own. Needs an API token whose owner holds User Management and every privilege of the user.",
    security(("bearer" = ["administration:write"])),
    params(("username" = String, Path, description = "Who it is.", example = "ada")),
    responses(
        (status = 200, description = "The link.", body = PasswordLinkJson),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "It is the owner of the token, or no enabled Administrator with a password would be left."),
    ),
)]
pub async fn create(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    username: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (change, user) = changeable(&caller, &portal, &username).await?;
    let code = portal
        .db
        .write(move |connection: &mut Connection| -> Result<_, Refusal> {
            let rng = &mut randomness::system();
            let code = Zeroizing::new(random_code(rng));
            change.reset_password(connection, rng, user.id, &Digest::of(&code))?;
            Ok(code)
        })
        .await?;
    let (address, password_link_ends_at) = link(&portal, &code, caller.now());
    let body = PasswordLinkJson { username: &user.username, password_link: &address, password_link_ends_at };
    Ok(answer::json(StatusCode::OK, &body)?)
}
