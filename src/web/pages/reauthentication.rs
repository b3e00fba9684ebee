//! `/reauthenticate`: the password once more, before something sensitive; and the same inside of forms.

use actix_session::SessionExt as _;
use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;
use serde::Deserialize;

use super::sign_in::{origin, prover};
use crate::auth::sign_in::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, FieldError, FormValue, SecretField, Typed, errors};
use crate::web::next::page_or_start;
use crate::web::page::{Shell, form_page};
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

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReauthenticationForm {
    password: SecretField,
    next: FormValue,
}

/// `GET /reauthenticate?next=…`
pub async fn new(who: SignedIn) -> Result<HttpResponse, PageFailure> {
    let next = page_or_start(Typed::of_any_query(&who.request)?.text("next"));
    Ok(page(&who, next, SecretField::default())?)
}

/// `POST /reauthenticate`
pub async fn create(who: SignedIn, body: Body) -> Result<HttpResponse, PageFailure> {
    let mut form: ReauthenticationForm = body.form().await?;
    let next = page_or_start(&form.next);
    if !verify(&who, &mut form.password).await? {
        return Ok(page(&who, next, form.password)?);
    }
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, next)).finish())
}

fn page(who: &SignedIn, next: String, password: SecretField) -> Result<HttpResponse, Failure> {
    let errors = errors([("password", &password.error)]);
    form_page(who, errors, |shell, errors| ReauthenticationPage {
        shell,
        username: who.user.username.to_string(),
        errors,
        password,
        next,
    })
}

/// Verifies a password and gives the session a new key. `false` with an error in the field where it is wrong.
pub async fn verify(who: &SignedIn, password: &mut SecretField) -> Result<bool, Failure> {
    if password.is_empty() {
        password.error = Some("Enter your password to go on.".into());
        return Ok(false);
    }
    let origin = origin(&who.portal, &who.request, &who.client);
    let user = (who.user.id, &who.user.username);
    let proven = prover(&who.portal).reauthenticate(user.0, user.1, who.session.id, password.password(), &origin).await;
    match proven {
        Ok(()) => {
            // A stolen session key must not become one of a session with a recent password entry.
            web_session::renew(&who.request.get_session(), who.session.id)?;
            Ok(true)
        }
        Err(Refusal::Wrong) => {
            password.error = Some("The password is wrong. Enter it again.".into());
            Ok(false)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
