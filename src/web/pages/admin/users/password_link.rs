//! `/admin/users/{user}/password-link`: a link to set a new password; the old one stops working.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{change, changeable, confirmation, counted};
use crate::domain::secret::{Digest, random_code};
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::Refusal;
use crate::web::confirmation::{Confirmation, Detail, Input};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{Holding, UserManagement};
use crate::web::form::{Body, Choice, FormValue, SecretField};
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ResetForm {
    /// `yes`, or nothing.
    revoke_tokens: FormValue,
    password: SecretField,
}

/// `GET /admin/users/{user}/password-link`
pub async fn new(who: Holding<UserManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    if user.id == who.user.id {
        return Err(Refusal::RESETTING_ONESELF.into());
    }
    who.require_recent()?;
    Ok(reset(&user, false).page(&who, SecretField::default())?)
}

/// `POST /admin/users/{user}/password-link`: 303 to the user's page, which shows the link once.
pub async fn create(
    who: Holding<UserManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    let mut form: ResetForm = body.form().await?;
    let revoke_tokens = &*form.revoke_tokens == "yes";
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(reset(&user, revoke_tokens).page(&who, form.password)?);
    }
    let (change, looker, portal, id) = (change(&who), Looker::of(&who), who.portal.clone(), user.id);
    let reset = move |connection: &mut Connection| -> Result<(User, usize), Refusal> {
        let rng = &mut randomness::system();
        let code = Zeroizing::new(random_code(rng));
        let reset = change.reset_password(connection, rng, id, &Digest::of(&code), revoke_tokens)?;
        looker.lay(connection, rng, &portal.keys, id, &code)?;
        Ok(reset)
    };
    let (user, revoked) = who.portal.db.write(reset).await?;
    let mut text = format!("The password of “{}” was reset.", user.username);
    if revoke_tokens {
        text.push_str(&format!(" Revoked: {}.", counted(revoked, "API token")));
    }
    Ok(notice::see_other(&who.portal, &urls::user(&id), &text))
}

fn reset(user: &User, revoke_tokens: bool) -> Confirmation {
    let is_disabled = user.disabled_at.is_some();
    let note = Detail::Note("This user is disabled. The link works only once you have enabled the user.");
    let choice = Choice {
        value: "yes".into(),
        label: "Also revoke this user's API tokens".into(),
        hint: "For good. Anyone who knew the password may have created one.".into(),
        checked: revoke_tokens,
    };
    Confirmation {
        title: format!("Reset password of {}", user.username),
        heading: format!("Reset the password of “{}”?", user.username),
        consequence: format!(
            "The old password stops working immediately, and {} is signed out everywhere. You get a link, shown once on \
             the next page, with which the user sets a new password within 24 hours. Earlier links stop working. API \
             tokens keep working unless you revoke them here.",
            user.display_name
        )
        .into(),
        details: if is_disabled { vec![note] } else { Vec::new() },
        inputs: vec![Input::Checkbox { name: "revoke_tokens", legend: "API tokens", choice }],
        action: urls::user_password_link(&user.id),
        verb: "Reset password",
        is_destructive: true,
        ..confirmation(user)
    }
}
