//! `/profile/security/password`: a new password in the place of one's own.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{other_sessions_were, page};
use crate::auth::sign_in::{PasswordChange, Refusal};
use crate::domain::password::Password;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, SecretField};
use crate::web::pages::sign_in::{origin, prover};
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
    } else if current == new {
        new_field.error = Some("The new password is the current one. Choose another.".into());
    }
    let context = [who.user.username.as_str(), &who.user.display_name, &who.user.email];
    let chosen = match Password::choose(new, &context) {
        Ok(new) => Some(new),
        Err(invalid) => {
            new_field.error = Some(invalid.0);
            None
        }
    };
    let Some(new) = chosen.filter(|_| current_field.error.is_none() && new_field.error.is_none()) else {
        return Ok(page(&portal, &request, &who, current_field, new_field).await?);
    };
    let change = PasswordChange {
        user: who.user.id,
        username: who.user.username.clone(),
        session: who.session.id,
        lifetimes: portal.settings.lifetimes,
        current: Password::typed(current),
        new,
    };
    match prover(&portal).change_password(change, &origin(&portal, &request, &who.client)).await {
        Ok(ended) => {
            // Whoever knew the old key gains nothing by this entry.
            web_session::renew(&session, who.session.id)?;
            let text = format!("Your password was changed. {} signed out.", other_sessions_were(ended));
            Ok(notice::see_other(&portal, urls::SECURITY, &text))
        }
        Err(Refusal::Wrong) => {
            current_field.error = Some("The current password is wrong. Enter both again.".into());
            Ok(page(&portal, &request, &who, current_field, new_field).await?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
