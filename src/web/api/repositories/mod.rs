//! `/api/v1/repositories`: what the token reaches.

pub mod callers;
pub mod changes;
pub mod creation;
pub mod grants;
pub mod token;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::authorize::{repositories_matching, repository_for};
use crate::domain::permission::{Area, Permission};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::{Repository, RepositoryName};
use crate::storage::repository_changes::Change;
use crate::storage::{Connection, Result as Stored};
use crate::web::api::answer;
use crate::web::api::paging::{LimitQuery, Paging};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

/// What the owner of a token must hold to change a repository and its grants.
const MANAGE: Privileges = Privileges::NONE.with(Privilege::RepositoryManagement);
/// What it takes to see or replace a repository's token, or to delete the repository, as on pages.
const CONFIGURE: Privileges = MANAGE.with(Privilege::ViewRepositories);

#[derive(Serialize, ToSchema)]
#[schema(as = Repository)]
pub struct RepositoryJson {
    #[schema(example = "payments")]
    name: String,
    #[schema(example = "Everything that moves money")]
    description: String,
    /// What the token may do here at this moment: `read` or `write`.
    #[schema(pattern = "^(read|write)$", example = "read")]
    permission: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = "uri")]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Repositories)]
pub struct RepositoriesJson {
    repositories: Vec<RepositoryJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

impl RepositoryJson {
    /// Addresses are built from the public address, never from the Host header.
    pub fn new(portal: &Portal, repository: Repository, permission: Permission) -> Self {
        Self {
            url: portal.settings.public_url.join(&urls::api_repository(repository.name.as_str())),
            name: repository.name.to_string(),
            description: repository.description,
            permission: permission.name(),
            created_at: repository.created_at.for_machines().into(),
        }
    }
}

/// `GET /api/v1/repositories?q=…&limit=25&after=<name>`: in the order of their names.
#[utoipa::path(
    get,
    path = "/api/v1/repositories",
    tag = "Repositories",
    summary = "List the repositories that the token reaches",
    description = "In the order of their names. A repository's own token reaches that repository alone.",
    security(("bearer" = ["repositories:read"])),
    params(
        ("q" = Option<String>, Query, description = "Words that name or description must hold."),
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the repositories after this name: take it from `next`.", pattern = "^([a-z0-9]+([._-][a-z0-9]+)*)?$", max_length = 100),
    ),
    responses((status = 200, description = "One page of them.", body = RepositoriesJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    caller.require(Area::Repositories, Permission::Read)?;
    let paging = Paging::of(&request, &["q"])?;
    let after = paging.after("the name of a repository", |text| RepositoryName::parse(text).ok())?;
    let (asking, search, rows) = ((*caller).clone(), paging.search(), paging.rows());
    let mut reached = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            repositories_matching(connection, &asking, search, after.map(|name| name.to_string()), rows)
        })
        .await?;
    let next = paging.next(&portal, urls::API_REPOSITORIES, &mut reached, |(last, _)| last.name.to_string());
    let repositories =
        reached.into_iter().map(|(repository, right)| RepositoryJson::new(&portal, repository, right)).collect();
    Ok(answer::json(StatusCode::OK, &RepositoriesJson { repositories, next })?)
}

/// `GET /api/v1/repositories/{name}`
#[utoipa::path(
    get,
    path = "/api/v1/repositories/{name}",
    tag = "Repositories",
    summary = "Show a repository",
    description = "One that the token does not reach is not found, as if it were not there.",
    security(("bearer" = ["repositories:read"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    responses(
        (status = 200, description = "The repository.", body = RepositoryJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (repository, right) = reached(&caller, &portal, &name, Permission::Read).await?;
    Ok(answer::tagged(&request, &RepositoryJson::new(&portal, repository, right))?)
}

/// The repository of that name and the caller's right on it, for which the token must have `needed`. The use is counted there.
async fn reached(
    caller: &ApiCaller,
    portal: &Portal,
    name: &str,
    needed: Permission,
) -> Result<(Repository, Permission), Failure> {
    caller.require(Area::Repositories, needed)?;
    let name = RepositoryName::parse(name).ok().filter(|parsed| parsed.as_str() == name).ok_or(Failure::NotFound)?;
    let asking = (**caller).clone();
    let found = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> { repository_for(connection, &asking, &name) })
        .await?;
    let (repository, right) = found.ok_or(Failure::NotFound)?;
    caller.at(repository.id);
    Ok((repository, right))
}

/// The same with a change of it, for an API token that may write and whose owner has the privileges `needs`.
async fn managed(
    caller: &ApiCaller,
    portal: &Portal,
    name: &str,
    needs: Privileges,
) -> Result<(Change, Repository), Failure> {
    let (repository, _) = reached(caller, portal, name, Permission::Write).await?;
    Ok((Change { acting: caller.acting(needs)? }, repository))
}
