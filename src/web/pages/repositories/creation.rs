//! `GET /repositories/new` and `POST /repositories`: Create Repository.

use actix_web::HttpResponse;
use askama::Template;
use serde::Deserialize;

use super::{CONFIGURE, MANAGE, change};
use crate::domain::repository::{Description, RepositoryName};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::{Made, NewRepository, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, RepositoryManagement, SignedIn};
use crate::web::form::{Body, Field, FieldError, FormValue, SecretField, Typed, errors, nonce};
use crate::web::page::{Shell, form_page};
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RepositoryForm {
    nonce: FormValue,
    name: Field,
    description: Field,
    password: SecretField,
}

#[derive(Template)]
#[template(path = "pages/repositories/new.html")]
struct NewRepositoryPage {
    shell: Shell,
    form: RepositoryForm,
    ask_password: bool,
    errors: Vec<FieldError>,
}

/// `GET /repositories/new`
pub async fn new(who: Holding<RepositoryManagement>) -> Result<HttpResponse, PageFailure> {
    who.require_recent()?;
    let query = Typed::of_any_query(&who.request)?;
    let form = RepositoryForm {
        nonce: random_code(&mut randomness::system()).as_str().into(),
        name: query.field("name"),
        description: query.field("description"),
        password: SecretField::default(),
    };
    Ok(page(&who, form)?)
}

/// `POST /repositories`: 303 to the Configure tab, which shows the new token.
pub async fn create(who: Holding<RepositoryManagement>, body: Body) -> Result<HttpResponse, PageFailure> {
    let mut form: RepositoryForm = body.form().await?;
    let nonce = nonce(&form.nonce)?;
    let name = form.name.parse(RepositoryName::parse);
    let description = form.description.parse(Description::parse);
    let (Some(name), Some(description)) = (name, description) else {
        return Ok(page(&who, form)?);
    };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, form)?);
    }
    let configures = who.user.privileges.contains_all(CONFIGURE);
    let needs = if configures { CONFIGURE } else { MANAGE };
    let (change, looker, shared) = (change(&who, needs), Looker::of(&who), who.portal.clone());
    let wish = NewRepository { name: name.clone(), description };
    who.portal.db.require_room()?;
    let made = who
        .portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let made = change.create(connection, rng, &shared.keys, &wish, &secret, &nonce)?;
            if let Made::Now(id) = made
                && configures
            {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await;
    match made {
        Ok(Made::Now(_) | Made::Before(_)) => {
            let name = name.as_str();
            // Who may not see the token is not led to it.
            let place = if configures { urls::repository_configure(name) } else { urls::repository(name) };
            Ok(notice::see_other(&who.portal, &place, &format!("Repository “{name}” was created.")))
        }
        Err(Refusal::NameTaken) => {
            form.name.error = Some(format!("A repository named “{name}” already exists. Choose another name."));
            Ok(page(&who, form)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(who: &SignedIn, form: RepositoryForm) -> Result<HttpResponse, Failure> {
    let errors = errors([
        ("name", &form.name.error),
        ("description", &form.description.error),
        ("password", &form.password.error),
    ]);
    let ask_password = !who.authenticated_recently();
    form_page(who, errors, |shell, errors| NewRepositoryPage { shell, form, ask_password, errors })
}
