//! `/api/v1/repositories`: what the token reaches.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::auth::authorize::{repositories_for, repository_for};
use crate::domain::permission::{Area, Permission};
use crate::domain::repository::{Repository, RepositoryName};
use crate::storage::{Connection, Result as Stored};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::form::Typed;
use crate::web::portal::Portal;
use crate::web::urls;

const PAGE: i64 = 25;
const LARGEST_PAGE: i64 = 100;

#[derive(Serialize)]
struct RepositoryJson {
    name: String,
    description: String,
    /// What the token may do here at this moment: `read` or `write`.
    permission: &'static str,
    created_at: String,
    url: String,
}

#[derive(Serialize)]
struct RepositoriesJson {
    repositories: Vec<RepositoryJson>,
    /// Address of the next page, `null` on the last.
    next: Option<String>,
}

impl RepositoryJson {
    /// Addresses are built from the public address, never from the Host header.
    fn new(portal: &Portal, repository: Repository, permission: Permission) -> Self {
        Self {
            url: portal.settings.public_url.join(&urls::api_repository(repository.name.as_str())),
            name: repository.name.to_string(),
            description: repository.description,
            permission: permission.name(),
            created_at: repository.created_at.for_machines(),
        }
    }
}

/// `GET /api/v1/repositories?limit=25&after=<name>`: in the order of their names.
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    caller.require(Area::Repositories, Permission::Read)?;
    let query = Typed::of_query(&request, &["limit", "after"])?;
    let limit =
        match query.text("limit") {
            "" => PAGE,
            typed => typed.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit)).ok_or_else(|| {
                Failure::BadRequest(format!("“limit” must be a whole number from 1 to {LARGEST_PAGE}."))
            })?,
        };
    let after = match query.text("after") {
        "" => None,
        typed => {
            let name = RepositoryName::parse(typed)
                .map_err(|_| Failure::BadRequest("“after” must be the name of a repository.".into()))?;
            Some(name.to_string())
        }
    };
    let asking = (*caller).clone();
    let mut reached = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            repositories_for(connection, &asking, after, limit + 1)
        })
        .await?;
    let page = usize::try_from(limit).unwrap_or_default();
    let more = reached.len() > page;
    reached.truncate(page);
    let next = reached.last().filter(|_| more).map(|(last, _)| {
        portal.settings.public_url.join(&format!("{}?limit={limit}&after={}", urls::API_REPOSITORIES, last.name))
    });
    let repositories =
        reached.into_iter().map(|(repository, right)| RepositoryJson::new(&portal, repository, right)).collect();
    Ok(HttpResponse::Ok().json(RepositoriesJson { repositories, next }))
}

/// `GET /api/v1/repositories/{name}`
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    caller.require(Area::Repositories, Permission::Read)?;
    let name = RepositoryName::parse(&name).map_err(|_| Failure::NotFound)?;
    let asking = (*caller).clone();
    let found = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> { repository_for(connection, &asking, &name) })
        .await?;
    let (repository, right) = found.ok_or(Failure::NotFound)?;
    caller.at(repository.id);
    Ok(HttpResponse::Ok().json(RepositoryJson::new(&portal, repository, right)))
}
