//! `GET /admin/services`: the list of all services.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::id::ServiceId;
use crate::domain::service::Service;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::storage::services::{self, Asked, Column};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{Holding, SystemManagement};
use crate::web::form::Typed;
use crate::web::listing::{Listing, PAGE, Pages, Sort};
use crate::web::page::{LastUse, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::urls;

/// The columns that it can be ordered by, as addresses name them.
const COLUMNS: &[(&str, Column)] = &[("name", Column::Name), ("created", Column::CreatedAt)];

#[derive(Template)]
#[template(path = "pages/admin/services/index.html")]
struct ServicesPage {
    shell: Shell,
    search: String,
    sort: String,
    name: Sort,
    created: Sort,
    rows: Vec<ServiceRow>,
    pages: Pages,
}

struct ServiceRow {
    id: ServiceId,
    name: String,
    description: String,
    hint: String,
    created: Moment,
    last_used: Option<LastUse>,
}

/// `GET /admin/services`
pub async fn index(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let listing = Listing::of(&query, urls::ADMIN_SERVICES, COLUMNS);
    let asked = Asked {
        search: listing.words(),
        order: listing.order,
        descending: listing.descending,
        offset: listing.offset(),
        limit: PAGE,
    };
    let (found, total) = portal.db.read(move |connection: &mut Connection| services::page(connection, &asked)).await?;
    let page = ServicesPage {
        shell: Shell::of(&portal, &request, &who),
        sort: query.text("sort").to_owned(),
        name: listing.sort(Column::Name, "Name"),
        created: listing.sort(Column::CreatedAt, "Date created"),
        rows: found.into_iter().map(|service| ServiceRow::new(service, who.now)).collect(),
        pages: listing.pages(total),
        search: listing.search,
    };
    Ok(html(StatusCode::OK, &page)?)
}

impl ServiceRow {
    fn new(service: Service, now: Timestamp) -> Self {
        Self {
            id: service.id,
            name: service.name.to_string(),
            description: service.description,
            hint: service.hint,
            created: Moment::new(service.created_at, now),
            last_used: service.last_use.as_ref().map(|used| LastUse::new(used, now)),
        }
    }
}
