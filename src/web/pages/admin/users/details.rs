//! `GET /admin/users/{user}`: all there is to know of a user, and the link to set a password if it is due to be shown.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::user_at;
use crate::domain::event::{Action, Event, NewEvent};
use crate::domain::id::UserId;
use crate::domain::privilege::Privilege;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{Status, User};
use crate::storage::user_access::{self, UserPrivileges};
use crate::storage::user_changes::KIND;
use crate::storage::{Connection, Result as Stored, api_tokens, events, password_links, reveals, sessions, users};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::page::{Badge, EventRow, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::reveal::{self, is_a_look};
use crate::web::urls;

/// Most events that are shown.
const MOST_EVENTS: i64 = 25;

#[derive(Template)]
#[template(path = "pages/admin/users/show.html")]
struct UserPage {
    shell: Shell,
    id: UserId,
    display_name: String,
    username: String,
    email: String,
    roles: Vec<String>,
    privileges: Vec<&'static str>,
    badge: Badge,
    created: Moment,
    disabled: bool,
    invited: bool,
    tokens: usize,
    sessions: i64,
    last_seen: Option<Moment>,
    events: Vec<EventRow>,
    /// The address that sets the password, this once.
    link: Option<Zeroizing<String>>,
    /// Until when the link that waits works, shown or not.
    link_ends: Option<Moment>,
    /// What the user can do and the viewer cannot, which keeps the viewer from changing anything.
    beyond: Vec<&'static str>,
    oneself: bool,
}

struct Facts {
    has_password: bool,
    tokens: usize,
    sessions: (i64, Option<Timestamp>),
    link_ends: Option<Timestamp>,
    events: Vec<Event>,
    due: bool,
    beyond: Vec<&'static str>,
}

/// `GET /admin/users/{user}`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = user_at(&portal, &path).await?;
    let facts = Facts::find(&portal, &who, &user).await?;
    let code = if facts.due && is_a_look(&request) { take(&portal, &who, &user).await? } else { None };
    let link = code.map(|code| Zeroizing::new(portal.settings.public_url.join(&urls::set_password(&code))));
    let shown = link.is_some();
    let page = page(Shell::of(&portal, &request, &who), &who, user, facts, link);
    let mut response = html(StatusCode::OK, &page)?;
    if shown {
        reveal::keep_out_of_cache(&portal, &mut response)?;
    }
    Ok(response)
}

impl Facts {
    async fn find(portal: &Portal, who: &SignedIn, user: &User) -> Result<Self, Failure> {
        let (id, privileges, viewer) = (user.id, user.privileges, (who.user.id, who.user.privileges));
        let (session, now, lifetimes) = (who.session.id, who.now, portal.settings.lifetimes);
        let find = move |connection: &mut Connection| -> Stored<Self> {
            let credentials = users::credentials_of(connection, id)?;
            Ok(Self {
                has_password: credentials.is_some_and(|credentials| credentials.password_hash.is_some()),
                tokens: api_tokens::count_current(connection, id)?,
                sessions: sessions::count_live(
                    connection,
                    id,
                    now.minus(lifetimes.absolute),
                    now.minus(lifetimes.idle),
                )?,
                link_ends: password_links::expires_at(connection, id, now)?,
                events: events::list_of(connection, KIND, &id.to_string(), None, MOST_EVENTS)?,
                due: reveals::is_due(connection, id, session, now)?,
                beyond: beyond(connection, viewer, (id, privileges))?,
            })
        };
        Ok(portal.db.read(find).await?)
    }
}

/// Takes away the code that waits for this session, if one does: whoever gets it shows it.
async fn take(portal: &Portal, who: &SignedIn, user: &User) -> Result<Option<Zeroizing<String>>, Failure> {
    let event = NewEvent {
        actor: who.actor(),
        action: Action::PasswordLinkRevealed,
        subject_kind: KIND,
        subject_id: user.id.to_string(),
        subject_name: user.username.to_string(),
        detail: String::new(),
    };
    reveal::take(portal, who, user.id, Some(event)).await
}

fn page(shell: Shell, who: &SignedIn, user: User, facts: Facts, link: Option<Zeroizing<String>>) -> UserPage {
    let now = who.now;
    let status = Status::of(user.disabled_at.is_some(), facts.has_password);
    UserPage {
        shell,
        id: user.id,
        username: user.username.to_string(),
        privileges: user.privileges.iter().map(Privilege::label).collect(),
        badge: Badge::of_user(status),
        created: Moment::new(user.created_at, now),
        disabled: status == Status::Disabled,
        invited: status == Status::Invited,
        tokens: facts.tokens,
        sessions: facts.sessions.0,
        last_seen: facts.sessions.1.map(|at| Moment::new(at, now)),
        events: facts.events.into_iter().map(|event| EventRow::new(event, now)).collect(),
        link,
        link_ends: facts.link_ends.map(|end| Moment::new(end, now)),
        beyond: facts.beyond,
        oneself: user.id == who.user.id,
        display_name: user.display_name,
        email: user.email,
        roles: user.roles,
    }
}

/// What the user can do and the viewer cannot; empty where the viewer may change the user.
fn beyond(connection: &mut Connection, viewer: UserPrivileges, user: UserPrivileges) -> Stored<Vec<&'static str>> {
    let (own, access) = user_access::of_both(connection, viewer, user)?;
    let missing = user.1.iter().filter(|privilege| !viewer.1.contains(*privilege)).map(Privilege::label);
    let grants = (!own.covers_grants(&access)).then_some("access to repositories");
    Ok(missing.chain(grants).collect())
}
