//! `PATCH /api/v1/users/{username}`: what is known of a user, and the roles. The username stays.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserJson, at_field, changeable, changed};
use crate::domain::user::{DisplayName, Email};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Edition;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub struct UserChangeJson {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    display_name: Option<String>,
    #[serde(default)]
    #[schema(max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// Names of all roles that the user shall hold.
    #[serde(default)]
    #[schema(example = json!(["developer"]))]
    roles: Option<Vec<String>>,
}

/// `PATCH /api/v1/users/{username}`
#[utoipa::path(
    patch,
    path = "/api/v1/users/{username}",
    tag = "Users",
    summary = "Change a user",
    description = "Display name, email, roles, each of them if it is there. Needs an API token whose owner holds User Management and every privilege of the roles, and can do everything that the user can do, grants included. Users with User Management, System Management or View Audit Log are changed on pages only. Their roles are given there, too.",
    security(("bearer" = ["administration:write"])),
    params(("username" = String, Path, description = "Who it is.", example = "ada")),
    request_body = UserChangeJson,
    responses(
        (status = 200, description = "The user as it is now.", body = UserJson),
        (status = 404, description = "There is no such user."),
        (status = 409, description = "No enabled Administrator would be left."),
    ),
)]
pub async fn update(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    username: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let (change, user) = changeable(&caller, &portal, &username).await?;
    let typed: UserChangeJson = body.read().await?;
    let mut fields = Fields::default();
    let display_name = typed.display_name.map(|text| fields.parse("display_name", DisplayName::parse(&text)));
    let email = typed.email.map(|text| fields.parse("email", Email::parse(&text)));
    if matches!(display_name, Some(None)) || matches!(email, Some(None)) {
        return Err(fields.refused().into());
    }
    let edition = Edition { display_name: display_name.flatten(), email: email.flatten(), roles: typed.roles };
    let edit = move |connection: &mut Connection| change.edit(connection, &mut randomness::system(), user.id, &edition);
    portal.db.write(edit).await.map_err(at_field)?;
    Ok(changed(&portal, &username).await?)
}
