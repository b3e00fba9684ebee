//! `/api/v1/services`: the systems that may ask about tokens. *System Management* guards all of it. None is made and no
//! token of one is rotated here: a token never makes a token of a service.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::administration::administering;
use super::paging::{LimitQuery, Paging};
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::service::{Service, ServiceName};
use crate::randomness;
use crate::storage::service_changes::Change;
use crate::storage::{Connection, services};
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = Service)]
pub struct ServiceJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(example = "wiki")]
    name: String,
    #[schema(example = "Reads the manuals")]
    description: String,
    /// How its present token begins.
    #[schema(example = "ths_AbCdEf…")]
    hint: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(example = "ada")]
    created_by: String,
    #[schema(format = DateTime)]
    token_created_at: String,
    /// `null` where somebody who held the former token revoked it: nobody has seen the present one.
    #[schema(required, example = "ada")]
    token_created_by: Option<String>,
    /// `null` for never.
    #[schema(format = DateTime, required)]
    last_used_at: Option<String>,
    #[schema(required, example = "192.0.2.7")]
    last_used_address: Option<String>,
    #[schema(format = "uri")]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Services)]
pub struct ServicesJson {
    services: Vec<ServiceJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

impl ServiceJson {
    fn new(portal: &Portal, service: Service) -> Self {
        Self {
            id: service.id.to_string(),
            url: portal.settings.public_url.join(&urls::api_service(service.name.as_str())),
            name: service.name.to_string(),
            description: service.description,
            hint: service.hint,
            created_at: service.created_at.for_machines().into(),
            created_by: service.created_by,
            token_created_at: service.token_created_at.for_machines().into(),
            token_created_by: Some(service.token_created_by).filter(|by| !by.is_empty()),
            last_used_at: service.last_use.as_ref().map(|used| used.at.for_machines().into()),
            last_used_address: service.last_use.map(|used| used.address),
        }
    }
}

/// `GET /api/v1/services?q=…&limit=25&after=<name>`: in the order of their names.
#[utoipa::path(
    get,
    path = "/api/v1/services",
    tag = "Services",
    summary = "List the services",
    description = "In the order of their names. A token never makes a service or another token: that takes a person, in Administration. Needs an API token whose owner holds System Management.",
    security(("bearer" = ["administration:read"])),
    params(
        ("q" = Option<String>, Query, description = "Words that name or description must hold."),
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the services after this name: take it from `next`.", pattern = "^([a-z0-9]+([._-][a-z0-9]+)*)?$", max_length = 100),
    ),
    responses((status = 200, description = "One page of them.", body = ServicesJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::SystemManagement)?;
    let paging = Paging::of(&request, &["q"])?;
    let after = paging.after("the name of a service", |text| ServiceName::parse(text).ok())?;
    let (search, rows, after) = (paging.search(), paging.rows(), after.map(|name| name.to_string()));
    let list = move |connection: &mut Connection| services::list_after(connection, &search, after, rows);
    let mut found = portal.db.look_up(list).await?;
    let next = paging.next(&portal, urls::API_SERVICES, &mut found, |last| last.name.to_string());
    let services = found.into_iter().map(|service| ServiceJson::new(&portal, service)).collect();
    Ok(answer::json(StatusCode::OK, &ServicesJson { services, next })?)
}

/// `GET /api/v1/services/{name}`
#[utoipa::path(
    get,
    path = "/api/v1/services/{name}",
    tag = "Services",
    summary = "Show a service",
    description = "Without its token. Needs an API token whose owner holds System Management.",
    security(("bearer" = ["administration:read"])),
    params(("name" = String, Path, description = "The service's name.", example = "wiki")),
    responses(
        (status = 200, description = "The service.", body = ServiceJson),
        (status = 304, description = "It is as `If-None-Match` says."),
        (status = 404, description = "There is no such service."),
    ),
)]
pub async fn show(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::SystemManagement)?;
    let service = found(&portal, &name).await?;
    Ok(answer::tagged(&request, &ServiceJson::new(&portal, service))?)
}

/// `DELETE /api/v1/services/{name}`
#[utoipa::path(
    delete,
    path = "/api/v1/services/{name}",
    tag = "Services",
    summary = "Delete a service",
    description = "For good, with its token and its counts of use. Needs an API token whose owner holds System Management.",
    security(("bearer" = ["administration:write"])),
    params(("name" = String, Path, description = "The service's name.", example = "wiki")),
    responses(
        (status = 204, description = "The service is gone."),
        (status = 404, description = "There is no such service."),
    ),
)]
pub async fn destroy(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiFailure> {
    let change = Change { acting: administering(&caller, Permission::Write, Privilege::SystemManagement)? };
    let id = found(&portal, &name).await?.id;
    let delete = move |connection: &mut Connection| change.delete(connection, &mut randomness::system(), id);
    portal.db.write(delete).await?;
    Ok(answer::done())
}

/// The service of this name, in its one spelling.
async fn found(portal: &Portal, name: &str) -> Result<Service, Failure> {
    let wanted = ServiceName::parse(name).ok().filter(|parsed| parsed.as_str() == name).ok_or(Failure::NotFound)?;
    let found = portal.db.look_up(move |connection| services::find_by_name(connection, &wanted)).await?;
    found.ok_or(Failure::NotFound)
}
