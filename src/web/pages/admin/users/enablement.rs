//! `/admin/users/{user}/enablement`: a disabled user who may sign in again.

use actix_web::{HttpResponse, web};

use super::{change, changeable, confirmation};
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::Confirmation;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, UserManagement};
use crate::web::form::{Body, PasswordForm, SecretField};
use crate::web::{notice, urls};

/// `GET /admin/users/{user}/enablement`
pub async fn new(who: Holding<UserManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    if user.disabled_at.is_none() {
        return Err(Failure::Conflict(format!("User “{}” is enabled already.", user.username)).into());
    }
    who.require_recent()?;
    Ok(enablement(&user).page(&who, SecretField::default())?)
}

/// `POST /admin/users/{user}/enablement`
pub async fn create(
    who: Holding<UserManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    let PasswordForm { mut password } = body.form().await?;
    if !who.reauthenticate(&mut password).await? {
        return Ok(enablement(&user).page(&who, password)?);
    }
    let (change, id) = (change(&who), user.id);
    let enable = move |connection: &mut Connection| change.enable(connection, &mut randomness::system(), id);
    let enabled = who.portal.db.write(enable).await?;
    let text = format!("User “{}” was enabled.", enabled.username);
    Ok(notice::see_other(&who.portal, &urls::user(&id), &text))
}

fn enablement(user: &User) -> Confirmation {
    let name = &user.display_name;
    Confirmation {
        title: format!("Enable user {}", user.username),
        heading: format!("Enable “{}”?", user.username),
        consequence: format!(
            "{name} can sign in again, and the API tokens of this user work again. Earlier set-password links stay \
             invalid: if the user never set a password, reset it."
        )
        .into(),
        action: urls::user_enablement(&user.id),
        verb: "Enable user",
        ..confirmation(user)
    }
}
