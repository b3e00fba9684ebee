//! `/admin/users/new`: a new user, who sets a password with a link.

use actix_web::HttpResponse;
use askama::Template;
use zeroize::Zeroizing;

use super::change;
use super::form::{UserForm, UserInput, roles_given_by};
use crate::domain::id::UserId;
use crate::domain::secret::{Digest, random_code};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::user_changes::{Made, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, FieldError};
use crate::web::page::{Shell, form_page};
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
pub async fn new(who: Holding<UserManagement>) -> Result<HttpResponse, PageFailure> {
    who.require_recent()?;
    let form = UserForm::blank(&roles_given_by(&who.portal, &who).await?);
    Ok(page(&who, form, UserId::new(who.now, &mut randomness::system()))?)
}

/// `POST /admin/users`: 303 to the user's page, which shows the link once.
pub async fn create(who: Holding<UserManagement>, body: Body) -> Result<HttpResponse, PageFailure> {
    let input: UserInput = body.form().await?;
    let id: UserId = input.nonce.parse().map_err(|_| Failure::incomplete_form())?;
    let mut form = UserForm::typed(input, &roles_given_by(&who.portal, &who).await?);
    let Some((wish, roles)) = form.parse_new() else { return Ok(page(&who, form, id)?) };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, form, id)?);
    }
    let name = wish.username.clone();
    let (change, looker, shared) = (change(&who), Looker::of(&who), who.portal.clone());
    who.portal.db.require_room()?;
    let made = who
        .portal
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
        return Ok(page(&who, form, id)?);
    }
    Ok(notice::see_other(&who.portal, &urls::user(&id), &format!("User “{name}” was created.")))
}

fn page(who: &SignedIn, form: UserForm, nonce: UserId) -> Result<HttpResponse, Failure> {
    let ask_password = !who.authenticated_recently();
    form_page(who, form.errors(), |shell, errors| NewUserPage { shell, form, errors, nonce, ask_password })
}
