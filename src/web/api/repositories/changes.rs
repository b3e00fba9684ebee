//! `/api/v1/repositories/{name}`: its description, and its end.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CONFIGURE, MANAGE, RepositoryJson, managed};
use crate::domain::permission::Permission;
use crate::domain::repository::Description;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::Refusal;
use crate::web::api::answer;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RepositoryChange)]
pub struct RepositoryChangeJson {
    #[schema(max_length = 300, example = "Everything that moves money")]
    description: String,
}

/// `PATCH /api/v1/repositories/{name}`
#[utoipa::path(
    patch,
    path = "/api/v1/repositories/{name}",
    tag = "Repositories",
    summary = "Change the description of a repository",
    description = "Needs an API token whose owner holds Repository Management.",
    security(("bearer" = ["repositories:write"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    request_body = RepositoryChangeJson,
    responses(
        (status = 200, description = "The repository with its new description.", body = RepositoryJson),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn update(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiFailure> {
    let (change, mut repository) = managed(&caller, &portal, &name, MANAGE).await?;
    let typed: RepositoryChangeJson = body.read().await?;
    let mut fields = Fields::default();
    let Some(description) = fields.parse("description", Description::parse(&typed.description)) else {
        return Err(fields.refused().into());
    };
    description.as_str().clone_into(&mut repository.description);
    let id = repository.id;
    portal
        .db
        .write(move |connection: &mut Connection| {
            change.describe(connection, &mut randomness::system(), id, &description)
        })
        .await?;
    Ok(answer::json(StatusCode::OK, &RepositoryJson::new(&portal, repository, Permission::Write))?)
}

/// `DELETE /api/v1/repositories/{name}`
#[utoipa::path(
    delete,
    path = "/api/v1/repositories/{name}",
    tag = "Repositories",
    summary = "Delete a repository",
    description = "For good, with its token, its grants and its counts of use. Needs an API token whose owner holds View Repositories and Repository Management.",
    security(("bearer" = ["repositories:write"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    responses(
        (status = 204, description = "The repository is gone."),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn destroy(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (change, repository) = managed(&caller, &portal, &name, CONFIGURE).await?;
    let delete = move |connection: &mut Connection| -> Result<(), Refusal> {
        change.delete(connection, &mut randomness::system(), repository.id)
    };
    portal.db.write(delete).await?;
    Ok(answer::done())
}
