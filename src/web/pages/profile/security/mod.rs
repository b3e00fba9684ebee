//! `/profile/security`: My Profile, tab Sessions & Security. Everybody's own password and sessions.

pub mod other_sessions;
pub mod password;
pub mod sessions;

use actix_web::HttpResponse;
use askama::Template;

use crate::domain::device::describe;
use crate::domain::id::SessionId;
use crate::domain::privilege::Privileges;
use crate::domain::session::BegunSession;
use crate::storage::acting::Acting;
use crate::storage::sessions::list;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{FieldError, SecretField, errors};
use crate::web::page::{Moment, Shell, form_page};

#[derive(Template)]
#[template(path = "pages/profile/security.html")]
struct SecurityPage {
    shell: Shell,
    username: String,
    current_password: SecretField,
    new_password: SecretField,
    rows: Vec<SessionRow>,
    /// Whether there are sessions beside this one.
    others: bool,
    errors: Vec<FieldError>,
}

struct SessionRow {
    id: SessionId,
    device: String,
    address: String,
    begun: Moment,
    last_seen: Moment,
    /// Whether it is the one that looks at the page.
    this: bool,
}

/// `GET /profile/security`
pub async fn show(who: SignedIn) -> Result<HttpResponse, PageFailure> {
    Ok(page(&who, SecretField::default(), SecretField::default()).await?)
}

async fn page(
    who: &SignedIn,
    current_password: SecretField,
    new_password: SecretField,
) -> Result<HttpResponse, Failure> {
    let portal = &who.portal;
    let user = who.user.id;
    let begun = portal.db.look_up(move |connection| list(connection, user)).await?;
    let alive = begun.into_iter().filter(|begun| begun.session.is_live(who.now, &portal.settings.lifetimes));
    let mut rows: Vec<SessionRow> = alive.map(|begun| SessionRow::new(begun, who)).collect();
    rows.sort_by_key(|row| !row.this);
    let errors = errors([("current_password", &current_password.error), ("new_password", &new_password.error)]);
    form_page(who, errors, |shell, errors| SecurityPage {
        shell,
        username: who.user.username.to_string(),
        current_password,
        new_password,
        others: rows.iter().any(|row| !row.this),
        rows,
        errors,
    })
}

impl SessionRow {
    fn new(begun: BegunSession, who: &SignedIn) -> Self {
        let BegunSession { session, address, user_agent } = begun;
        Self {
            id: session.id,
            device: describe(&user_agent),
            address,
            begun: Moment::new(session.created_at, who.now),
            last_seen: Moment::new(session.last_seen_at, who.now),
            this: session.id == who.session.id,
        }
    }
}

/// Nobody needs a privilege to sign out.
fn acting(who: &SignedIn) -> Acting {
    who.acting(Privileges::NONE)
}

/// "1 other session was", to be followed by what happened to it.
fn other_sessions_were(count: usize) -> String {
    match count {
        0 => "No other session was".into(),
        1 => "1 other session was".into(),
        _ => format!("{count} other sessions were"),
    }
}
