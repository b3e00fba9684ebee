//! `/api/v1/policies`: the limits for all tokens. *System Management* guards it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::administration::administering;
use super::body::{Fields, JsonBody};
use crate::domain::Invalid;
use crate::domain::permission::Permission;
use crate::domain::policy::{Grace, Policy};
use crate::domain::privilege::Privilege;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::acting::Ended;
use crate::storage::policies::{current, lock, set};
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

#[derive(Serialize, ToSchema)]
#[schema(as = Policies)]
pub struct PoliciesJson {
    /// Longest lifetime of a new API token in days, `null` for none.
    #[schema(required, minimum = 1, maximum = 3650, example = 90)]
    max_lifetime_days: Option<u32>,
    /// Where there is a maximum lifetime, no token is without an end, whatever this says.
    no_expiry_allowed: bool,
    /// Most API tokens of a user, `null` for the program's own limit.
    #[schema(required, minimum = 1, maximum = 100, example = 5)]
    max_api_tokens: Option<u32>,
    /// When an old token may stop working after a rotation: `now`, `1h`, `24h`, `7d`.
    #[schema(example = json!(["now", "1h", "24h", "7d"]))]
    graces: Vec<&'static str>,
    /// Whether a repository's token is shown when it is made and never again.
    repository_tokens_shown_once: bool,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoliciesChange)]
pub struct PoliciesChangeJson {
    /// `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 3650, example = 90)]
    max_lifetime_days: Option<Option<i64>>,
    #[serde(default)]
    no_expiry_allowed: Option<bool>,
    /// `null` for the program's own limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100, example = 5)]
    max_api_tokens: Option<Option<i64>>,
    /// At least one of `now`, `1h`, `24h`, `7d`.
    #[serde(default)]
    #[schema(example = json!(["now", "1h"]))]
    graces: Option<Vec<String>>,
    #[serde(default)]
    repository_tokens_shown_once: Option<bool>,
}

/// `null` is something else than nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A validated wish; what is `None` stays as it is.
struct Wish {
    max_lifetime_days: Option<Option<u32>>,
    no_expiry_allowed: Option<bool>,
    max_api_tokens: Option<Option<u32>>,
    graces: Option<Vec<Grace>>,
    repository_tokens_shown_once: Option<bool>,
}

/// `GET /api/v1/policies`
#[utoipa::path(
    get,
    path = "/api/v1/policies",
    tag = "Policies",
    summary = "Show the policies",
    description = "The limits for all tokens. Needs an API token whose owner holds System Management.",
    security(("bearer" = ["administration:read"])),
    responses(
        (status = 200, description = "The policies.", body = PoliciesJson),
        (status = 304, description = "They are as `If-None-Match` says."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::SystemManagement)?;
    let policy = portal.db.look_up(current).await?;
    Ok(answer::tagged(&request, &PoliciesJson::from(policy))?)
}

/// `PATCH /api/v1/policies`
#[utoipa::path(
    patch,
    path = "/api/v1/policies",
    tag = "Policies",
    summary = "Change the policies",
    description = "Each of them if it is there; tokens that exist stay as they are. Needs an API token whose owner holds System Management.",
    security(("bearer" = ["administration:write"])),
    request_body = PoliciesChangeJson,
    responses((status = 200, description = "The policies as they are now.", body = PoliciesJson)),
)]
pub async fn update(caller: ApiCaller, portal: web::Data<Portal>, body: JsonBody) -> Result<HttpResponse, ApiFailure> {
    let acting = administering(&caller, Permission::Write, Privilege::SystemManagement)?;
    let wish = body.read::<PoliciesChangeJson>().await?.parse()?;
    let policy = portal
        .db
        .write(move |connection: &mut Connection| -> Result<_, Ended> {
            // Two who change different ones at once both have their wish.
            lock(connection)?;
            let policy = wish.applied_to(current(connection)?);
            set(connection, &mut randomness::system(), &acting, &policy)?;
            Ok(policy)
        })
        .await?;
    Ok(answer::json(StatusCode::OK, &PoliciesJson::from(policy))?)
}

impl PoliciesChangeJson {
    /// By the rules of the page.
    fn parse(self) -> Result<Wish, Failure> {
        let mut fields = Fields::default();
        let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let lifetime = self.max_lifetime_days.map(|days| Policy::parse_max_lifetime(&text(days))).transpose();
        let most = self.max_api_tokens.map(|most| Policy::parse_max_api_tokens(&text(most))).transpose();
        let graces = self.graces.map(|names| graces(&names)).transpose();
        let lifetime = fields.parse("max_lifetime_days", lifetime);
        let most = fields.parse("max_api_tokens", most);
        let graces = fields.parse("graces", graces);
        let (Some(max_lifetime_days), Some(max_api_tokens), Some(graces)) = (lifetime, most, graces) else {
            return Err(fields.refused());
        };
        let (no_expiry_allowed, shown_once) = (self.no_expiry_allowed, self.repository_tokens_shown_once);
        Ok(Wish {
            max_lifetime_days,
            no_expiry_allowed,
            max_api_tokens,
            graces,
            repository_tokens_shown_once: shown_once,
        })
    }
}

fn graces(names: &[String]) -> Result<Vec<Grace>, Invalid> {
    let known = names.iter().all(|name| Grace::from_name(name).is_some());
    if !known || names.is_empty() {
        return Err(Invalid::new("Must hold at least one of “now”, “1h”, “24h” and “7d”, and nothing else."));
    }
    Ok(Grace::ALL.into_iter().filter(|grace| names.iter().any(|name| name == grace.name())).collect())
}

impl Wish {
    fn applied_to(self, policy: Policy) -> Policy {
        Policy {
            max_lifetime_days: self.max_lifetime_days.unwrap_or(policy.max_lifetime_days),
            no_expiry_allowed: self.no_expiry_allowed.unwrap_or(policy.no_expiry_allowed),
            max_api_tokens: self.max_api_tokens.unwrap_or(policy.max_api_tokens),
            graces: self.graces.unwrap_or(policy.graces),
            repository_tokens_shown_once: self
                .repository_tokens_shown_once
                .unwrap_or(policy.repository_tokens_shown_once),
        }
    }
}

impl From<Policy> for PoliciesJson {
    fn from(policy: Policy) -> Self {
        Self {
            max_lifetime_days: policy.max_lifetime_days,
            no_expiry_allowed: policy.no_expiry_allowed,
            max_api_tokens: policy.max_api_tokens,
            graces: policy.graces.iter().map(|grace| grace.name()).collect(),
            repository_tokens_shown_once: policy.repository_tokens_shown_once,
        }
    }
}
