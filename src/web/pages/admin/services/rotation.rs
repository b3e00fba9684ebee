//! `/admin/services/{service}/rotation`: a new token for a service. The old one stops immediately.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{change, client_rows, confirmation, service_at};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::service::Service;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::service_changes::{Made, Refusal, Rotation};
use crate::web::confirmation::{Confirmation, Consequence, Detail, Input};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, FormValue, SecretField, nonce};
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RotationForm {
    nonce: FormValue,
    /// The generation of the token that the page showed as the current one.
    replaces: FormValue,
    password: SecretField,
}

/// `GET /admin/services/{service}/rotation`
pub async fn new(who: Holding<SystemManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&who.portal, &path).await?;
    who.require_recent()?;
    let form = RotationForm {
        nonce: random_code(&mut randomness::system()).as_str().into(),
        replaces: service.generation.to_string().as_str().into(),
        password: SecretField::default(),
    };
    Ok(page(&who, &service, form).await?)
}

/// `POST /admin/services/{service}/rotation`: 303 to the service's page, which shows the new token once.
pub async fn create(
    who: Holding<SystemManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&who.portal, &path).await?;
    let mut form: RotationForm = body.form().await?;
    let replaces = form.replaces.parse().map_err(|_| Failure::incomplete_form())?;
    let rotation = Rotation { replaces, nonce: nonce(&form.nonce)? };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &service, form).await?);
    }
    let (change, looker, id, portal) = (change(&who), Looker::of(&who), service.id, who.portal.clone());
    let rotate = move |connection: &mut Connection| -> Result<(), Refusal> {
        let rng = &mut randomness::system();
        let secret = Secret::generate(SecretKind::ServiceToken, rng);
        if let Made::Now(id) = change.rotate_token(connection, rng, id, &rotation, &secret)? {
            looker.lay(connection, rng, &portal.keys, id, secret.reveal())?;
        }
        Ok(())
    };
    who.portal.db.write(rotate).await?;
    let text = format!("The token of “{}” was rotated. The old one no longer works.", service.name);
    Ok(notice::see_other(&who.portal, &urls::service(&id), &text))
}

async fn page(who: &SignedIn, service: &Service, form: RotationForm) -> Result<HttpResponse, Failure> {
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days, and depends on it",
        none: "Nothing has used this token in the last 30 days.",
        rows: client_rows(who, service.id).await?,
    };
    let page = Confirmation {
        title: format!("Rotate the token of {}", service.name),
        heading: format!("Rotate the token of “{}”?", service.name),
        consequence: Consequence::Warning {
            first: "The old token stops working at once.",
            rest: "Until the service gets the new one, which is shown once on the next page, it cannot check tokens \
                   and will probably reject everyone.",
        },
        details: vec![clients],
        inputs: vec![
            Input::Hidden { name: "nonce", value: form.nonce.to_string() },
            Input::Hidden { name: "replaces", value: form.replaces.to_string() },
        ],
        action: urls::service_rotation(&service.id),
        verb: "Rotate token",
        ..confirmation(service)
    };
    page.page(who, form.password)
}
