//! `/admin/services/{service}/deletion`: deletes a service. Its name must be typed.

use actix_web::{HttpResponse, web};

use super::{change, client_rows, confirmation, service_at};
use crate::domain::Invalid;
use crate::domain::service::Service;
use crate::domain::text::is_same_name;
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::{Confirmation, Detail, Input};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, DeletionForm};
use crate::web::{notice, urls};

/// `GET /admin/services/{service}/deletion`
pub async fn new(who: Holding<SystemManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&who.portal, &path).await?;
    who.require_recent()?;
    Ok(page(&who, &service, DeletionForm::default()).await?)
}

/// `POST /admin/services/{service}/deletion`
pub async fn create(
    who: Holding<SystemManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let service = service_at(&who.portal, &path).await?;
    let mut form: DeletionForm = body.form().await?;
    let name = service.name.as_str();
    let is_confirmed = form.name.parse(|typed| {
        let other = || Invalid(format!("That is not the name of this service. Type “{name}” to delete it."));
        is_same_name(typed, name).then_some(()).ok_or_else(other)
    });
    if is_confirmed.is_none() {
        return Ok(page(&who, &service, form).await?);
    }
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &service, form).await?);
    }
    let (change, id) = (change(&who), service.id);
    let delete = move |connection: &mut Connection| change.delete(connection, &mut randomness::system(), id);
    who.portal.db.write(delete).await?;
    Ok(notice::see_other(&who.portal, urls::ADMIN_SERVICES, &format!("Service “{name}” was deleted.")))
}

async fn page(who: &SignedIn, service: &Service, form: DeletionForm) -> Result<HttpResponse, Failure> {
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days",
        none: "Nothing has used this token in the last 30 days.",
        rows: client_rows(who, service.id).await?,
    };
    let page = Confirmation {
        title: format!("Delete service {}", service.name),
        heading: format!("Delete “{}”?", service.name),
        consequence: "Its token stops working immediately: it cannot check tokens and will probably reject everyone. \
                      This cannot be undone."
            .into(),
        details: vec![clients],
        inputs: vec![Input::Text {
            name: "name",
            label: "Name of the service",
            hint: format!("Type {} to confirm.", service.name),
            field: form.name,
            is_selected: false,
        }],
        action: urls::service_deletion(&service.id),
        verb: "Delete service",
        ..confirmation(service)
    };
    page.page(who, form.password)
}
