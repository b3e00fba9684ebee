//! What is told of an API token; never its secret.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::authenticate as auth;
use crate::auth::authorize::repositories_seen_by;
use crate::domain::api_token::{ApiToken, RepositorySelection};
use crate::storage::repositories::Among;
use crate::storage::{Connection, Result as Stored};
use crate::web::api::me::{MOST_NAMES, PermissionsJson, SelectionJson, permissions};
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "ci")]
    name: String,
    /// How its present secret begins.
    #[schema(example = "thp_AbCdEf…")]
    hint: String,
    #[schema(pattern = "^(active|expiring_soon|expired|disabled|revoked)$", example = "active")]
    status: &'static str,
    permissions: PermissionsJson,
    repositories: SelectionJson,
    #[schema(format = DateTime)]
    created_at: String,
    /// `null` for no expiry.
    #[schema(format = DateTime, required)]
    expires_at: Option<String>,
    /// `null` for never.
    #[schema(format = DateTime, required)]
    last_used_at: Option<String>,
    #[schema(required, example = "192.0.2.7")]
    last_used_address: Option<String>,
    #[schema(format = "uri")]
    url: String,
}

impl TokenJson {
    /// With the names of the selected repositories that the owner can still access.
    pub fn read(
        connection: &mut Connection,
        portal: &Portal,
        owner: &auth::ApiCaller,
        token: ApiToken,
    ) -> Stored<Self> {
        let repositories = match token.repositories.clone() {
            RepositorySelection::All => SelectionJson::All,
            RepositorySelection::Selected(ids) => {
                let (user, held) = (owner.owner, owner.owner_privileges);
                let seen = repositories_seen_by(connection, user, held, Among::Ids(ids), MOST_NAMES)?;
                SelectionJson::Selected { names: seen.into_iter().map(|seen| seen.name.to_string()).collect() }
            }
        };
        Ok(Self {
            status: token.status(portal.now()).name(),
            url: portal.settings.public_url.join(&urls::api_own_token(&token.id.to_string())),
            id: token.id.to_string(),
            name: token.name.as_str().to_owned(),
            permissions: permissions(&token.permissions),
            repositories,
            created_at: token.created_at.for_machines().into(),
            expires_at: token.expires_at.map(|at| at.for_machines().into()),
            last_used_at: token.last_use.as_ref().map(|used| used.at.for_machines().into()),
            last_used_address: token.last_use.map(|used| used.address),
            hint: token.hint,
        })
    }
}
