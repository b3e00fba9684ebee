//! `GET /repositories/new` and `POST /repositories`: Create Repository.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{CONFIGURE, MANAGE, change};
use crate::domain::repository::{Description, RepositoryName};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::{Made, NewRepository, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, RepositoryManagement, SignedIn};
use crate::web::form::{Body, Field, FieldError, SecretField, Typed, errors, nonce};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default)]
struct RepositoryForm {
    nonce: String,
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
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<RepositoryManagement>,
) -> Result<HttpResponse, PageFailure> {
    who.require_recent(&request)?;
    let query = Typed::of_any_query(&request)?;
    let form = RepositoryForm {
        nonce: random_code(&mut randomness::system()),
        name: query.field("name"),
        description: query.field("description"),
        password: SecretField::default(),
    };
    Ok(page(&portal, &request, &who, form)?)
}

/// `POST /repositories`: 303 to the Configure tab, which shows the new token.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<RepositoryManagement>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let typed = body.form_with(&["name", "description"], &["nonce", "password"], &[]).await?;
    let mut form = RepositoryForm {
        nonce: nonce(&typed)?,
        name: typed.field("name"),
        description: typed.field("description"),
        password: SecretField::default(),
    };
    let name = form.name.parse(RepositoryName::parse);
    let description = form.description.parse(Description::parse);
    let (Some(name), Some(description)) = (name, description) else {
        return Ok(page(&portal, &request, &who, form)?);
    };
    if !confirm(&portal, &request, &who, &session, &typed, &mut form.password).await? {
        return Ok(page(&portal, &request, &who, form)?);
    }
    let configures = who.user.privileges.contains_all(CONFIGURE);
    let needs = if configures { CONFIGURE } else { MANAGE };
    let (change, looker, shared, nonce) = (change(&who, needs), Looker::of(&who), portal.clone(), form.nonce.clone());
    let wish = NewRepository { name: name.clone(), description };
    portal.db.require_room()?;
    let made = portal
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
            Ok(notice::see_other(&portal, &place, &format!("Repository “{name}” was created.")))
        }
        Err(Refusal::NameTaken) => {
            form.name.error = Some(format!("A repository named “{name}” already exists. Choose another name."));
            Ok(page(&portal, &request, &who, form)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(portal: &Portal, request: &HttpRequest, who: &SignedIn, form: RepositoryForm) -> Result<HttpResponse, Failure> {
    let errors = errors([
        ("name", &form.name.error),
        ("description", &form.description.error),
        ("password", &form.password.error),
    ]);
    let failed = !errors.is_empty();
    let shell = Shell::of(portal, request, who).failed(failed);
    let page = NewRepositoryPage { shell, form, ask_password: !who.authenticated_recently(), errors };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
