//! `/api/v1/repositories/{name}/grants`: who else may read or write a repository.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MANAGE, managed, reached};
use crate::domain::Invalid;
use crate::domain::grant::from_stored;
use crate::domain::id::UserId;
use crate::domain::permission::Permission;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::grants::{self, Granted};
use crate::storage::repository_changes::Refusal;
use crate::storage::{Connection, users};
use crate::web::api::answer;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::api::paging::{LimitQuery, Paging};
use crate::web::error::{ApiFailure, Failure, FieldProblem};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantJson {
    #[schema(example = "grace")]
    username: String,
    #[schema(example = "Grace Hopper")]
    display_name: String,
    #[schema(pattern = "^(read|write)$", example = "read")]
    permission: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Grants)]
pub struct GrantsJson {
    grants: Vec<GrantJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantChange)]
pub struct GrantChangeJson {
    /// `write` means to read and write.
    #[schema(pattern = "^(read|write)$", example = "read")]
    permission: String,
}

/// `GET /api/v1/repositories/{name}/grants`: in the order of the usernames.
#[utoipa::path(
    get,
    path = "/api/v1/repositories/{name}/grants",
    tag = "Grants",
    summary = "List who has access to a repository",
    description = "In the order of the usernames. Needs an API token whose owner holds Repository Management.",
    security(("bearer" = ["repositories:read"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments"),
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the grants after that of this username: take it from `next`.", pattern = "^([a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)?$"),
    ),
    responses(
        (status = 200, description = "One page of them.", body = GrantsJson),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (repository, _) = reached(&caller, &portal, &name, Permission::Read).await?;
    caller.acting(MANAGE)?;
    let paging = Paging::of(&request, &[])?;
    let after = paging.after("a username", |text| Username::parse(text).ok())?.map(|name| name.to_string());
    let rows = paging.rows();
    let list = move |connection: &mut Connection| grants::list_after(connection, repository.id, after, rows);
    let mut granted = portal.db.look_up(list).await?;
    let path = urls::api_grants(repository.name.as_str());
    let next = paging.next(&portal, &path, &mut granted, |last| last.username.clone());
    let grants = granted.into_iter().map(GrantJson::new).collect();
    Ok(answer::json(StatusCode::OK, &GrantsJson { grants, next })?)
}

/// `PUT /api/v1/repositories/{name}/grants/{username}`
#[utoipa::path(
    put,
    path = "/api/v1/repositories/{name}/grants/{username}",
    tag = "Grants",
    summary = "Give a user access to a repository",
    description = "In place of what the user had. Needs an API token whose owner holds Repository Management, which gives its owner access already: owners cannot give access to themselves.",
    security(("bearer" = ["repositories:write"])),
    params(
        ("name" = String, Path, description = "The repository's name.", example = "payments"),
        ("username" = String, Path, description = "Who gets access.", example = "grace"),
    ),
    request_body = GrantChangeJson,
    responses(
        (status = 200, description = "The user had access, and has this now.", body = GrantJson),
        (status = 201, description = "The user has access now.", body = GrantJson),
        (status = 404, description = "The token reaches no such repository, or there is no such user."),
    ),
)]
pub async fn update(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    path: web::Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let (name, username) = path.into_inner();
    let (change, repository) = managed(&caller, &portal, &name, MANAGE).await?;
    let user = user(&portal, &username).await?;
    let typed: GrantChangeJson = body.read().await?;
    let mut fields = Fields::default();
    let wanted = from_stored(&typed.permission).ok_or_else(|| Invalid::new("Must be “read” or “write”."));
    let Some(permission) = fields.parse("permission", wanted) else { return Err(fields.refused().into()) };
    let id = repository.id;
    let (before, grant) = portal
        .db
        .write(move |connection: &mut Connection| -> Result<_, Refusal> {
            let before = grants::find(connection, user, id)?;
            change.grant(connection, &mut randomness::system(), id, user, permission)?;
            Ok((before, grants::of(connection, user, id)?.ok_or(Refusal::NotFound)?))
        })
        .await
        .map_err(at_field)?;
    let grant = GrantJson::new(grant);
    if before.is_some() {
        return Ok(answer::json(StatusCode::OK, &grant)?);
    }
    let location = portal.settings.public_url.join(&urls::api_grant(&name, &grant.username));
    Ok(answer::created(location, &grant)?)
}

/// `DELETE /api/v1/repositories/{name}/grants/{username}`
#[utoipa::path(
    delete,
    path = "/api/v1/repositories/{name}/grants/{username}",
    tag = "Grants",
    summary = "Take a user's access to a repository away",
    description = "Where the user has none, nothing changes, and that is no error. Needs an API token whose owner holds Repository Management.",
    security(("bearer" = ["repositories:write"])),
    params(
        ("name" = String, Path, description = "The repository's name.", example = "payments"),
        ("username" = String, Path, description = "Whose access is taken away.", example = "grace"),
    ),
    responses(
        (status = 204, description = "The user has no access by a grant."),
        (status = 404, description = "The token reaches no such repository, or there is no such user."),
    ),
)]
pub async fn destroy(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiFailure> {
    let (name, username) = path.into_inner();
    let (change, repository) = managed(&caller, &portal, &name, MANAGE).await?;
    let (user, id) = (user(&portal, &username).await?, repository.id);
    portal
        .db
        .write(move |connection: &mut Connection| change.ungrant(connection, &mut randomness::system(), id, user))
        .await?;
    Ok(answer::done())
}

/// A refusal, at the part of the address that it belongs to.
fn at_field(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::OwnGrant => {
            Failure::Unprocessable(vec![FieldProblem { field: "username".into(), detail: refusal.to_string() }])
        }
        refusal => refusal.into(),
    }
}

/// Who has this username, in its one spelling.
async fn user(portal: &Portal, username: &str) -> Result<UserId, Failure> {
    let wanted = Username::parse(username).ok().filter(|parsed| parsed.as_str() == username);
    let wanted = wanted.ok_or(Failure::NotFound)?;
    let found = portal.db.look_up(move |connection| users::credentials(connection, &wanted)).await?;
    Ok(found.ok_or(Failure::NotFound)?.id)
}

impl GrantJson {
    fn new(grant: Granted) -> Self {
        Self {
            username: grant.username,
            display_name: grant.display_name,
            permission: grant.permission.name(),
            created_at: grant.created_at.for_machines().into(),
        }
    }
}
