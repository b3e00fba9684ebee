//! `/api`: the API for readers, made from the same document as `/api/v1/openapi.json`. For everybody. A line for each operation,
//! and a page for each group of them: all of it in one would weigh 100 kB.

mod objects;
mod reading;

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::web::api::openapi;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::Typed;
use crate::web::listing::{searched, words};
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use reading::{Group, Operation, Reference};

/// Read once: it does not change.
static REFERENCE: LazyLock<Reference> = LazyLock::new(|| Reference::of(openapi::document()));

/// All operations, a line each, and what errors look like.
#[derive(Template)]
#[template(path = "pages/reference/index.html")]
struct IndexPage {
    shell: Shell,
    /// What is searched for; empty for everything.
    search: String,
    /// Those that are found.
    groups: Vec<(&'static Group, Vec<&'static Operation>)>,
    reference: &'static Reference,
}

/// The operations of one group, with the objects that they take and answer.
#[derive(Template)]
#[template(path = "pages/reference/group.html")]
struct GroupPage {
    shell: Shell,
    group: &'static Group,
    /// The public address, without a slash at its end.
    base: String,
}

/// Reads the OpenAPI document, so that no request has to.
pub fn prepare() {
    LazyLock::force(&REFERENCE);
}

/// `GET /api?q=…`, and `GET /api?of=…` for one group.
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Option<SignedIn>,
) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let shell = match &who {
        Some(who) => Shell::of(&portal, &request, who),
        None => Shell::anonymous(&portal, &request),
    };
    let reference = &*REFERENCE;
    let of = query.text("of");
    if !of.is_empty() {
        let group = reference.groups.iter().find(|group| group.id == of).ok_or(Failure::NotFound)?;
        let base = portal.settings.public_url.join("").trim_end_matches('/').to_owned();
        return Ok(html(StatusCode::OK, &GroupPage { shell, group, base })?);
    }
    let search = searched(&query);
    let wanted = words(&search);
    let found = |group: &'static Group| {
        let found: Vec<_> = group.operations.iter().filter(|operation| operation.holds(&wanted)).collect();
        (!found.is_empty()).then_some((group, found))
    };
    let groups = reference.groups.iter().filter_map(found).collect();
    Ok(html(StatusCode::OK, &IndexPage { shell, search, groups, reference })?)
}
