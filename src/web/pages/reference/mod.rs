//! `/api`: the API for readers, made from the same document as `/api/v1/openapi.json`. For everybody. A line for each operation,
//! and a page for each group of them: all of it in one would weigh 100 kB.

mod reading;

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
use crate::web::urls;
use reading::{Answer, Operation, Schema};

/// The schema of errors, told once.
const ERROR: &str = "Problem";

/// All operations, a line each, and what errors look like.
#[derive(Template)]
#[template(path = "pages/reference/index.html")]
struct IndexPage {
    shell: Shell,
    /// What is searched for; empty for everything.
    search: String,
    introduction: String,
    groups: Vec<Group>,
    /// What most operations may answer besides their own.
    common: Vec<Answer>,
    /// What errors are told in.
    schemas: Vec<Schema>,
}

/// The operations of one group, with the objects that they take and answer.
#[derive(Template)]
#[template(path = "pages/reference/group.html")]
struct GroupPage {
    shell: Shell,
    group: Group,
    schemas: Vec<Schema>,
}

/// The operations that have to do with one thing.
struct Group {
    id: String,
    name: String,
    description: String,
    operations: Vec<Operation>,
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
    let document = openapi::document();
    let base = portal.settings.public_url.join("");
    let operations = reading::operations(document, base.trim_end_matches('/'));
    let common = reading::common_answers(&operations);
    let of = query.text("of");
    if of.is_empty() {
        let search = searched(&query);
        let wanted = words(&search);
        let mut groups = grouped(operations.into_iter().filter(|operation| operation.holds(&wanted)));
        groups.retain(|group| !group.operations.is_empty());
        let introduction = document["info"]["description"].as_str().unwrap_or_default().replace('`', "");
        let schemas = reading::schemas(document, [ERROR.to_owned()]);
        return Ok(html(StatusCode::OK, &IndexPage { shell, search, introduction, groups, common, schemas })?);
    }
    let mut group = grouped(operations).into_iter().find(|group| group.id == of).ok_or(Failure::NotFound)?;
    for operation in &mut group.operations {
        operation.answers.retain(|answer| !common.contains(answer));
        for answer in operation.answers.iter_mut().filter(|answer| answer.schema == ERROR) {
            answer.schema.clear();
        }
    }
    let schemas = reading::schemas(document, group.operations.iter().flat_map(Operation::schemas));
    Ok(html(StatusCode::OK, &GroupPage { shell, group, schemas })?)
}

/// The groups in the order of the document.
fn grouped(operations: impl IntoIterator<Item = Operation>) -> Vec<Group> {
    let group = |(name, description): (String, String)| {
        let id = name.to_lowercase().replace(' ', "-");
        Group { id, name, description, operations: Vec::new() }
    };
    let mut groups: Vec<Group> = reading::tags(openapi::document()).into_iter().map(group).collect();
    for operation in operations {
        if let Some(group) = groups.iter_mut().find(|group| group.name == operation.tag) {
            group.operations.push(operation);
        }
    }
    groups
}

impl Group {
    fn path(&self) -> String {
        urls::api_group(&self.id)
    }
}
