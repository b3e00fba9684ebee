//! `/admin/services`: the systems that may ask about tokens. *System Management* guards all of it.

pub mod creation;
pub mod deletion;
pub mod details;
pub mod list;
pub mod reveal;
pub mod rotation;

use actix_web::web;

use crate::domain::id::ServiceId;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::service::Service;
use crate::storage::caller_list::Of;
use crate::storage::service_changes::Change;
use crate::storage::{Result as Stored, services};
use crate::web::confirmation::{Confirmation, Section};
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::CallerRow;
use crate::web::portal::Portal;
use crate::web::urls;

/// The service with the id in an address; what is no id is not found.
async fn service_at(portal: &Portal, path: &web::Path<String>) -> Result<Service, Failure> {
    let id: ServiceId = path.parse().map_err(|_| Failure::NotFound)?;
    portal.db.look_up(move |connection| services::find(connection, id)).await?.ok_or(Failure::NotFound)
}

/// What all confirmations about one service have in common.
fn confirmation(service: &Service) -> Confirmation {
    let address = urls::service(&service.id);
    Confirmation {
        section: Section::Administration,
        crumbs: vec![
            (urls::ADMIN_SERVICES.to_owned(), "Services".to_owned()),
            (address.clone(), service.name.to_string()),
        ],
        needs_password: true,
        is_destructive: true,
        cancel: address,
        ..Confirmation::default()
    }
}

/// Who used the service's token recently.
async fn client_rows(who: &SignedIn, id: ServiceId) -> Stored<Vec<CallerRow>> {
    CallerRow::recent(&who.portal, Of::Service(id), who.now).await
}

fn change(who: &SignedIn) -> Change {
    Change { acting: who.acting(Privileges::NONE.with(Privilege::SystemManagement)) }
}
