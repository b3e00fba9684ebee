//! `/admin/users/{user}/sign-out`: the end of all sessions of a user.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, changeable, counted};
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
#[template(path = "pages/admin/users/sign_out.html")]
struct SignOutPage {
    shell: Shell,
    id: UserId,
    username: String,
    display_name: String,
    oneself: bool,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /admin/users/{user}/sign-out`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &user, SecretField::default())?)
}

/// `POST /admin/users/{user}/sign-out`
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
    let (signed_out, ended) = portal
        .db
        .write(move |connection: &mut Connection| change.sign_out(connection, &mut randomness::system(), id))
        .await?;
    let text =
        format!("User “{}” was signed out everywhere: {} ended.", signed_out.username, counted(ended, "session"));
    Ok(notice::see_other(&portal, &urls::user(&id), &text))
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
    let page = SignOutPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: user.id,
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        oneself: user.id == who.user.id,
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
