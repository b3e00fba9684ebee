//! `/profile/security/password`: a new password in the place of one's own.

use actix_session::Session;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{other_sessions_were, page};
use crate::auth::password_change::PasswordChange;
use crate::auth::sign_in::Refusal;
use crate::domain::Invalid;
use crate::domain::password::{Password, is_same_password};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, SecretField};
use crate::web::pages::sign_in::{device_cookie, origin, prover};
use crate::web::portal::Portal;
use crate::web::{notice, session as web_session, urls};

/// `POST /profile/security/password`
pub async fn update(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let typed = body.form(&["current_password", "new_password"], &[]).await?;
    let (mut current_field, mut new_field) = (SecretField::default(), SecretField::default());
    let (current, new) = (typed.secret("current_password"), typed.secret("new_password"));
    if current.is_empty() {
        current_field.error = Some("Enter your current password.".into());
    }
    if new.is_empty() {
        new_field.error = Some("Password is empty. Enter at least 12 characters.".into());
    } else if is_same_password(&current, &new) {
        new_field.error = Some("The new password is the current one. Choose another.".into());
    }
    if current_field.error.is_some() || new_field.error.is_some() {
        return Ok(page(&portal, &request, &who, current_field, new_field).await?);
    }
    let change = PasswordChange {
        user: who.user.id,
        context: [who.user.username.to_string(), who.user.display_name.clone(), who.user.email.clone()],
        session: who.session.id,
        lifetimes: portal.settings.lifetimes,
        current: Password::typed(current),
        new,
    };
    match prover(&portal).change_password(change, &origin(&portal, &request, &who.client)).await {
        Ok(changed) => {
            // Whoever knew the old key gains nothing by this entry.
            web_session::renew(&session, who.session.id)?;
            let text =
                format!("Your password was changed. {} signed out.", other_sessions_were(changed.sessions_ended));
            let mut response = notice::see_other(&portal, urls::SECURITY, &text);
            let cookie = device_cookie(&portal, who.user.id, &changed.device_binding);
            if let Some(value) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            Ok(response)
        }
        Err(Refusal::InvalidPassword(Invalid(sentence))) => {
            new_field.error = Some(sentence);
            Ok(page(&portal, &request, &who, current_field, new_field).await?)
        }
        Err(Refusal::Wrong) => {
            current_field.error = Some("The current password is wrong. Enter both again.".into());
            Ok(page(&portal, &request, &who, current_field, new_field).await?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
