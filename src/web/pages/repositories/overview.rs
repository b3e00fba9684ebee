//! `GET /repositories/{name}`: tab Overview.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Tabs, visible};
use crate::storage::caller_list::{self, Of};
use crate::web::chart::Chart;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{CallerRow, Moment, Shell, html};
use crate::web::portal::Portal;

#[derive(Template)]
#[template(path = "pages/repositories/show.html")]
struct RepositoryPage {
    shell: Shell,
    tabs: Tabs,
    description: String,
    access: &'static str,
    created: Moment,
    used: Option<Moment>,
    chart: Chart,
    callers: Vec<CallerRow>,
}

/// `GET /repositories/{name}`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let found = visible(&portal, &who, &path).await?;
    let (id, now) = (found.repository.id, who.now);
    let (callers, per_day) =
        portal.db.read(move |connection| caller_list::both(connection, Of::Repository(id), now)).await?;
    let page = RepositoryPage {
        shell: Shell::of(&portal, &request, &who),
        tabs: Tabs::of(&found.repository, &who),
        access: found.right.label(),
        created: Moment::new(found.repository.created_at, now),
        used: found.repository.last_used_at.map(|at| Moment::new(at, now)),
        chart: Chart::new(&per_day, now),
        callers: callers.iter().map(|caller| CallerRow::new(caller, now)).collect(),
        description: found.repository.description,
    };
    Ok(html(StatusCode::OK, &page)?)
}
