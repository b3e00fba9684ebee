//! `/admin/users/{user}/edit`: what is known of a user, and the roles. The username stays.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::{UserForm, roles_given_by};
use super::{change, changeable};
use crate::domain::id::UserId;
use crate::domain::privilege::Privilege;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::{Connection, roles};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
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
pub async fn edit(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    who.require_recent(&request)?;
    let id = user.id;
    let held = portal.db.look_up(move |connection: &mut Connection| roles::of(connection, id)).await?;
    let form = UserForm::of(&user, &held, &roles_given_by(&portal, &who).await?);
    Ok(page(&portal, &request, &who, &user, form, false)?)
}

/// `POST /admin/users/{user}/edit`
pub async fn update(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&portal, &who, &path).await?;
    let typed = body.form_with(&["display_name", "email"], &["password"], &["roles"]).await?;
    let mut form = UserForm::typed(&typed, &roles_given_by(&portal, &who).await?);
    let parsed = form.parse_edition(&user);
    let confirmed = parsed.is_some() && confirm(&portal, &request, &who, &session, &typed, &mut form.password).await?;
    let ask_password = !who.authenticated_recently() && !confirmed;
    let Some(edition) = parsed.filter(|_| confirmed) else {
        return Ok(page(&portal, &request, &who, &user, form, ask_password)?);
    };
    let (change, id) = (change(&who), user.id);
    let edited = portal
        .db
        .write(move |connection: &mut Connection| change.edit(connection, &mut randomness::system(), id, &edition))
        .await;
    let edited = match edited {
        Ok(edited) => edited,
        Err(refusal) => {
            form.refuse(refusal)?;
            return Ok(page(&portal, &request, &who, &user, form, ask_password)?);
        }
    };
    // Whoever gave away the right to be here is led elsewhere.
    let stays = id != who.user.id || edited.holds(Privilege::UserManagement);
    let location = if stays { urls::user(&id) } else { urls::ROOT.to_owned() };
    Ok(notice::see_other(&portal, &location, &format!("User “{}” was edited.", edited.username)))
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    user: &User,
    form: UserForm,
    ask_password: bool,
) -> Result<HttpResponse, Failure> {
    let errors = form.errors();
    let failed = !errors.is_empty();
    let page = EditUserPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: user.id,
        username: user.username.to_string(),
        form,
        errors,
        ask_password,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
