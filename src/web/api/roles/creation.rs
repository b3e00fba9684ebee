//! `POST /api/v1/roles`: a new role.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RoleJson, at_field, parse_privileges};
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::role::{NewRole, RoleName, RoleTitle};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::role_changes::{Change, Refusal};
use crate::web::api::administration::administering;
use crate::web::api::answer::Reply;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRole)]
pub struct NewRoleJson {
    /// Lower-case letters a to z and digits, with single hyphens between them.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "help-desk")]
    name: String,
    /// As it is called on pages.
    #[schema(min_length = 1, max_length = 100, example = "Help Desk")]
    title: String,
    /// Left out, the role holds none.
    #[serde(default)]
    #[schema(required = false, example = json!(["api_access", "view_repositories"]))]
    privileges: Vec<String>,
}

/// `POST /api/v1/roles`
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    tag = "Roles",
    summary = "Create a role",
    description = "Needs an API token whose owner holds User Management and every privilege of the role. The API cannot grant User Management, System Management or View Audit Log.",
    security(("bearer" = ["administration:write"])),
    request_body = NewRoleJson,
    responses(
        (status = 201, description = "The role.", body = RoleJson),
        (status = 409, description = "The name or the title is taken, or there are too many roles."),
    ),
)]
pub async fn create(caller: ApiCaller, portal: web::Data<Portal>, body: JsonBody) -> Result<HttpResponse, ApiFailure> {
    let change = Change { acting: administering(&caller, Permission::Write, Privilege::UserManagement)? };
    let typed: NewRoleJson = body.read().await?;
    let mut fields = Fields::default();
    let name = fields.parse("name", RoleName::parse(&typed.name));
    let title = fields.parse("title", RoleTitle::parse(&typed.title));
    let privileges = fields.parse("privileges", parse_privileges(&typed.privileges));
    let (Some(name), Some(title), Some(privileges)) = (name, title, privileges) else {
        return Err(fields.refused().into());
    };
    let wish = NewRole { name, title, privileges };
    portal.db.require_room()?;
    let create = move |connection: &mut Connection| -> Result<Reply, Refusal> {
        let role = change.create(connection, &mut randomness::system(), &wish)?;
        let location = portal.settings.public_url.join(&urls::api_role(&role.name));
        Ok(Reply::created(location, &RoleJson::new(&portal, role))?)
    };
    Ok(caller.answer(create).await.map_err(at_field)?)
}
