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
use crate::storage::service_changes::Change;
use crate::storage::services;
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::portal::Portal;

/// The service with the id in an address; what is no id is not found.
async fn service_at(portal: &Portal, path: &web::Path<String>) -> Result<Service, Failure> {
    let id: ServiceId = path.parse().map_err(|_| Failure::NotFound)?;
    portal.db.look_up(move |connection| services::find(connection, id)).await?.ok_or(Failure::NotFound)
}

fn change(who: &SignedIn) -> Change {
    Change { acting: who.acting(Privileges::NONE.with(Privilege::SystemManagement)) }
}
