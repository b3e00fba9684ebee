//! `/api`: the API for readers, made from the same document as `/api/v1/openapi.json`. For everybody.

mod reading;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::web::api::openapi;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::Typed;
use crate::web::listing::{searched, words};
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use reading::{Operation, Schema};

#[derive(Template)]
#[template(path = "pages/reference/show.html")]
struct ReferencePage {
    shell: Shell,
    /// What is searched for; empty for everything.
    search: String,
    introduction: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The operations that have to do with one thing.
struct Group {
    id: String,
    name: String,
    description: String,
    operations: Vec<Operation>,
}

/// `GET /api?q=…`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Option<SignedIn>,
) -> Result<HttpResponse, PageFailure> {
    let search = searched(&Typed::of_any_query(&request)?);
    let wanted = words(&search);
    let document = openapi::document();
    let base = portal.settings.public_url.join("");
    let operations = reading::operations(document, base.trim_end_matches('/'));
    let mut groups: Vec<Group> = reading::tags(document)
        .into_iter()
        .map(|(name, description)| Group {
            id: name.to_lowercase().replace(' ', "-"),
            description,
            operations: Vec::new(),
            name,
        })
        .collect();
    for operation in operations.into_iter().filter(|operation| operation.holds(&wanted)) {
        if let Some(group) = groups.iter_mut().find(|group| group.name == operation.tag) {
            group.operations.push(operation);
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    let shell = match &who {
        Some(who) => Shell::of(&portal, &request, who),
        None => Shell::anonymous(&portal, &request),
    };
    let page = ReferencePage {
        shell,
        schemas: reading::schemas(document),
        introduction: document["info"]["description"].as_str().unwrap_or_default().replace('`', ""),
        groups,
        search,
    };
    Ok(html(StatusCode::OK, &page)?)
}
