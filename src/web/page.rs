//! What all pages have in common: the frame around them, and how moments and states are shown.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Failure;
use super::extract::signed_in::SignedIn;
use super::form::FieldError;
use super::listing::grouped;
use super::notice;
use super::portal::Portal;
use super::urls;
use crate::domain::api_token::{LastUse as Used, Status};
use crate::domain::caller::Caller;
use crate::domain::event::Event;
use crate::domain::privilege::Privilege;
use crate::domain::timestamp::{Text, Timestamp};
use crate::domain::user::{self, User};
use crate::storage::Result as Stored;
use crate::storage::caller_list::{self, Of};

/// The frame of a page.
#[derive(Debug, Default)]
pub struct Shell {
    pub instance: String,
    /// Display name of the user.
    pub signed_in: Option<String>,
    pub notice: Option<String>,
    /// Whether a form was refused; the title says so first.
    pub failed: bool,
    pub sections: Sections,
}

/// The parts of the portal that a user may enter: nothing else is linked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sections {
    /// Whether there is a tab API Token Management.
    pub api_access: bool,
    pub repositories: bool,
    pub users: bool,
    /// Services and policies.
    pub system: bool,
}

impl Sections {
    pub fn of(user: &User, repositories: bool) -> Self {
        Self {
            api_access: user.holds(Privilege::ApiAccess),
            repositories,
            users: user.holds(Privilege::UserManagement),
            system: user.holds(Privilege::SystemManagement),
        }
    }

    /// Where Administration begins for this user.
    pub const fn administration(&self) -> Option<&'static str> {
        match (self.users, self.system) {
            (true, _) => Some(urls::ADMIN_USERS),
            (false, true) => Some(urls::ADMIN_SERVICES),
            (false, false) => None,
        }
    }
}

impl Shell {
    /// For a page that anybody may see.
    pub fn anonymous(portal: &Portal, request: &HttpRequest) -> Self {
        Self {
            instance: portal.settings.instance_name.clone(),
            notice: notice::take(request, portal),
            ..Self::default()
        }
    }

    /// For a page of a signed-in user.
    pub fn of(portal: &Portal, request: &HttpRequest, who: &SignedIn) -> Self {
        Self {
            signed_in: Some(who.user.display_name.clone()),
            sections: Sections::of(&who.user, who.sees_repositories),
            ..Self::anonymous(portal, request)
        }
    }

    pub const fn failed(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }
}

/// Bytes that nearly all pages fit into.
const PAGE_SIZE: usize = 40 * 1024;

/// A page with its status.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Failure> {
    let mut text = String::with_capacity(PAGE_SIZE);
    page.render_into(&mut text)?;
    Ok(HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8")))
        .body(text))
}

/// A page with a form: 422 if the form has errors, else 200. `make` gets the frame and the errors.
pub fn form_page<P: Template>(
    who: &SignedIn,
    errors: Vec<FieldError>,
    make: impl FnOnce(Shell, Vec<FieldError>) -> P,
) -> Result<HttpResponse, Failure> {
    let failed = !errors.is_empty();
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html(status, &make(who.shell().failed(failed), errors))
}

/// A moment, as it looks at another. Its forms are written when they are needed, so that a list does not keep them all.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    at: Timestamp,
    now: Timestamp,
}

impl Moment {
    pub const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// RFC 3339
    pub fn iso(&self) -> Text {
        self.at.for_machines()
    }

    /// `21 Nov 2026, 14:05 UTC`
    pub fn text(&self) -> Text {
        self.at.for_people()
    }

    /// `in 3 days`
    pub fn relative(&self) -> Text {
        self.at.relative_to(self.now)
    }
}

/// A status: an icon and a word, in a colour.
#[derive(Debug, Clone, Copy)]
pub struct Badge {
    pub class: &'static str,
    pub icon: &'static str,
    pub label: &'static str,
}

impl Badge {
    pub const fn of(status: Status) -> Self {
        let (class, icon) = match status {
            Status::Active => ("ok", "check"),
            Status::ExpiringSoon => ("warn", "clock"),
            Status::Expired => ("danger", "alert"),
            Status::Disabled => ("muted", "pause"),
            Status::Revoked => ("muted", "ban"),
        };
        Self { class, icon, label: status.label() }
    }

    /// Stands beside that of a token whose former secret still works.
    pub const fn replaced() -> Self {
        Self { class: "warn", icon: "rotate", label: "Replaced" }
    }

    pub const fn of_user(status: user::Status) -> Self {
        let (class, icon) = match status {
            user::Status::Active => ("ok", "check"),
            user::Status::Disabled => ("muted", "pause"),
            user::Status::Invited => ("warn", "mail"),
        };
        Self { class, icon, label: status.label() }
    }
}

/// When a token was last used, and from where.
#[derive(Debug, Clone)]
pub struct LastUse {
    pub at: Moment,
    pub address: String,
}

impl LastUse {
    pub fn new(used: &Used, now: Timestamp) -> Self {
        Self { at: Moment::new(used.at, now), address: used.address.clone() }
    }
}

/// A line of the list of callers.
#[derive(Debug, Clone)]
pub struct CallerRow {
    pub address: String,
    pub user_agent: String,
    pub first: Moment,
    pub last: Moment,
    pub uses: String,
}

impl CallerRow {
    /// The callers of the last 30 days, latest first.
    pub async fn recent(portal: &Portal, of: Of, now: Timestamp) -> Stored<Vec<Self>> {
        let callers = portal.db.look_up(move |connection| caller_list::recent(connection, of, now)).await?;
        Ok(callers.iter().map(|caller| Self::new(caller, now)).collect())
    }

    pub fn new(caller: &Caller, now: Timestamp) -> Self {
        let (address, user_agent) = match (caller.address.as_str(), caller.user_agent.as_str()) {
            ("", _) => ("other addresses", "other programs"),
            (address, "") => (address, "not told"),
            told => told,
        };
        Self {
            address: address.to_owned(),
            user_agent: user_agent.to_owned(),
            first: Moment::new(caller.first_used_at, now),
            last: Moment::new(caller.last_used_at, now),
            uses: grouped(caller.uses),
        }
    }
}

/// A line of a list of events.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub at: Moment,
    /// Empty where nobody was known.
    pub who: String,
    pub words: String,
    pub detail: String,
    /// Empty where it happened on the machine itself.
    pub address: String,
}

impl EventRow {
    pub fn new(event: Event, now: Timestamp) -> Self {
        Self {
            at: Moment::new(event.at, now),
            who: event.actor_name,
            words: event.words,
            detail: event.detail,
            address: event.address.unwrap_or_default(),
        }
    }
}
