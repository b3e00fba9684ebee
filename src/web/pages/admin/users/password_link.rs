//! `/admin/users/{user}/password-link`: a new link to set a password, in the place of the password.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::{change, changeable};
use crate::domain::id::UserId;
use crate::domain::secret::{Digest, random_code};
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError, SecretField, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/users/password_link.html")]
struct PasswordLinkPage {
    shell: Shell,
    id: UserId,
    username: String,
    display_name: String,
    disabled: bool,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /admin/users/{user}/password-link`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    if user.id == who.user.id {
        return Err(Refusal::RESETTING_ONESELF.into());
    }
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &user, SecretField::default())?)
}

/// `POST /admin/users/{user}/password-link`: 303 to the user's page, which shows the link once.
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
    let (change, looker, shared, id) = (change(&who), Looker::of(&who), portal.clone(), user.id);
    let reset = portal
        .db
        .write(move |connection: &mut Connection| -> Result<User, Refusal> {
            let rng = &mut randomness::system();
            let code = Zeroizing::new(random_code(rng));
            let user = change.reset_password(connection, rng, id, &Digest::of(&code))?;
            looker.lay(connection, rng, &shared.keys, id, &code)?;
            Ok(user)
        })
        .await?;
    Ok(notice::see_other(&portal, &urls::user(&id), &format!("The password of “{}” was reset.", reset.username)))
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
    let page = PasswordLinkPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: user.id,
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        disabled: user.disabled_at.is_some(),
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
