//! How services and their tokens change. Each function is called inside one writing transaction, looks once more whether
//! whoever acts still may, locks the service, checks its rule and appends its event.

mod create;
mod delete;
mod held;
mod rotate;

use diesel::prelude::*;

use super::acting::{Acting, Ended};
use super::error::{Result, StorageError};
use super::schema::services;
use super::{Connection, nonces, services as stored};
use crate::domain::id::ServiceId;
use crate::domain::repository::Description;
use crate::domain::service::{Service, ServiceName};
use crate::domain::timestamp::Timestamp;

pub use held::revoke_held;
pub use rotate::Rotation;

/// The kind of subject in events.
pub const KIND: &str = "service";

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such service")]
    NotFound,
    #[error("a service of this name exists")]
    NameTaken,
    /// The token was changed first; `by` is empty where somebody who held it revoked it.
    #[error("the token was changed at {} by {by:?}", .at.for_machines())]
    Overtaken { by: String, at: Timestamp, service: ServiceId },
    /// The form was used for something else before.
    #[error("the form was used before")]
    FormUsed,
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// A validated wish for a service.
#[derive(Debug, Clone)]
pub struct NewService {
    pub name: ServiceName,
    pub description: Description,
}

/// Changes by somebody in a session.
#[derive(Debug, Clone)]
pub struct Change {
    pub acting: Acting,
}

/// What became of a form that makes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The token given is in force now.
    Now(ServiceId),
    /// The same form was submitted before; the token given was not used.
    Before(ServiceId),
}

impl Change {
    /// Begins, locks the service and returns it.
    fn begin(&self, connection: &mut Connection, id: ServiceId) -> Result<Service, Refusal> {
        self.acting.begin(connection, &[])?;
        lock(connection, id)?.ok_or(Refusal::NotFound)
    }

    /// The service whose present token the form with this nonce made.
    fn made_before(&self, connection: &mut Connection, nonce: &str) -> Result<Option<ServiceId>, Refusal> {
        let row: Option<(ServiceId, String)> = services::table
            .filter(services::form_nonce.eq(nonces::number(nonce)))
            .select((services::id, services::token_created_by))
            .get_result(connection)
            .optional()?;
        let Some((id, by)) = row else { return Ok(None) };
        if by == self.acting.actor.name() { Ok(Some(id)) } else { Err(Refusal::FormUsed) }
    }
}

/// Holds off every other transaction that calls this for the same service, and finds it. Users are locked before services.
fn lock(connection: &mut Connection, id: ServiceId) -> Result<Option<Service>> {
    diesel::update(services::table.find(id)).set(services::revision.eq(services::revision + 1)).execute(connection)?;
    stored::find(connection, id)
}
