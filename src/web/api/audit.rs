//! `/api/v1/audit`: the audit log. *View Audit Log* guards it, and nobody changes it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::administration::administering;
use super::paging::{LimitQuery, Paging, refused};
use crate::domain::event::Action;
use crate::domain::id::{EventId, UserId};
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::text::nfc_within;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::storage::Connection;
use crate::storage::event_list::{self, Asked, By, Named, Recorded, Subject};
use crate::web::api::answer;
use crate::web::error::{ApiFailure, Failure};
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventJson {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    id: String,
    #[schema(format = DateTime)]
    at: String,
    #[schema(example = "user.created")]
    action: String,
    actor: ActorJson,
    /// Where it was done from; `null` for what was done on the machine itself.
    #[schema(required, example = "192.0.2.7")]
    address: Option<String>,
    subject: SubjectJson,
    /// What more there is to say, in words; may be empty.
    #[schema(example = "sessions ended: 2")]
    detail: String,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorJson {
    /// `user`, `api_token`, `repository`, `service`, `shell`, `anonymous` or `system`.
    #[schema(example = "user")]
    kind: String,
    /// Of the user, the repository or the service, where there is one.
    #[schema(pattern = "^[1-9][0-9]{0,18}$", required)]
    id: Option<String>,
    /// `null` where nobody is known.
    #[schema(required, example = "ada")]
    name: Option<String>,
    /// Id of the token that acted, where one did.
    #[schema(pattern = "^[1-9][0-9]{0,18}$", required)]
    token: Option<String>,
}

/// What it happened to.
#[derive(Serialize, ToSchema)]
#[schema(as = Subject)]
pub struct SubjectJson {
    #[schema(example = "repository")]
    kind: String,
    id: String,
    /// As it was called then.
    #[schema(example = "payments")]
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
pub struct EventsJson {
    events: Vec<EventJson>,
    /// Address of the next page, `null` on the last.
    #[schema(format = "uri", required)]
    next: Option<String>,
}

/// `GET /api/v1/audit`: newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "Audit log",
    summary = "List what happened",
    description = "Newest first. Filters add up. Needs an API token whose owner holds View Audit Log.",
    security(("bearer" = ["administration:read"])),
    params(
        ("action" = inline(Option<ActionName>), Query, description = "The name of an action.", example = "user.created"),
        ("actor" = Option<String>, Query, description = "Who did it: a username, or the id of a user, repository or service.", example = "ada", pattern = "^([a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)?$"),
        ("subject" = Option<String>, Query, description = "What it happened to: its kind, a colon, and its id or the name that it had then.", example = "repository:payments", pattern = "^([a-z_]{1,30}:[ -~]{1,200})?$"),
        ("since" = Option<String>, Query, description = "Only what happened at this moment or later (RFC 3339).", example = "2026-11-21T00:00:00Z", pattern = "^((19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("until" = Option<String>, Query, description = "Only what happened before this moment (RFC 3339).", example = "2026-11-22T00:00:00Z", pattern = "^((19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        LimitQuery,
        ("after" = Option<String>, Query, description = "Shows the events before the one of this id: take it from `next`.", pattern = "^([1-9][0-9]{0,17}|[1-8][0-9]{18})?$"),
    ),
    responses((status = 200, description = "One page of them.", body = EventsJson)),
)]
pub async fn index(
    caller: ApiCaller,
    portal: web::Data<Portal>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiFailure> {
    administering(&caller, Permission::Read, Privilege::ViewAuditLog)?;
    let paging = Paging::of(&request, &["action", "actor", "subject", "since", "until"])?;
    let asked = Asked {
        action: filter(&paging, "action", "the name of an action, such as user.created", Action::from_name)?,
        by: filter(&paging, "actor", "a username, or the id of a user or repository", by)?,
        subject: filter(
            &paging,
            "subject",
            "a kind, a colon, and an id or name, such as repository:payments",
            subject,
        )?,
        since: filter(&paging, "since", MOMENT, Timestamp::from_rfc_3339)?,
        until: filter(&paging, "until", MOMENT, Timestamp::from_rfc_3339)?,
        before: paging.after("the id of an event", |text| text.parse::<EventId>().ok())?,
        limit: paging.rows(),
    };
    let mut events = portal.db.read(move |connection: &mut Connection| event_list::list(connection, &asked)).await?;
    let next = paging.next(&portal, urls::API_AUDIT, &mut events, |last| last.id.to_string());
    let events = events.into_iter().map(EventJson::from).collect();
    Ok(answer::json(StatusCode::OK, &EventsJson { events, next })?)
}

/// The names of all actions, as the document tells them.
struct ActionName;

impl PartialSchema for ActionName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Action::NAMES.iter().copied())).into()
    }
}

impl ToSchema for ActionName {}

const MOMENT: &str = "a moment as RFC 3339 writes it, such as 2026-11-21T14:06:40Z";
/// Longest name of a subject in characters after NFC, and more.
const LONGEST: usize = 200;

/// What a parameter holds, where it is there.
fn filter<T>(
    paging: &Paging,
    name: &str,
    what: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Failure> {
    match paging.text(name) {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or_else(|| refused(name, what)),
    }
}

fn by(text: &str) -> Option<By> {
    let by = By { username: Username::parse(text).ok(), id: text.parse::<UserId>().ok().map(UserId::number) };
    (by.username.is_some() || by.id.is_some()).then_some(by)
}

fn subject(text: &str) -> Option<Subject> {
    let (kind, named) = text.split_once(':')?;
    let kind_fits = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    // PostgreSQL cannot hold NUL in a text.
    let named = nfc_within(named, LONGEST)?;
    let fits = !named.is_empty() && !named.chars().any(char::is_control);
    let wrap = if is_id(&named) { Named::Id } else { Named::Name };
    (kind_fits && fits).then(|| Subject { kind: kind.to_owned(), named: wrap(named) })
}

/// Whether a text is an id and not a name, which may consist of digits too: all ids since October 2026 have 18 or 19 digits.
fn is_id(text: &str) -> bool {
    text.len() >= 18 && text.parse::<UserId>().is_ok()
}

impl From<Recorded> for EventJson {
    fn from(event: Recorded) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at.for_machines().into(),
            action: event.action,
            actor: ActorJson {
                kind: event.actor_kind,
                id: event.actor_id.map(|id| id.to_string()),
                name: Some(event.actor_name).filter(|name| !name.is_empty()),
                token: event.actor_token.map(|id| id.to_string()),
            },
            address: event.address,
            subject: SubjectJson { kind: event.subject_kind, id: event.subject_id, name: event.subject_name },
            detail: event.detail,
        }
    }
}
