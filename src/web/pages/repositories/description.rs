//! `/repositories/{name}/description`: what a repository is for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{MANAGE, change, managed};
use crate::domain::repository::Description;
use crate::randomness;
use crate::storage::Connection;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Field, FieldError, errors};
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/repositories/description.html")]
struct DescriptionPage {
    shell: Shell,
    name: String,
    description: Field,
    errors: Vec<FieldError>,
}

/// `GET /repositories/{name}/description`
pub async fn edit(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&portal, &who, &path).await?;
    let description = Field::of(repository.description);
    Ok(page(&portal, &request, &who, repository.name.as_str(), description)?)
}

/// `POST /repositories/{name}/description`
pub async fn update(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&portal, &who, &path).await?;
    let mut field = body.form_with(&["description"], &[], &[]).await?.field("description");
    let name = repository.name.as_str();
    let Some(description) = field.parse(Description::parse) else {
        return Ok(page(&portal, &request, &who, name, field)?);
    };
    let (change, id) = (change(&who, MANAGE), repository.id);
    portal
        .db
        .write(move |connection: &mut Connection| {
            change.describe(connection, &mut randomness::system(), id, &description)
        })
        .await?;
    let tabs = super::Tabs::of(&repository, &who);
    let place = if tabs.configure { urls::repository_configure(name) } else { urls::repository(name) };
    Ok(notice::see_other(&portal, &place, &format!("The description of “{name}” was changed.")))
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    name: &str,
    description: Field,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("description", &description.error)]);
    let failed = !errors.is_empty();
    let page = DescriptionPage {
        shell: Shell::of(portal, request, who).failed(failed),
        name: name.to_owned(),
        description,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
