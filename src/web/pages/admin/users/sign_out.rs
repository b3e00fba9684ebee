//! `/admin/users/{user}/sign-out`: ends all sessions of a user.

use actix_web::{HttpResponse, web};

use super::{change, changeable, confirmation, counted};
use crate::domain::user::User;
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::Confirmation;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, PasswordForm, SecretField};
use crate::web::{notice, urls};

/// `GET /admin/users/{user}/sign-out`
pub async fn new(who: Holding<UserManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    who.require_recent()?;
    Ok(sign_out(&who, &user).page(&who, SecretField::default())?)
}

/// `POST /admin/users/{user}/sign-out`
pub async fn create(
    who: Holding<UserManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    let PasswordForm { mut password } = body.form().await?;
    if !who.reauthenticate(&mut password).await? {
        return Ok(sign_out(&who, &user).page(&who, password)?);
    }
    let (change, id) = (change(&who), user.id);
    let end = move |connection: &mut Connection| change.sign_out(connection, &mut randomness::system(), id);
    let (signed_out, ended) = who.portal.db.write(end).await?;
    let text =
        format!("User “{}” was signed out everywhere: {} ended.", signed_out.username, counted(ended, "session"));
    Ok(notice::see_other(&who.portal, &urls::user(&id), &text))
}

fn sign_out(who: &SignedIn, user: &User) -> Confirmation {
    let consequence = if user.id == who.user.id {
        "This is you: all your sessions end immediately, this one too, and you have to sign in again.".into()
    } else {
        let name = &user.display_name;
        format!("All sessions of {name} end immediately. The password and the API tokens keep working.").into()
    };
    Confirmation {
        title: format!("Sign out {} everywhere", user.username),
        heading: format!("Sign out “{}” everywhere?", user.username),
        consequence,
        action: urls::user_sign_out(&user.id),
        verb: "Sign out everywhere",
        is_destructive: true,
        ..confirmation(user)
    }
}
