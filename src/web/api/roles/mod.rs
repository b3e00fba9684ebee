//! `/api/v1/roles`: named sets of privileges. *User Management* guards all of it; those that are built in stay as they are.

pub mod changes;
pub mod creation;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::administration::administering;
use super::paging::{LimitQuery, Paging};
use crate::domain::Invalid;
use crate::domain::permission::Permission;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::role::{Role, RoleName};
use crate::storage::role_changes::Refusal;
use crate::storage::roles;
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure, FieldProblem};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "repository-manager")]
    name: String,
    /// As it is called on pages.
    #[schema(example = "Repository Manager")]
    title: String,
    #[schema(example = json!(["api_access", "view_repositories", "repository_management"]))]
    privileges: Vec<&'static str>,
    /// Comes with the program, and stays as it is.
    built_in: bool,
    #[schema(format = "uri")]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Roles)]
pub struct RolesJson {
    roles: Vec<RoleJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

impl RoleJson {
    fn new(portal: &Portal, role: Role) -> Self {
        Self {
            id: role.id.to_string(),
            url: portal.settings.public_url.join(&urls::api_role(&role.name)),
            name: role.name,
            title: role.title,
            privileges: role.privileges.iter().map(Privilege::name).collect(),
            built_in: role.built_in,
        }
    }
}

/// `GET /api/v1/roles`: in the order of their names.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    tag = "Roles",
    summary = "List the roles",
    description = "In the order of their names. Needs an API token whose owner holds User Management.",
    security(("bearer" = ["administration:read"])),
    params(
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the roles after this name: take it from `next`.", pattern = "^([a-z0-9]+(-[a-z0-9]+)*)?$", max_length = 64),
    ),
    responses((status = 200, description = "One page of them.", body = RolesJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::UserManagement)?;
    let paging = Paging::of(&request, &[])?;
    let after = paging.after("the name of a role", |text| RoleName::parse(text).ok())?.map(|name| name.to_string());
    let rows = paging.rows();
    let mut found = portal.db.look_up(move |connection| roles::list_after(connection, after, rows)).await?;
    let next = paging.next(&portal, urls::API_ROLES, &mut found, |last| last.name.clone());
    let roles = found.into_iter().map(|role| RoleJson::new(&portal, role)).collect();
    Ok(answer::json(StatusCode::OK, &RolesJson { roles, next })?)
}

/// `GET /api/v1/roles/{role}`
#[utoipa::path(
    get,
    path = "/api/v1/roles/{role}",
    tag = "Roles",
    summary = "Show a role",
    description = "Needs an API token whose owner holds User Management.",
    security(("bearer" = ["administration:read"])),
    params(("role" = String, Path, description = "The role's name.", example = "developer")),
    responses(
        (status = 200, description = "The role.", body = RoleJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "There is no such role."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    role: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::UserManagement)?;
    let name = name_of(&role)?;
    let found = portal.db.look_up(move |connection| roles::find_by_name(connection, name.as_str())).await?;
    Ok(answer::tagged(&request, &RoleJson::new(&portal, found.ok_or(Failure::NotFound)?))?)
}

/// The name in an address, in its one spelling.
fn name_of(path: &str) -> Result<RoleName, Failure> {
    RoleName::parse(path).ok().filter(|parsed| parsed.as_str() == path).ok_or(Failure::NotFound)
}

fn parse_privileges(names: &[String]) -> Result<Privileges, Invalid> {
    names.iter().try_fold(Privileges::NONE, |all, name| Privilege::from_name(name).map(|own| all.with(own))).ok_or_else(
        || {
            let known: Vec<_> = Privilege::ALL.into_iter().map(Privilege::name).collect();
            Invalid::new(format!("There is an unknown privilege among them. These are known: {}.", known.join(", ")))
        },
    )
}

/// A refusal, at the field of the body that it belongs to.
fn at_field(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::NotHeld => Failure::Unprocessable(vec![FieldProblem {
            field: "privileges".into(),
            detail: "There is a privilege among them that you do not hold yourself. Choose only among yours.".into(),
        }]),
        Refusal::NotOverApi => Failure::Unprocessable(vec![FieldProblem {
            field: "privileges".into(),
            detail: "The API cannot grant user_management, system_management or view_audit_log. Leave them out.".into(),
        }]),
        refusal => refusal.into(),
    }
}
