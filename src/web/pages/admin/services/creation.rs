//! `GET /admin/services/new` and `POST /admin/services`: Create Service.

use actix_web::HttpResponse;
use askama::Template;
use serde::Deserialize;

use super::change;
use crate::domain::repository::Description;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::service::ServiceName;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::service_changes::{Made, NewService, Refusal};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, Field, FieldError, FormValue, SecretField, errors, nonce};
use crate::web::page::{Shell, form_page};
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServiceForm {
    nonce: FormValue,
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
pub async fn new(who: Holding<SystemManagement>) -> Result<HttpResponse, PageFailure> {
    who.require_recent()?;
    let nonce = random_code(&mut randomness::system()).as_str().into();
    Ok(page(&who, ServiceForm { nonce, ..ServiceForm::default() })?)
}

/// `POST /admin/services`: 303 to the service's page, which shows the token once.
pub async fn create(who: Holding<SystemManagement>, body: Body) -> Result<HttpResponse, PageFailure> {
    let mut form: ServiceForm = body.form().await?;
    let nonce = nonce(&form.nonce)?;
    let name = form.name.parse(ServiceName::parse);
    let description = form.description.parse(Description::parse);
    let (Some(name), Some(description)) = (name, description) else {
        return Ok(page(&who, form)?);
    };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, form)?);
    }
    let (change, looker, shared) = (change(&who), Looker::of(&who), who.portal.clone());
    let wish = NewService { name: name.clone(), description };
    who.portal.db.require_room()?;
    let made = who
        .portal
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
            Ok(notice::see_other(&who.portal, &urls::service(&id), &format!("Service “{name}” was created.")))
        }
        Err(Refusal::NameTaken) => {
            form.name.error = Some(format!("A service named “{name}” already exists. Choose another name."));
            Ok(page(&who, form)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(who: &SignedIn, form: ServiceForm) -> Result<HttpResponse, Failure> {
    let errors = errors([
        ("name", &form.name.error),
        ("description", &form.description.error),
        ("password", &form.password.error),
    ]);
    let ask_password = !who.authenticated_recently();
    form_page(who, errors, |shell, errors| NewServicePage { shell, form, ask_password, errors })
}
