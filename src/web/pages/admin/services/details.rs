//! `GET /admin/services/{service}`: the token if it is due to be shown, else all there is to know of the service.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{reveal, service_at};
use crate::domain::event::{Action, Event};
use crate::domain::id::ServiceId;
use crate::domain::timestamp::Timestamp;
use crate::storage::caller_list::{self, Of};
use crate::storage::held::{self, Revocation};
use crate::storage::service_changes::KIND;
use crate::storage::{Connection, Result as Stored, events, reveals};
use crate::web::chart::Chart;
use crate::web::error::PageFailure;
use crate::web::examples::{self, Example};
use crate::web::extract::signed_in::{Holding, SystemManagement};
use crate::web::page::{CallerRow, EventRow, LastUse, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::reveal::is_a_look;
use crate::web::urls;

/// Most events that are shown.
const MOST_EVENTS: i64 = 25;

#[derive(Template)]
#[template(path = "pages/admin/services/show.html")]
struct ServicePage {
    shell: Shell,
    id: ServiceId,
    name: String,
    description: String,
    hint: String,
    created: Moment,
    created_by: String,
    token_created: Moment,
    /// Empty where nobody has seen the token.
    token_created_by: String,
    last_used: Option<LastUse>,
    /// Where somebody who held the former token revoked it, and nobody has given the service another.
    revoked: Option<Revoked>,
    endpoint: String,
    examples: Vec<Example>,
    callers: Vec<CallerRow>,
    chart: Chart,
    events: Vec<EventRow>,
}

/// When, and from where.
pub struct Revoked {
    at: Moment,
    address: String,
}

impl Revoked {
    fn new(revocation: Revocation, now: Timestamp) -> Self {
        Self { at: Moment::new(revocation.at, now), address: revocation.address }
    }
}

/// `GET /admin/services/{service}`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&portal, &path).await?;
    let (id, session, now) = (service.id, who.session.id, who.now);
    let due = portal.db.look_up(move |connection| reveals::is_due(connection, id, session, now)).await?;
    if due
        && is_a_look(&request)
        && let Some(secret) = reveal::take(&portal, &who, &service).await?
    {
        return Ok(reveal::page(&portal, &request, &who, &service, &secret)?);
    }
    let (cut_off, token_since) = (service.is_cut_off(), service.token_created_at);
    type Facts = (Vec<Event>, (Vec<crate::domain::caller::Caller>, Vec<i64>), Option<Revocation>);
    let (happened, (callers, per_day), revocation) = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<Facts> {
            let subject = (KIND, id.to_string());
            let revocation = if cut_off {
                held::of_subject(connection, Action::ServiceTokenRevoked, subject, token_since)?
            } else {
                None
            };
            let happened = events::list_of(connection, KIND, &id.to_string(), None, MOST_EVENTS)?;
            Ok((happened, caller_list::both(connection, Of::Service(id), now)?, revocation))
        })
        .await?;
    let endpoint = portal.settings.public_url.join(urls::INTROSPECTION);
    let page = ServicePage {
        shell: Shell::of(&portal, &request, &who),
        id,
        created: Moment::new(service.created_at, now),
        token_created: Moment::new(service.token_created_at, now),
        last_used: service.last_use.as_ref().map(|used| LastUse::new(used, now)),
        revoked: revocation.map(|revocation| Revoked::new(revocation, now)),
        examples: examples::of_service(None, service.name.as_str(), &endpoint),
        endpoint,
        callers: callers.iter().map(|caller| CallerRow::new(caller, now)).collect(),
        chart: Chart::new(&per_day, now),
        events: happened.into_iter().map(|event| EventRow::new(event, now)).collect(),
        name: service.name.to_string(),
        description: service.description,
        hint: service.hint,
        created_by: service.created_by,
        token_created_by: service.token_created_by,
    };
    Ok(html(StatusCode::OK, &page)?)
}
