//! `/admin/users/{user}/disablement`: a user who can do nothing any more, until enabled again.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, changeable, counted};
use crate::domain::id::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::user_changes::Refusal;
use crate::storage::{Connection, api_tokens};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError, SecretField, errors};
use crate::web::page::{Badge, LastUse, Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::{notice, urls};

/// Most tokens that are named; a user has fewer.
const MOST_TOKENS: i64 = 100;

#[derive(Template)]
#[template(path = "pages/admin/users/disablement.html")]
struct DisablementPage {
    shell: Shell,
    id: UserId,
    username: String,
    display_name: String,
    /// `3 API tokens`
    count: String,
    tokens: Vec<TokenRow>,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

struct TokenRow {
    name: String,
    hint: String,
    last_used: Option<LastUse>,
    badge: Badge,
}

/// `GET /admin/users/{user}/disablement`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    if user.id == who.user.id {
        return Err(Refusal::DISABLING_ONESELF.into());
    }
    if user.disabled_at.is_some() {
        return Err(Failure::Conflict(format!("User “{}” is disabled already.", user.username)).into());
    }
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &user, SecretField::default()).await?)
}

/// `POST /admin/users/{user}/disablement`
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    let typed = body.form(&["password"], &[]).await?;
    let mut password = SecretField::default();
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        return Ok(page(&portal, &request, &who, &user, password).await?);
    }
    let (change, id) = (change(&who), user.id);
    let disabled = portal
        .db
        .write(move |connection: &mut Connection| change.disable(connection, &mut randomness::system(), id))
        .await?;
    Ok(notice::see_other(&portal, &urls::user(&id), &format!("User “{}” was disabled.", disabled.username)))
}

async fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    user: &User,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let (id, now) = (user.id, who.now);
    let none_revoked = Timestamp::from_unix(i64::MAX);
    let tokens = portal
        .db
        .read(move |connection: &mut Connection| api_tokens::list(connection, id, none_revoked, MOST_TOKENS))
        .await?;
    let errors = errors([("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = DisablementPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id,
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        count: counted(tokens.len(), "API token"),
        tokens: tokens
            .into_iter()
            .map(|token| TokenRow {
                last_used: token.last_use.as_ref().map(|used| LastUse::new(used, now)),
                badge: Badge::of(token.status(now)),
                name: token.name.as_str().to_owned(),
                hint: token.hint,
            })
            .collect(),
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
