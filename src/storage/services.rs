//! Services, and from the digest of one's token to the service.

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::schema::services;
use crate::domain::secret::Digest;
use crate::domain::service::{KnownService, ServiceName};
use crate::domain::timestamp::Timestamp;

pub fn find_by_digest(connection: &mut Connection, digest: &Digest) -> Result<Option<KnownService>> {
    let row: Option<(String, String, i64)> = services::table
        .filter(services::digest.eq(digest.as_bytes().as_slice()))
        .select((services::id, services::name, services::token_created_at))
        .get_result(connection)
        .optional()?;
    row.map(|(id, name, token_created_at)| {
        let corrupt = || StorageError::corrupt("services", &id);
        Ok(KnownService {
            id: id.parse().map_err(|_| corrupt())?,
            name: ServiceName::parse(&name).map_err(|_| corrupt())?,
            token_created_at: Timestamp::from_unix(token_created_at),
        })
    })
    .transpose()
}
