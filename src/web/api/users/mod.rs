//! `/api/v1/users`: all accounts. *User Management* guards all of it. A token changes no user who can do more than its
//! owner, and none with a privilege of Administration; no answer contains anything that becomes a session.

pub mod changes;
pub mod creation;
pub mod disablement;
pub mod enablement;
pub mod sign_out;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::administration::administering;
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::user::Username;
use crate::storage::user_changes::{Change, Refusal, require_covered};
use crate::storage::user_list::{self, Listed};
use crate::storage::{Connection, Result as Stored};
use crate::web::api::answer::{self, Reply};
use crate::web::api::paging::{LimitQuery, Paging};
use crate::web::error::{ApiFailure, Failure, FieldProblem};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "ada")]
    username: String,
    #[schema(example = "Ada Lovelace")]
    display_name: String,
    /// `null` for none.
    #[schema(required, example = "ada@example.org")]
    email: Option<String>,
    /// `invited` until the user has set a password.
    #[schema(pattern = "^(active|disabled|invited)$", example = "active")]
    status: &'static str,
    /// Names of the user's roles.
    #[schema(example = json!(["developer"]))]
    roles: Vec<String>,
    /// What the roles amount to.
    #[schema(example = json!(["api_access", "view_repositories"]))]
    privileges: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = "uri")]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Users)]
pub struct UsersJson {
    users: Vec<UserJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

impl UserJson {
    fn new(portal: &Portal, user: Listed) -> Self {
        Self {
            id: user.id.to_string(),
            url: portal.settings.public_url.join(&urls::api_user(&user.username)),
            username: user.username,
            display_name: user.display_name,
            email: Some(user.email).filter(|email| !email.is_empty()),
            status: user.status.name(),
            roles: user.role_names,
            privileges: user.privileges.iter().map(Privilege::name).collect(),
            created_at: user.created_at.for_machines().into(),
        }
    }
}

/// `GET /api/v1/users?q=…&limit=25&after=<username>`: in the order of the usernames.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "Users",
    summary = "List the users",
    description = "In the order of their usernames. Needs an API token whose owner holds User Management.",
    security(("bearer" = ["administration:read"])),
    params(
        ("q" = Option<String>, Query, description = "Words that username, display name or email must hold."),
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the users after this username: take it from `next`.", pattern = "^([a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)?$"),
    ),
    responses((status = 200, description = "One page of them.", body = UsersJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::UserManagement)?;
    let paging = Paging::of(&request, &["q"])?;
    let after = paging.after("a username", |text| Username::parse(text).ok())?.map(|name| name.to_string());
    let (search, rows) = (paging.search(), paging.rows());
    let list = move |connection: &mut Connection| user_list::list_after(connection, &search, after, rows);
    let mut users = portal.db.read(list).await?;
    let next = paging.next(&portal, urls::API_USERS, &mut users, |last| last.username.clone());
    let users = users.into_iter().map(|user| UserJson::new(&portal, user)).collect();
    Ok(answer::json(StatusCode::OK, &UsersJson { users, next })?)
}

/// `GET /api/v1/users/{username}`
#[utoipa::path(
    get,
    path = "/api/v1/users/{username}",
    tag = "Users",
    summary = "Show a user",
    description = "Needs an API token whose owner holds User Management.",
    security(("bearer" = ["administration:read"])),
    params(("username" = String, Path, description = "Who it is.", example = "ada")),
    responses(
        (status = 200, description = "The user.", body = UserJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "There is no such user."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    username: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::UserManagement)?;
    let user = found(&portal, &username).await?;
    Ok(answer::tagged(&request, &UserJson::new(&portal, user))?)
}

/// Who has this username, in its one spelling.
async fn found(portal: &Portal, username: &str) -> Result<Listed, Failure> {
    let wanted = Username::parse(username).ok().filter(|parsed| parsed.as_str() == username);
    let wanted = wanted.ok_or(Failure::NotFound)?;
    let find = move |connection: &mut Connection| -> Stored<_> { user_list::find(connection, &wanted) };
    portal.db.read(find).await?.ok_or(Failure::NotFound)
}

/// The same, if the token may change the user; and the change, which checks that again.
async fn changeable(caller: &ApiCaller, portal: &Portal, username: &str) -> Result<(Change, Listed), Failure> {
    let acting = administering(caller, Permission::Write, Privilege::UserManagement)?;
    let user = found(portal, username).await?;
    let (owner, by) = (caller.api_token()?, acting.by);
    let (owner, target) = ((owner.owner, owner.owner_privileges), (user.id, user.privileges));
    portal.db.read(move |connection: &mut Connection| require_covered(connection, by, owner, target)).await?;
    Ok((Change { acting }, user))
}

/// The user as it is after the change, which is told to whoever made it.
async fn changed(portal: &Portal, username: &str) -> Result<HttpResponse, Failure> {
    let user = found(portal, username).await?;
    answer::json(StatusCode::OK, &UserJson::new(portal, user))
}

/// The answer with the user as it is after the change, in the same transaction.
fn reply(connection: &mut Connection, portal: &Portal, username: &str) -> Result<Reply, Refusal> {
    let username = Username::parse(username).map_err(|_| Refusal::NotFound)?;
    let user = user_list::find(connection, &username)?.ok_or(Refusal::NotFound)?;
    Ok(Reply::json(StatusCode::OK, &UserJson::new(portal, user))?)
}

/// A refusal, at the field of the body that it belongs to.
fn at_field(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::RoleNotGiven(_) => Failure::Unprocessable(vec![FieldProblem {
            field: "roles".into(),
            detail:
                "There is a role among them that you cannot give. List the roles to see which privileges each needs; \
                 roles with user_management, system_management or view_audit_log are given on pages only."
                    .into(),
        }]),
        refusal => refusal.into(),
    }
}
