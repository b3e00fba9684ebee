//! `/api/v1/repositories/{name}/callers`: who used the repository lately, with whatever token.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::reached;
use crate::domain::caller::Caller;
use crate::domain::permission::Permission;
use crate::storage::caller_list::{self, Of};
use crate::web::api::answer;
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;

#[derive(Serialize, ToSchema)]
#[schema(as = Callers)]
pub struct CallersJson {
    /// Latest first: the 50 with the most uses, and all others in one entry.
    #[schema(max_items = 51)]
    callers: Vec<CallerJson>,
    /// Uses of each of the last 30 days, today last.
    #[schema(min_items = 30, max_items = 30)]
    uses_per_day: Vec<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct CallerJson {
    /// `null` for all others together.
    #[schema(required, example = "192.0.2.7")]
    address: Option<String>,
    #[schema(example = "curl/8.5.0")]
    user_agent: String,
    #[schema(format = DateTime)]
    first_used_at: String,
    #[schema(format = DateTime)]
    last_used_at: String,
    #[schema(minimum = 1)]
    uses: i64,
}

/// `GET /api/v1/repositories/{name}/callers`
#[utoipa::path(
    get,
    path = "/api/v1/repositories/{name}/callers",
    tag = "Repositories",
    summary = "List who used a repository lately",
    description = "Addresses and user agents of the last 30 days, latest first, with any token. Uses are counted within seconds.",
    security(("bearer" = ["repositories:read"])),
    params(("name" = String, Path, description = "The repository's name.", example = "payments")),
    responses(
        (status = 200, description = "The callers.", body = CallersJson),
        (status = 404, description = "The token reaches no such repository."),
    ),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let (repository, _) = reached(&caller, &portal, &name, Permission::Read).await?;
    let now = caller.now();
    let both = move |connection: &mut _| caller_list::both(connection, Of::Repository(repository.id), now);
    let (callers, uses_per_day) = portal.db.read(both).await?;
    let callers = callers.into_iter().map(CallerJson::new).collect();
    Ok(answer::json(StatusCode::OK, &CallersJson { callers, uses_per_day })?)
}

impl CallerJson {
    fn new(caller: Caller) -> Self {
        Self {
            address: Some(caller.address).filter(|address| !address.is_empty()),
            user_agent: caller.user_agent,
            first_used_at: caller.first_used_at.for_machines().into(),
            last_used_at: caller.last_used_at.for_machines().into(),
            uses: caller.uses,
        }
    }
}
