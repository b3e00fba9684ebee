//! `GET /admin/services/new` and `POST /admin/services`: Create Service.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::change;
use crate::domain::repository::Description;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::service::ServiceName;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::service_changes::{Made, NewService, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, Field, FieldError, SecretField, errors, nonce};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default)]
struct ServiceForm {
    nonce: String,
    name: Field,
    description: Field,
    password: SecretField,
}

#[derive(Template)]
#[template(path = "pages/admin/services/new.html")]
struct NewServicePage {
    shell: Shell,
    form: ServiceForm,
    ask_password: bool,
    errors: Vec<FieldError>,
}

/// `GET /admin/services/new`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
) -> Result<HttpResponse, PageFailure> {
    who.require_recent(&request)?;
    let form = ServiceForm { nonce: random_code(&mut randomness::system()), ..ServiceForm::default() };
    Ok(page(&portal, &request, &who, form)?)
}

/// `POST /admin/services`: 303 to the service's page, which shows the token once.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let typed = body.form_with(&["name", "description"], &["nonce", "password"], &[]).await?;
    let mut form = ServiceForm {
        nonce: nonce(&typed)?,
        name: typed.field("name"),
        description: typed.field("description"),
        password: SecretField::default(),
    };
    let name = form.name.parse(ServiceName::parse);
    let description = form.description.parse(Description::parse);
    let (Some(name), Some(description)) = (name, description) else {
        return Ok(page(&portal, &request, &who, form)?);
    };
    if !confirm(&portal, &request, &who, &session, &typed, &mut form.password).await? {
        return Ok(page(&portal, &request, &who, form)?);
    }
    let (change, looker, shared, nonce) = (change(&who), Looker::of(&who), portal.clone(), form.nonce.clone());
    let wish = NewService { name: name.clone(), description };
    portal.db.require_room()?;
    let made = portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ServiceToken, rng);
            let made = change.create(connection, rng, &wish, &secret, &nonce)?;
            if let Made::Now(id) = made {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await;
    match made {
        Ok(Made::Now(id) | Made::Before(id)) => {
            Ok(notice::see_other(&portal, &urls::service(&id), &format!("Service “{name}” was created.")))
        }
        Err(Refusal::NameTaken) => {
            form.name.error = Some(format!("A service named “{name}” already exists. Choose another name."));
            Ok(page(&portal, &request, &who, form)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(portal: &Portal, request: &HttpRequest, who: &SignedIn, form: ServiceForm) -> Result<HttpResponse, Failure> {
    let errors = errors([
        ("name", &form.name.error),
        ("description", &form.description.error),
        ("password", &form.password.error),
    ]);
    let failed = !errors.is_empty();
    let shell = Shell::of(portal, request, who).failed(failed);
    let page = NewServicePage { shell, form, ask_password: !who.authenticated_recently(), errors };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
