//! Services as they stand, and from the digest of one's token to the service. How they change is in `service_changes`.

use diesel::prelude::*;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::paging::{holding, total};
use super::schema::services;
use crate::domain::api_token::LastUse;
use crate::domain::id::ServiceId;
use crate::domain::secret::Digest;
use crate::domain::service::{KnownService, Service, ServiceName};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;

pub fn find_by_digest(connection: &mut Connection, digest: &Digest) -> Result<Option<KnownService>> {
    let row: Option<(ServiceId, String, i64)> = services::table
        .filter(services::digest.eq(digest.as_bytes().as_slice()))
        .select((services::id, services::name, services::token_created_at))
        .get_result(connection)
        .optional()?;
    row.map(|(id, name, token_created_at)| {
        Ok(KnownService {
            id,
            name: ServiceName::parse(&name).map_err(|_| StorageError::corrupt("services", id))?,
            token_created_at: Timestamp::from_unix(token_created_at),
        })
    })
    .transpose()
}

type Row = (ServiceId, String, String, String, i64, i64, String, i64, String, Option<i64>, Option<String>);

macro_rules! columns {
    () => {
        (
            services::id,
            services::name,
            services::description,
            services::hint,
            services::generation,
            services::created_at,
            services::created_by,
            services::token_created_at,
            services::token_created_by,
            services::last_used_at,
            services::last_used_address,
        )
    };
}

pub fn find(connection: &mut Connection, id: ServiceId) -> Result<Option<Service>> {
    let row: Option<Row> = services::table.find(id).select(columns!()).get_result(connection).optional()?;
    row.map(to_service).transpose()
}

pub fn find_by_name(connection: &mut Connection, name: &ServiceName) -> Result<Option<Service>> {
    let of_name = services::table.filter(services::name.eq(name.as_str()));
    let row: Option<Row> = of_name.select(columns!()).get_result(connection).optional()?;
    row.map(to_service).transpose()
}

fn to_service(row: Row) -> Result<Service> {
    let (id, name, description, hint, generation, created_at, created_by, token_at, token_by, used_at, address) = row;
    Ok(Service {
        id,
        name: ServiceName::parse(&name).map_err(|_| StorageError::corrupt("services", id))?,
        description,
        hint,
        generation,
        created_at: Timestamp::from_unix(created_at),
        created_by,
        token_created_at: Timestamp::from_unix(token_at),
        token_created_by: token_by,
        last_use: used_at.map(|at| LastUse { at: Timestamp::from_unix(at), address: address.unwrap_or_default() }),
    })
}

/// The columns that the list can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    CreatedAt,
}

/// One page of the list.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Words that name or description must hold, all of them.
    pub search: Vec<String>,
    pub order: Column,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// The services asked for, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Service>, i64)> {
    let (rows, total): (Vec<Row>, i64) = on_each!(connection, |c| {
        let from = || {
            let mut from = services::table.into_boxed();
            for word in &asked.search {
                from = holding!(from, services::search_key, word);
            }
            from
        };
        let query = from().select(columns!()).limit(asked.limit).offset(asked.offset);
        let query = match (asked.order, asked.descending) {
            (Column::Name, false) => query.order(services::name.asc()),
            (Column::Name, true) => query.order(services::name.desc()),
            (Column::CreatedAt, false) => query.order((services::created_at.asc(), services::name.asc())),
            (Column::CreatedAt, true) => query.order((services::created_at.desc(), services::name.desc())),
        };
        let rows: Vec<Row> = query.load(c)?;
        let total = total(rows.len(), asked.offset, asked.limit, || Ok(from().count().get_result(c)?))?;
        (rows, total)
    });
    Ok((rows.into_iter().map(to_service).collect::<Result<_>>()?, total))
}

/// The services whose name or description holds all these words, in the order of their names: at most `limit`, from after the
/// name `after` on.
pub fn list_after(
    connection: &mut Connection,
    search: &[String],
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Service>> {
    // Every name comes after the empty one.
    let mut later = services::table.filter(services::name.gt(after.unwrap_or_default())).into_boxed();
    for word in search {
        later = holding!(later, services::search_key, word);
    }
    let rows: Vec<Row> = later.order(services::name.asc()).limit(limit).select(columns!()).load(connection)?;
    rows.into_iter().map(to_service).collect()
}

/// What a search looks into, in lower case and NFC.
pub(super) fn search_key(name: &ServiceName, description: &str) -> String {
    text::search_key(&format!("{name} {description}"))
}
