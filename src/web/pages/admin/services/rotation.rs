//! `/admin/services/{service}/rotation`: a new token for a service. The old one stops at once.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, service_at};
use crate::domain::id::ServiceId;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::service::Service;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::caller_list::Of;
use crate::storage::service_changes::{Made, Refusal, Rotation};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, FieldError, SecretField, errors, nonce};
use crate::web::page::{CallerRow, Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/services/rotation.html")]
struct RotationPage {
    shell: Shell,
    id: ServiceId,
    name: String,
    nonce: String,
    replaces: i64,
    callers: Vec<CallerRow>,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /admin/services/{service}/rotation`: the confirmation.
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&portal, &path).await?;
    who.require_recent(&request)?;
    let rotation = Rotation { replaces: service.generation, nonce: random_code(&mut randomness::system()) };
    Ok(page(&portal, &request, &who, &service, rotation, SecretField::default()).await?)
}

/// `POST /admin/services/{service}/rotation`: 303 to the service's page, which shows the new token once.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<SystemManagement>,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&portal, &path).await?;
    let typed = body.form(&["nonce", "replaces", "password"], &[]).await?;
    let replaces = typed
        .text("replaces")
        .parse()
        .map_err(|_| Failure::BadRequest("The form is incomplete. Load the page again.".into()))?;
    let rotation = Rotation { replaces, nonce: nonce(&typed)? };
    let mut password = SecretField::default();
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        return Ok(page(&portal, &request, &who, &service, rotation, password).await?);
    }
    let (change, looker, id, shared) = (change(&who), Looker::of(&who), service.id, portal.clone());
    portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ServiceToken, rng);
            let made = change.rotate_token(connection, rng, id, &rotation, &secret)?;
            if let Made::Now(id) = made {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await?;
    let text = format!("The token of “{}” was rotated. The old one no longer works.", service.name);
    Ok(notice::see_other(&portal, &urls::service(&id), &text))
}

async fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    service: &Service,
    rotation: Rotation,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = RotationPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: service.id,
        name: service.name.to_string(),
        nonce: rotation.nonce,
        replaces: rotation.replaces,
        callers: CallerRow::recent(portal, Of::Service(service.id), who.now).await?,
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
