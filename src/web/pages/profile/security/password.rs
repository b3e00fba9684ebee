//! `/profile/security/password`: a new password in the place of one's own.

use actix_session::SessionExt as _;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{other_sessions_were, page};
use crate::auth::password_change::PasswordChange;
use crate::auth::sign_in::Refusal;
use crate::domain::Invalid;
use crate::domain::password::is_same_password;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, SecretField};
use crate::web::pages::sign_in::{device_cookie, origin, prover};
use crate::web::{notice, session as web_session, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PasswordChangeForm {
    current_password: SecretField,
    new_password: SecretField,
}

/// `POST /profile/security/password`
pub async fn update(who: SignedIn, body: Body) -> Result<HttpResponse, PageFailure> {
    let PasswordChangeForm { current_password: mut current, new_password: mut new } = body.form().await?;
    let portal = &who.portal;
    if current.is_empty() {
        current.error = Some("Enter your current password.".into());
    }
    if new.is_empty() {
        new.error = Some("Password is empty. Enter at least 12 characters.".into());
    } else if is_same_password(current.text(), new.text()) {
        new.error = Some("The new password is the current one. Choose another.".into());
    }
    if current.error.is_some() || new.error.is_some() {
        return Ok(page(&who, current, new).await?);
    }
    let change = PasswordChange {
        user: who.user.id,
        context: [who.user.username.to_string(), who.user.display_name.clone(), who.user.email.clone()],
        session: who.session.id,
        lifetimes: portal.settings.lifetimes,
        current: current.password(),
        new: Zeroizing::new(new.text().to_owned()),
    };
    match prover(portal).change_password(change, &origin(portal, &who.request, &who.client)).await {
        Ok(changed) => {
            // A stolen session key must not become one of a session with a recent password entry.
            web_session::renew(&who.request.get_session(), who.session.id)?;
            let text =
                format!("Your password was changed. {} signed out.", other_sessions_were(changed.sessions_ended));
            let mut response = notice::see_other(portal, urls::SECURITY, &text);
            let cookie = device_cookie(portal, who.user.id, &changed.device_binding);
            if let Some(value) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            Ok(response)
        }
        Err(Refusal::InvalidPassword(Invalid(sentence))) => {
            new.error = Some(sentence);
            Ok(page(&who, current, new).await?)
        }
        Err(Refusal::Wrong) => {
            current.error = Some("The current password is wrong. Enter both again.".into());
            Ok(page(&who, current, new).await?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
