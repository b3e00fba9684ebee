//! `POST /api/v1/repositories`: a new repository, and its first token.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CONFIGURE, MANAGE, RepositoryJson};
use crate::domain::permission::{Area, Permission};
use crate::domain::repository::{Description, RepositoryName};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::repository_changes::{Change, Made, NewRepository, Refusal};
use crate::storage::{Connection, StorageError, repositories};
use crate::web::api::answer::Reply;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRepository)]
pub struct NewRepositoryJson {
    /// Lower-case letters and digits, with single dots, underscores or hyphens between them; not `new`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z0-9]+([._-][a-z0-9]+)*$", example = "payments")]
    name: String,
    #[serde(default)]
    #[schema(max_length = 300, example = "Everything that moves money")]
    description: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedRepository)]
pub struct CreatedJson<'a> {
    #[serde(flatten)]
    repository: RepositoryJson,
    /// The repository's token; with Basic its username is the repository's name. Left out where the owner of the token
    /// that asks does not hold View Repositories.
    #[schema(pattern = "^thr_[0-9A-Za-z]{38}$", required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// `POST /api/v1/repositories`
#[utoipa::path(
    post,
    path = "/api/v1/repositories",
    tag = "Repositories",
    summary = "Create a repository",
    description = "Needs an API token that is not limited to selected repositories, whose owner holds Repository Management. The answer has the repository's token, if the owner holds View Repositories too.",
    security(("bearer" = ["repositories:write"])),
    request_body = NewRepositoryJson,
    responses(
        (status = 201, description = "The repository and its token.", body = CreatedJson),
        (status = 409, description = "A repository of this name exists."),
    ),
)]
pub async fn create(caller: ApiCaller, portal: web::Data<Portal>, body: JsonBody) -> Result<HttpResponse, ApiFailure> {
    caller.require(Area::Repositories, Permission::Write)?;
    let shows = caller.acting(CONFIGURE).is_ok();
    let change = Change { acting: caller.acting(if shows { CONFIGURE } else { MANAGE })? };
    if caller.api_token()?.selected_only {
        let sentence = "The token is limited to selected repositories, so it creates none.";
        return Err(Failure::Forbidden(sentence.into()).into());
    }
    let typed: NewRepositoryJson = body.read().await?;
    let mut fields = Fields::default();
    let name = fields.parse("name", RepositoryName::parse(&typed.name));
    let description = fields.parse("description", Description::parse(&typed.description));
    let (Some(name), Some(description)) = (name, description) else { return Err(fields.refused().into()) };
    let (wish, shared) = (NewRepository { name, description }, portal.clone());
    portal.db.require_room()?;
    let create = move |connection: &mut Connection| -> Result<Reply, Refusal> {
        let rng = &mut randomness::system();
        let (secret, nonce) = (Secret::generate(SecretKind::RepositoryToken, rng), random_code(rng));
        let (Made::Now(id) | Made::Before(id)) =
            change.create(connection, rng, &shared.keys, &wish, &secret, &nonce)?;
        let made = repositories::find(connection, id)?.ok_or_else(|| StorageError::corrupt("repositories", id))?;
        let location = shared.settings.public_url.join(&urls::api_repository(made.name.as_str()));
        let repository = RepositoryJson::new(&shared, made, Permission::Write);
        Ok(Reply::created(location, &CreatedJson { repository, token: shows.then(|| secret.reveal()) })?.at(id))
    };
    Ok(caller.answer(create).await?)
}
