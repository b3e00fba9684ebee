//! `/repositories/{name}/description`: what a repository is for.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{MANAGE, change, managed};
use crate::domain::repository::Description;
use crate::randomness;
use crate::storage::Connection;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Field, FieldError, errors};
use crate::web::page::{Shell, form_page};
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/repositories/description.html")]
struct DescriptionPage {
    shell: Shell,
    name: String,
    description: Field,
    errors: Vec<FieldError>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DescriptionForm {
    description: Field,
}

/// `GET /repositories/{name}/description`
pub async fn edit(who: SignedIn, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&who.portal, &who, &path).await?;
    let description = Field::of(repository.description);
    Ok(page(&who, repository.name.as_str(), description)?)
}

/// `POST /repositories/{name}/description`
pub async fn update(who: SignedIn, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&who.portal, &who, &path).await?;
    let DescriptionForm { description: mut field } = body.form().await?;
    let name = repository.name.as_str();
    let Some(description) = field.parse(Description::parse) else {
        return Ok(page(&who, name, field)?);
    };
    let (change, id) = (change(&who, MANAGE), repository.id);
    who.portal
        .db
        .write(move |connection: &mut Connection| {
            change.describe(connection, &mut randomness::system(), id, &description)
        })
        .await?;
    let tabs = super::Tabs::of(&repository, &who);
    let place = if tabs.configure { urls::repository_configure(name) } else { urls::repository(name) };
    Ok(notice::see_other(&who.portal, &place, &format!("The description of “{name}” was changed.")))
}

fn page(who: &SignedIn, name: &str, description: Field) -> Result<HttpResponse, Failure> {
    let errors = errors([("description", &description.error)]);
    form_page(who, errors, |shell, errors| DescriptionPage { shell, name: name.to_owned(), description, errors })
}
