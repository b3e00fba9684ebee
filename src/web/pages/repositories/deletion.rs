//! `/repositories/{name}/deletion`: the end of a repository. Its name must be typed.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{CONFIGURE, change, configurable};
use crate::domain::repository::Repository;
use crate::domain::text::is_same_name;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::caller_list::Of;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Field, FieldError, SecretField, errors};
use crate::web::page::{CallerRow, Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/repositories/deletion.html")]
struct DeletionPage {
    shell: Shell,
    name: String,
    typed: Field,
    hint: String,
    callers: Vec<CallerRow>,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// `GET /repositories/{name}/deletion`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    who.require_recent(&request)?;
    Ok(page(&portal, &request, &who, &repository, Field::default(), SecretField::default()).await?)
}

/// `POST /repositories/{name}/deletion`
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    let typed = body.form(&["name", "password"], &[]).await?;
    let (mut field, mut password) = (typed.field("name"), SecretField::default());
    let name = repository.name.as_str();
    if !is_same_name(&field.value, name) {
        field.error = Some(format!("That is not the name of this repository. Type “{name}” to delete it."));
        return Ok(page(&portal, &request, &who, &repository, field, password).await?);
    }
    if !confirm(&portal, &request, &who, &session, &typed, &mut password).await? {
        return Ok(page(&portal, &request, &who, &repository, field, password).await?);
    }
    let (change, id) = (change(&who, CONFIGURE), repository.id);
    portal
        .db
        .write(move |connection: &mut Connection| change.delete(connection, &mut randomness::system(), id))
        .await?;
    Ok(notice::see_other(&portal, urls::REPOSITORIES, &format!("Repository “{name}” was deleted.")))
}

async fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    repository: &Repository,
    typed: Field,
    password: SecretField,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("name", &typed.error), ("password", &password.error)]);
    let failed = !errors.is_empty();
    let page = DeletionPage {
        shell: Shell::of(portal, request, who).failed(failed),
        name: repository.name.to_string(),
        hint: format!("Type {} to confirm.", repository.name),
        typed,
        callers: CallerRow::recent(portal, Of::Repository(repository.id), who.now).await?,
        ask_password: !who.authenticated_recently(),
        password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
