//! `/admin/users/{user}/password-link`: a new link to set a password, in the place of the password.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::{change, changeable, counted};
use crate::domain::id::UserId;
use crate::domain::secret::{Digest, random_code};
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, Choice, FieldError, SecretField, errors};
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
    revoke_tokens: Vec<Choice>,
    no_error: Option<String>,
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
    Ok(page(&portal, &request, &who, &user, (false, SecretField::default()))?)
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
    let typed = body.form(&["revoke_tokens", "password"], &[]).await?;
    let revoke_tokens = typed.text("revoke_tokens") == "yes";
    let mut password = SecretField::default();
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        return Ok(page(&portal, &request, &who, &user, (revoke_tokens, password))?);
    }
    let (change, looker, shared, id) = (change(&who), Looker::of(&who), portal.clone(), user.id);
    let (reset, revoked) = portal
        .db
        .write(move |connection: &mut Connection| -> Result<(User, usize), Refusal> {
            let rng = &mut randomness::system();
            let code = Zeroizing::new(random_code(rng));
            let reset = change.reset_password(connection, rng, id, &Digest::of(&code), revoke_tokens)?;
            looker.lay(connection, rng, &shared.keys, id, &code)?;
            Ok(reset)
        })
        .await?;
    let mut text = format!("The password of “{}” was reset.", reset.username);
    if revoke_tokens {
        text.push_str(&format!(" Revoked: {}.", counted(revoked, "API token")));
    }
    Ok(notice::see_other(&portal, &urls::user(&id), &text))
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    user: &User,
    (revoke_tokens, password): (bool, SecretField),
) -> Result<HttpResponse, Failure> {
    let errors = errors([("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = PasswordLinkPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: user.id,
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        disabled: user.disabled_at.is_some(),
        revoke_tokens: vec![Choice {
            value: "yes".into(),
            label: "Also revoke this user's API tokens".into(),
            hint: "For good. Whoever knew the password may have created one.".into(),
            checked: revoke_tokens,
        }],
        no_error: None,
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
