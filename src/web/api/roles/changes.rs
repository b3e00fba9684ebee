//! `/api/v1/roles/{role}`: its title and privileges, and its end. The name stays.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RoleJson, at_field, name_of, parse_privileges};
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::role::RoleTitle;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::role_changes::{Change, Edition};
use crate::web::api::administration::administering;
use crate::web::api::answer;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleChange)]
pub struct RoleChangeJson {
    /// As it is called on pages.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Help Desk")]
    title: Option<String>,
    /// All privileges that the role shall hold.
    #[serde(default)]
    #[schema(example = json!(["api_access", "view_repositories"]))]
    privileges: Option<Vec<String>>,
}

/// `PATCH /api/v1/roles/{role}`
#[utoipa::path(
    patch,
    path = "/api/v1/roles/{role}",
    tag = "Roles",
    summary = "Change a role",
    description = "Title and privileges, each of them if it is there; it holds for all users with the role at once. Needs an API token whose owner holds User Management, every privilege of the role before and after, and can do everything that the users with it can do. The API cannot grant User Management, System Management or View Audit Log, and changes no role of a user who has one of them.",
    security(("bearer" = ["administration:write"])),
    params(("role" = String, Path, description = "The role's name.", example = "help-desk")),
    request_body = RoleChangeJson,
    responses(
        (status = 200, description = "The role as it is now.", body = RoleJson),
        (status = 404, description = "There is no such role."),
        (status = 409, description = "The role is built in, or the title is taken."),
    ),
)]
pub async fn update(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    role: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let change = Change { acting: administering(&caller, Permission::Write, Privilege::UserManagement)? };
    let name = name_of(&role)?;
    let typed: RoleChangeJson = body.read().await?;
    let mut fields = Fields::default();
    let title = fields.parse("title", typed.title.map(|title| RoleTitle::parse(&title)).transpose());
    let privileges = typed.privileges.map(|names| parse_privileges(&names)).transpose();
    let privileges = fields.parse("privileges", privileges);
    let (Some(title), Some(privileges)) = (title, privileges) else { return Err(fields.refused().into()) };
    let edition = Edition { title, privileges };
    let edit = move |connection: &mut Connection| change.edit(connection, &mut randomness::system(), &name, &edition);
    let role = portal.db.write(edit).await.map_err(at_field)?;
    Ok(answer::json(StatusCode::OK, &RoleJson::new(&portal, role))?)
}

/// `DELETE /api/v1/roles/{role}`
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{role}",
    tag = "Roles",
    summary = "Delete a role",
    description = "Only one that no user holds. Needs an API token whose owner holds User Management and every privilege of the role.",
    security(("bearer" = ["administration:write"])),
    params(("role" = String, Path, description = "The role's name.", example = "help-desk")),
    responses(
        (status = 204, description = "The role is gone."),
        (status = 404, description = "There is no such role."),
        (status = 409, description = "The role is built in, or a user holds it."),
    ),
)]
pub async fn destroy(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    role: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let change = Change { acting: administering(&caller, Permission::Write, Privilege::UserManagement)? };
    let name = name_of(&role)?;
    let delete = move |connection: &mut Connection| change.delete(connection, &mut randomness::system(), &name);
    portal.db.write(delete).await?;
    Ok(answer::done())
}
