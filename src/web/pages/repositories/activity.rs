//! `GET /repositories/{name}/activity`: tab Activity.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Tabs, managed};
use crate::domain::id::EventId;
use crate::storage::repository_changes::KIND;
use crate::storage::{Connection, events};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::Typed;
use crate::web::listing::{PAGE, shorten};
use crate::web::page::{EventRow, Shell, html};
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Template)]
#[template(path = "pages/repositories/activity.html")]
struct ActivityPage {
    shell: Shell,
    tabs: Tabs,
    events: Vec<EventRow>,
    /// Whether the newest events are on this page.
    newest: bool,
    older: Option<String>,
}

/// `GET /repositories/{name}/activity?before=…`
pub async fn index(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&portal, &who, &path).await?;
    let before: Option<EventId> = Typed::of_any_query(&request)?.text("before").parse().ok();
    let id = repository.id.to_string();
    let mut found = portal
        .db
        .read(move |connection: &mut Connection| events::list_of(connection, KIND, &id, before, PAGE + 1))
        .await?;
    let more = shorten(&mut found);
    let address = urls::repository_activity(repository.name.as_str());
    let page = ActivityPage {
        shell: Shell::of(&portal, &request, &who),
        tabs: Tabs::of(&repository, &who),
        older: found.last().filter(|_| more).map(|last| format!("{address}?before={}", last.id)),
        events: found.into_iter().map(|event| EventRow::new(event, who.now)).collect(),
        newest: before.is_none(),
    };
    Ok(html(StatusCode::OK, &page)?)
}
