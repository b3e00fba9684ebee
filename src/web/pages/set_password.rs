//! `/set-password`: a password of one's own choice, with the link that an administrator handed over. Works once.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::hasher::NewPasswordError;
use crate::domain::Invalid;
use crate::domain::secret::Digest;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::user_changes::{Refusal, follow_link};
use crate::storage::{Connection, password_links};
use crate::web::client::Client;
use crate::web::error::{Failure, PageFailure};
use crate::web::form::{Body, FieldError, FormValue, SecretField, Typed, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::sign_in::origin;
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/set_password/edit.html")]
struct SetPasswordPage {
    shell: Shell,
    code: Zeroizing<String>,
    username: String,
    display_name: String,
    password: SecretField,
    errors: Vec<FieldError>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SetPasswordForm {
    /// Of the link.
    code: FormValue,
    password: SecretField,
}

/// `GET /set-password?code=…`
pub async fn edit(portal: web::Data<Portal>, request: HttpRequest) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let user = user_of(&portal, query.text("code")).await?;
    Ok(page(&portal, &request, query.text("code"), &user, SecretField::default())?)
}

/// `POST /set-password`
pub async fn update(
    portal: web::Data<Portal>,
    request: HttpRequest,
    client: Client,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    client.require_private()?;
    let SetPasswordForm { code, mut password } = body.form().await?;
    let user = user_of(&portal, &code).await?;
    let username = user.username.clone();
    let context = vec![username.to_string(), user.display_name.clone(), user.email.clone()];
    let requester = origin(&portal, &request, &client).requester(username.to_string());
    let new = Zeroizing::new(password.text().to_owned());
    let hash = match portal.hasher.hash_new(new, context, requester, &mut randomness::system()).await {
        Ok(hash) => hash,
        Err(NewPasswordError::Invalid(Invalid(sentence))) => {
            password.error = Some(sentence);
            return Ok(page(&portal, &request, &code, &user, password)?);
        }
        Err(NewPasswordError::Busy(busy)) => return Err(busy.into()),
    };
    let (digest, now, address) = (Digest::of(&code), portal.now(), client.address.to_string());
    portal
        .db
        .write(move |connection: &mut Connection| {
            follow_link(connection, &mut randomness::system(), &digest, &hash, address, now)
        })
        .await?;
    Ok(notice::see_other(&portal, urls::LOGIN, &format!("Your password was set. Sign in as {username} with it.")))
}

/// Whom the link is for.
async fn user_of(portal: &Portal, code: &str) -> Result<User, Failure> {
    let (digest, now) = (Digest::of(code), portal.now());
    let find = move |connection: &mut Connection| password_links::find(connection, &digest, now);
    let link = portal.db.read(find).await?.ok_or(Refusal::LinkEnded)?;
    Ok(link.user)
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    code: &str,
    user: &User,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let failed = password.error.is_some();
    let page = SetPasswordPage {
        shell: Shell::anonymous(portal, request).failed(failed),
        code: Zeroizing::new(code.to_owned()),
        username: user.username.to_string(),
        display_name: user.display_name.clone(),
        errors: errors([("password", &password.error)]),
        password,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
