//! `/api/v1/me`: the token that asks.

use actix_web::{HttpResponse, web};
use serde::Serialize;

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
    let repositories = if caller.selected_only {
        let asking = caller.0.clone();
        let names = portal
            .db
            .read(move |connection: &mut Connection| -> Stored<Vec<String>> {
                let reached = repositories_for(connection, &asking, None, MOST_NAMES)?;
                Ok(reached.into_iter().map(|(repository, _)| repository.name.to_string()).collect())
            })
            .await?;
        RepositoriesJson::Selected { names }
    } else {
        RepositoriesJson::All
    };
    Ok(HttpResponse::Ok().json(MeJson {
        kind: "api_token",
        id: caller.token.to_string(),
        name: &caller.token_name,
        username: &caller.username,
        permissions: permissions(&caller.permissions),
        repositories,
        created_at: caller.created_at.for_machines(),
        expires_at: caller.expires_at.map(Timestamp::for_machines),
    }))
}

const fn permissions(permissions: &Permissions) -> PermissionsJson {
    PermissionsJson {
        repositories: permissions.repositories.name(),
        account: permissions.account.name(),
        administration: permissions.administration.name(),
    }
}
