//! `/profile/api-tokens/{id}/enablement`: a disabled token that works again.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, own_token};
use crate::domain::api_token::ApiToken;
use crate::domain::id::ApiTokenId;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::api_token_changes::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::form::{Body, FieldError, SecretField, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/enablement.html")]
struct EnablementPage {
    shell: Shell,
    id: ApiTokenId,
    name: String,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /profile/api-tokens/{id}/enablement`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    if !token.can_enable(who.now) {
        return Err(Refusal::WrongStatus(token.status(who.now).label()).into());
    }
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &token, SecretField::default())?)
}

/// `POST /profile/api-tokens/{id}/enablement`
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    let typed = body.form(&["password"], &[]).await?;
    let mut password = SecretField::default();
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        return Ok(page(&portal, &request, &who, &token, password)?);
    }
    let (change, id) = (change(&who), token.id);
    let enabled = portal
        .db
        .write(move |connection: &mut Connection| change.enable(connection, &mut randomness::system(), id))
        .await?;
    let text = format!("Token “{}” was enabled.", enabled.name.as_str());
    Ok(notice::see_other(&portal, &urls::api_token(&id), &text))
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    token: &ApiToken,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = EnablementPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: token.id,
        name: token.name.as_str().to_owned(),
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
