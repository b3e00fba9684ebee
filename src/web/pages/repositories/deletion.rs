//! `/repositories/{name}/deletion`: deletes a repository. Its name must be typed.

use actix_web::{HttpResponse, web};

use super::{CONFIGURE, change, configurable, confirmation};
use crate::domain::Invalid;
use crate::domain::repository::Repository;
use crate::domain::text::is_same_name;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::caller_list::Of;
use crate::web::confirmation::{Confirmation, Detail, Input};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, DeletionForm};
use crate::web::page::CallerRow;
use crate::web::{notice, urls};

/// `GET /repositories/{name}/deletion`
pub async fn new(who: SignedIn, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&who.portal, &who, &path).await?;
    who.require_recent()?;
    Ok(page(&who, &repository, DeletionForm::default()).await?)
}

/// `POST /repositories/{name}/deletion`
pub async fn create(who: SignedIn, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&who.portal, &who, &path).await?;
    let mut form: DeletionForm = body.form().await?;
    let name = repository.name.as_str();
    let is_confirmed = form.name.parse(|typed| {
        let other = || Invalid(format!("That is not the name of this repository. Type “{name}” to delete it."));
        is_same_name(typed, name).then_some(()).ok_or_else(other)
    });
    if is_confirmed.is_none() {
        return Ok(page(&who, &repository, form).await?);
    }
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &repository, form).await?);
    }
    let (change, id) = (change(&who, CONFIGURE), repository.id);
    let delete = move |connection: &mut Connection| change.delete(connection, &mut randomness::system(), id);
    who.portal.db.write(delete).await?;
    Ok(notice::see_other(&who.portal, urls::REPOSITORIES, &format!("Repository “{name}” was deleted.")))
}

async fn page(who: &SignedIn, repository: &Repository, form: DeletionForm) -> Result<HttpResponse, Failure> {
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days",
        none: "Nothing has used this repository in the last 30 days.",
        rows: CallerRow::recent(&who.portal, Of::Repository(repository.id), who.now).await?,
    };
    let name = repository.name.as_str();
    let page = Confirmation {
        title: format!("Delete repository {name}"),
        heading: format!("Delete “{name}”?"),
        consequence: "Its token stops working immediately, API tokens lose access to it, and the access of all users \
                      is removed. This cannot be undone."
            .into(),
        details: vec![clients],
        inputs: vec![Input::Text {
            name: "name",
            label: "Name of the repository",
            hint: format!("Type {name} to confirm."),
            field: form.name,
            is_selected: false,
        }],
        action: urls::repository_deletion(name),
        verb: "Delete repository",
        is_destructive: true,
        ..confirmation(repository)
    };
    page.page(who, form.password)
}
