//! `/reauthenticate`: the password once more, before something sensitive; and the same inside of forms.

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::sign_in::{origin, prover};
use crate::auth::sign_in::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, FieldError, SecretField, Typed, errors};
use crate::web::next::page_or_start;
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::session as web_session;

#[derive(Template)]
#[template(path = "pages/reauthentication/new.html")]
struct ReauthenticationPage {
    shell: Shell,
    username: String,
    password: SecretField,
    next: String,
    errors: Vec<FieldError>,
}

/// `GET /reauthenticate?next=…`
pub async fn new(portal: web::Data<Portal>, request: HttpRequest, who: SignedIn) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let next = page_or_start(query.text("next"));
    Ok(page(&portal, &request, &who, next, None)?)
}

/// `POST /reauthenticate`
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let typed = body.form(&["password", "next"], &[]).await?;
    let next = page_or_start(typed.text("next"));
    let mut field = SecretField::default();
    if !enter(&portal, &request, &who, &session, &typed, &mut field).await? {
        return Ok(page(&portal, &request, &who, next, field.error)?);
    }
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, next)).finish())
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    next: String,
    error: Option<String>,
) -> Result<HttpResponse, Failure> {
    let failed = error.is_some();
    let page = ReauthenticationPage {
        shell: Shell::of(portal, request, who).failed(failed),
        username: who.user.username.to_string(),
        errors: errors([("password", &error)]),
        password: SecretField { error },
        next,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

/// Passes if the password was entered lately or came with this form; else the field says what to do.
pub async fn confirm(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    session: &Session,
    typed: &Typed,
    field: &mut SecretField,
) -> Result<bool, Failure> {
    if who.authenticated_recently() {
        return Ok(true);
    }
    enter(portal, request, who, session, typed, field).await
}

async fn enter(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    session: &Session,
    typed: &Typed,
    field: &mut SecretField,
) -> Result<bool, Failure> {
    if typed.text("password").is_empty() {
        field.error = Some("Enter your password to go on.".into());
        return Ok(false);
    }
    let origin = origin(portal, request, &who.client);
    let proven =
        prover(portal).reauthenticate(who.user.id, &who.user.username, who.session.id, typed.password(), &origin).await;
    match proven {
        Ok(()) => {
            // Whoever knew the old key gains nothing by this entry.
            web_session::renew(session, who.session.id)?;
            Ok(true)
        }
        Err(Refusal::Wrong) => {
            field.error = Some("The password is wrong. Enter it again.".into());
            Ok(false)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
