//! `/api/v1/me`: the token that asks.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::authenticate::Caller;
use crate::auth::authorize::repositories_for;
use crate::domain::permission::Permissions;
use crate::storage::{Connection, Result as Stored};
use crate::web::api::answer;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// Most names of selected repositories that are told.
pub const MOST_NAMES: i64 = 1_000;

#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeJson<'a> {
    /// `api_token`, `repository_token` or `service_token`.
    #[schema(example = "api_token")]
    kind: &'static str,
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    /// The name of the token, of its repository or of its service.
    #[schema(example = "ci")]
    name: &'a str,
    /// The owner of an API token; `null` for other kinds: a repository may be named like a user.
    #[schema(required, example = "ada")]
    username: Option<&'a str>,
    permissions: PermissionsJson,
    repositories: SelectionJson,
    #[schema(format = DateTime)]
    created_at: String,
    /// `null` for no expiry.
    #[schema(format = DateTime, required)]
    expires_at: Option<String>,
}

/// `none`, `read` or `write` in each area.
#[derive(Serialize, ToSchema)]
#[schema(as = Permissions)]
pub struct PermissionsJson {
    #[schema(pattern = "^(none|read|write)$", example = "read")]
    repositories: &'static str,
    #[schema(pattern = "^(none|read|write)$", example = "none")]
    account: &'static str,
    #[schema(pattern = "^(none|read|write)$", example = "none")]
    administration: &'static str,
}

/// All that the owner can access, or the names of those selected that still can be.
#[derive(Serialize, ToSchema)]
#[schema(as = Selection)]
#[serde(tag = "selection", rename_all = "lowercase")]
pub enum SelectionJson {
    All,
    Selected { names: Vec<String> },
}

/// `GET /api/v1/me`: any good token.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "Token that asks",
    summary = "Show the token that asks",
    description = "Any good token: an API token, a repository's own or a service's.",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "What the token is and may do.", body = MeJson),
        (status = 304, description = "It is as `If-None-Match` says."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    let permissions = permissions(&caller.permissions());
    let me = match &*caller {
        Caller::ApiToken(own) => MeJson {
            kind: "api_token",
            id: own.token.to_string(),
            name: &own.token_name,
            username: Some(&own.username),
            permissions,
            repositories: if own.selected_only { selected(&portal, &caller).await? } else { SelectionJson::All },
            created_at: own.created_at.for_machines().into(),
            expires_at: own.expires_at.map(|at| at.for_machines().into()),
        },
        Caller::Repository(own) => MeJson {
            kind: "repository_token",
            id: own.token.to_string(),
            name: own.name.as_str(),
            username: None,
            permissions,
            repositories: SelectionJson::Selected { names: vec![own.name.to_string()] },
            created_at: own.created_at.for_machines().into(),
            expires_at: own.ends_at.map(|at| at.for_machines().into()),
        },
        Caller::Service(own) => MeJson {
            kind: "service_token",
            id: own.id.to_string(),
            name: own.name.as_str(),
            username: None,
            permissions,
            repositories: SelectionJson::Selected { names: Vec::new() },
            created_at: own.token_created_at.for_machines().into(),
            expires_at: None,
        },
    };
    Ok(answer::tagged(&request, &me)?)
}

async fn selected(portal: &Portal, caller: &Caller) -> Stored<SelectionJson> {
    Ok(SelectionJson::Selected { names: reached_names(portal, caller).await? })
}

/// The names of the repositories that the caller reaches, as many as are told.
pub async fn reached_names(portal: &Portal, caller: &Caller) -> Stored<Vec<String>> {
    let asking = caller.clone();
    portal
        .db
        .read(move |connection: &mut Connection| -> Stored<Vec<String>> {
            let reached = repositories_for(connection, &asking, None, MOST_NAMES)?;
            Ok(reached.into_iter().map(|(repository, _)| repository.name.to_string()).collect())
        })
        .await
}

pub const fn permissions(permissions: &Permissions) -> PermissionsJson {
    PermissionsJson {
        repositories: permissions.repositories.name(),
        account: permissions.account.name(),
        administration: permissions.administration.name(),
    }
}
