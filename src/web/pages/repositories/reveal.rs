//! `POST /repositories/{name}/token/reveal`: Show. The Configure tab then shows the token once.

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{CONFIGURE, change, configurable};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::Shown;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, FieldError, SecretField, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::urls;

#[derive(Template)]
#[template(path = "pages/repositories/token/reveal.html")]
struct RevealPage {
    shell: Shell,
    name: String,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `POST /repositories/{name}/token/reveal`: 303 to the Configure tab, or 422 with a field for the password.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    let typed = body.form(&["password"], &[]).await?;
    let mut password = SecretField::default();
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        let page = RevealPage {
            shell: Shell::of(&portal, &request, &who).failed(true),
            name: repository.name.to_string(),
            errors: errors([("password", &password.error)]),
            password,
        };
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &page)?);
    }
    let (change, looker, id, shared) = (change(&who, CONFIGURE), Looker::of(&who), repository.id, portal.clone());
    portal
        .db
        .write(move |connection: &mut Connection| -> Result<(), Failure> {
            let rng = &mut randomness::system();
            match change.show_token(connection, rng, &shared.keys, id)? {
                Shown::Secret(secret) => Ok(looker.lay(connection, rng, &shared.keys, id, secret.reveal())?),
                Shown::Unopened(cause) => Err(Failure::Internal(cause)),
            }
        })
        .await?;
    let location = urls::repository_configure(repository.name.as_str());
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish())
}
