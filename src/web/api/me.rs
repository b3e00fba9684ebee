//! `/api/v1/me`: the token that asks.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::auth::authenticate::Caller;
use crate::auth::authorize::repositories_for;
use crate::domain::permission::Permissions;
use crate::domain::timestamp::Timestamp;
use crate::storage::{Connection, Result as Stored};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

/// Most names of selected repositories that are told.
const MOST_NAMES: i64 = 1_000;

#[derive(Serialize)]
struct MeJson<'a> {
    kind: &'static str,
    id: String,
    name: &'a str,
    username: &'a str,
    permissions: PermissionsJson,
    repositories: RepositoriesJson,
    created_at: String,
    /// `null` for no expiry.
    expires_at: Option<String>,
}

/// `none`, `read` or `write` in each area.
#[derive(Serialize)]
struct PermissionsJson {
    repositories: &'static str,
    account: &'static str,
    administration: &'static str,
}

/// All that the owner can access, or the names of those selected that still can be.
#[derive(Serialize)]
#[serde(tag = "selection", rename_all = "lowercase")]
enum RepositoriesJson {
    All,
    Selected { names: Vec<String> },
}

/// `GET /api/v1/me`: any good token.
pub async fn show(caller: ApiCaller, portal: web::Data<Portal>) -> Result<HttpResponse, ApiFailure> {
    let permissions = permissions(&caller.permissions());
    let me = match &*caller {
        Caller::ApiToken(own) => MeJson {
            kind: "api_token",
            id: own.token.to_string(),
            name: &own.token_name,
            username: &own.username,
            permissions,
            repositories: if own.selected_only { selected(&portal, &caller).await? } else { RepositoriesJson::All },
            created_at: own.created_at.for_machines(),
            expires_at: own.expires_at.map(Timestamp::for_machines),
        },
        Caller::Repository(own) => MeJson {
            kind: "repository_token",
            id: own.token.to_string(),
            name: own.name.as_str(),
            username: own.name.as_str(),
            permissions,
            repositories: RepositoriesJson::Selected { names: vec![own.name.to_string()] },
            created_at: own.created_at.for_machines(),
            expires_at: own.ends_at.map(Timestamp::for_machines),
        },
        Caller::Service(own) => MeJson {
            kind: "service_token",
            id: own.id.to_string(),
            name: own.name.as_str(),
            username: own.name.as_str(),
            permissions,
            repositories: RepositoriesJson::Selected { names: Vec::new() },
            created_at: own.token_created_at.for_machines(),
            expires_at: None,
        },
    };
    Ok(HttpResponse::Ok().json(me))
}

async fn selected(portal: &Portal, caller: &Caller) -> Stored<RepositoriesJson> {
    Ok(RepositoriesJson::Selected { names: reached_names(portal, caller).await? })
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

const fn permissions(permissions: &Permissions) -> PermissionsJson {
    PermissionsJson {
        repositories: permissions.repositories.name(),
        account: permissions.account.name(),
        administration: permissions.administration.name(),
    }
}
