//! `/admin/users/{user}/edit`: what is known of a user, and the roles. The username stays.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{EditionInput, UserForm, roles_given_by};
use super::{change, changeable};
use crate::domain::id::UserId;
use crate::domain::privilege::Privilege;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::{Connection, roles};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError};
use crate::web::page::{Shell, form_page};
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/users/edit.html")]
struct EditUserPage {
    shell: Shell,
    id: UserId,
    username: String,
    form: UserForm,
    errors: Vec<FieldError>,
    ask_password: bool,
}

/// `GET /admin/users/{user}/edit`
pub async fn edit(who: Holding<UserManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    who.require_recent()?;
    let id = user.id;
    let held = who.portal.db.look_up(move |connection: &mut Connection| roles::of(connection, id)).await?;
    let form = UserForm::of(&user, &held, &roles_given_by(&who.portal, &who).await?);
    Ok(page(&who, &user, form)?)
}

/// `POST /admin/users/{user}/edit`
pub async fn update(
    who: Holding<UserManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    let input: EditionInput = body.form().await?;
    let mut form = UserForm::typed(input.into(), &roles_given_by(&who.portal, &who).await?);
    let Some(edition) = form.parse_edition(&user) else { return Ok(page(&who, &user, form)?) };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &user, form)?);
    }
    let (change, id) = (change(&who), user.id);
    let edited = who
        .portal
        .db
        .write(move |connection: &mut Connection| change.edit(connection, &mut randomness::system(), id, &edition))
        .await;
    let edited = match edited {
        Ok(edited) => edited,
        Err(refusal) => {
            form.refuse(refusal)?;
            return Ok(page(&who, &user, form)?);
        }
    };
    // Whoever gave away the right to be here is led elsewhere.
    let stays = id != who.user.id || edited.holds(Privilege::UserManagement);
    let location = if stays { urls::user(&id) } else { urls::ROOT.to_owned() };
    Ok(notice::see_other(&who.portal, &location, &format!("User “{}” was edited.", edited.username)))
}

fn page(who: &SignedIn, user: &User, form: UserForm) -> Result<HttpResponse, Failure> {
    let ask_password = !who.authenticated_recently();
    let (id, username) = (user.id, user.username.to_string());
    form_page(who, form.errors(), |shell, errors| EditUserPage { shell, id, username, form, errors, ask_password })
}
