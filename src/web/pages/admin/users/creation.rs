//! `/admin/users/new`: a new user, who sets a password with a link.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::change;
use super::form::{UserForm, roles_given_by};
use crate::domain::id::UserId;
use crate::domain::secret::{Digest, random_code};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::{Made, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, UserManagement};
use crate::web::form::{Body, FieldError, Typed};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/users/new.html")]
struct NewUserPage {
    shell: Shell,
    form: UserForm,
    errors: Vec<FieldError>,
    /// Of the user that the form makes, so that it makes one however often it is sent.
    nonce: UserId,
    ask_password: bool,
}

/// `GET /admin/users/new`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
) -> Result<HttpResponse, PageFailure> {
    who.require_recent(&request)?;
    let page = NewUserPage {
        shell: Shell::of(&portal, &request, &who),
        form: UserForm::blank(&roles_given_by(&portal, &who).await?),
        errors: Vec::new(),
        nonce: UserId::new(who.now, &mut randomness::system()),
        ask_password: false,
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// `POST /admin/users`: 303 to the user's page, which shows the link once.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let typed = body.form_with(&["username", "display_name", "email"], &["nonce", "password"], &["roles"]).await?;
    let id = nonce(&typed)?;
    let mut form = UserForm::typed(&typed, &roles_given_by(&portal, &who).await?);
    let parsed = form.parse_new();
    let confirmed = parsed.is_some() && confirm(&portal, &request, &who, &session, &typed, &mut form.password).await?;
    let refused = |form: UserForm| {
        let page = NewUserPage {
            shell: Shell::of(&portal, &request, &who).failed(true),
            errors: form.errors(),
            form,
            nonce: id,
            ask_password: !who.authenticated_recently() && !confirmed,
        };
        html(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let Some((wish, roles)) = parsed.filter(|_| confirmed) else { return Ok(refused(form)?) };
    let name = wish.username.clone();
    let (change, looker, shared) = (change(&who), Looker::of(&who), portal.clone());
    portal.db.require_room()?;
    let made = portal
        .db
        .write(move |connection: &mut Connection| -> Result<(), Refusal> {
            let rng = &mut randomness::system();
            let code = Zeroizing::new(random_code(rng));
            if change.create(connection, rng, id, &wish, &roles, Some(&Digest::of(&code)))? == Made::Now {
                looker.lay(connection, rng, &shared.keys, id, &code)?;
            }
            Ok(())
        })
        .await;
    if let Err(refusal) = made {
        form.refuse(refusal)?;
        return Ok(refused(form)?);
    }
    Ok(notice::see_other(&portal, &urls::user(&id), &format!("User “{name}” was created.")))
}

fn nonce(typed: &Typed) -> Result<UserId, Failure> {
    let incomplete =
        || Failure::BadRequest("The form is incomplete. Load the page again and fill it in once more.".into());
    typed.text("nonce").parse().map_err(|_| incomplete())
}
