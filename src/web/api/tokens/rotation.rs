//! `/api/v1/tokens/current/rotation`: a new secret for the API token that asks. An API token rotates itself and no other.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{change, owner};
use crate::domain::expiry::renewed;
use crate::domain::permission::Permission;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::acting::{By, Ended};
use crate::storage::api_token_changes::{Refusal, Rotation};
use crate::storage::idempotency::NewSecret;
use crate::storage::{Connection, api_tokens, policies};
use crate::web::api::answer::Reply;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
pub struct RotationJson {
    /// When the old secret stops working: `now`, `1h`, `24h` or `7d`, as far as the policies offer it. Left out, it is the
    /// first that they offer.
    #[schema(pattern = "^(now|1h|24h|7d)$", example = "1h")]
    #[serde(default)]
    grace: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RotatedToken)]
pub struct RotatedJson<'a> {
    /// The new secret. It is told now and never again.
    #[schema(pattern = "^thp_[0-9A-Za-z]{38}$")]
    token: &'a str,
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "ci")]
    name: String,
    /// Goes with the token in Basic.
    #[schema(example = "ada")]
    username: String,
    /// `null` for no expiry.
    #[schema(format = DateTime, required)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    old_token_ends_at: String,
}

/// `POST /api/v1/tokens/current/rotation`
#[utoipa::path(
    post,
    path = "/api/v1/tokens/current/rotation",
    tag = "API tokens",
    summary = "Rotate the API token that asks",
    description = "It keeps its name, permissions and repositories, and lives as long as before, counted from now. The body may be left out.",
    security(("bearer" = ["account:write"])),
    request_body(content = Option<RotationJson>),
    responses(
        (status = 201, description = "The new secret, once.", body = RotatedJson),
        (status = 409, description = "The token was rotated before, and this secret of it only still works."),
    ),
)]
pub async fn create(caller: ApiCaller, portal: web::Data<Portal>, body: JsonBody) -> Result<HttpResponse, ApiFailure> {
    let own = owner(&caller, Permission::Write)?;
    let typed: RotationJson = body.read_if_any().await?;
    let policy = portal.db.look_up(policies::current).await?;
    let mut fields = Fields::default();
    let Some(grace) = fields.parse("grace", policy.grace(typed.grace.as_deref())) else {
        return Err(fields.refused().into());
    };
    let (change, id, now) = (change(&caller)?, own.token, caller.now());
    let (name, username, shared) = (own.token_name.to_string(), own.username.to_string(), portal.clone());
    let rotated = caller
        .answer(move |connection: &mut Connection| -> Result<Reply, Refusal> {
            let rng = &mut randomness::system();
            let token = api_tokens::find(connection, change.owner, id)?.ok_or(Refusal::NotFound)?;
            let Some(By::ApiToken(digest)) = change.by else { return Err(Ended::Token.into()) };
            let replaces = api_tokens::secret_of(connection, &digest)?.ok_or(Ended::Token)?;
            let expires_at = renewed(token.lifetime, now, &policy);
            let old_ends_at = now.plus(grace.seconds());
            let rotation = Rotation { replaces, nonce: random_code(rng), old_ends_at, expires_at };
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            change.rotate(connection, rng, id, &rotation, &secret)?;
            let old_ends_at = [token.expires_at, expires_at].into_iter().flatten().fold(old_ends_at, Timestamp::min);
            let new = secret.digest();
            let rotated = RotatedJson {
                token: secret.reveal(),
                id: id.to_string(),
                name,
                username,
                expires_at: expires_at.map(|at| at.for_machines().into()),
                old_token_ends_at: old_ends_at.for_machines().into(),
            };
            let location = shared.settings.public_url.join(&urls::api_own_token("current"));
            Ok(Reply::created(location, &rotated)?.rotated(NewSecret::ApiToken(new), old_ends_at))
        })
        .await;
    Ok(rotated.map_err(|refusal| match refusal {
        Refusal::Overtaken => Failure::Conflict("This token was rotated before. Use the new one.".into()),
        refusal => refusal.into(),
    })?)
}
