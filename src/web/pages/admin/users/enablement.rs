//! `/admin/users/{user}/enablement`: a disabled user who may sign in again.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, changeable};
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError, SecretField, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/users/enablement.html")]
struct EnablementPage {
    shell: Shell,
    id: UserId,
    username: String,
    display_name: String,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /admin/users/{user}/enablement`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    if user.disabled_at.is_none() {
        return Err(Failure::Conflict(format!("User “{}” is enabled already.", user.username)).into());
    }
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &user, SecretField::default())?)
}

/// `POST /admin/users/{user}/enablement`
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
        return Ok(page(&portal, &request, &who, &user, password)?);
    }
    let (change, id) = (change(&who), user.id);
    let enabled = portal
        .db
        .write(move |connection: &mut Connection| change.enable(connection, &mut randomness::system(), id))
        .await?;
    Ok(notice::see_other(&portal, &urls::user(&id), &format!("User “{}” was enabled.", enabled.username)))
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    user: &User,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = EnablementPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: user.id,
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
