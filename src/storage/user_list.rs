//! The list of users, page by page: the users of a page with their roles in one statement.

use diesel::declare_sql_function;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::paging::{containing, total};
use super::schema::{roles, user_roles, users};
use crate::domain::id::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Status;

/// A user as the list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: UserId,
    pub username: String,
    pub display_name: String,
    pub email: String,
    pub status: Status,
    pub created_at: Timestamp,
    /// Titles of the roles, in alphabetical order.
    pub roles: Vec<String>,
}

/// The columns that the list can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    DisplayName,
    Username,
    Email,
    CreatedAt,
}

/// One page of the list.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Words that username, display name or email must hold, all of them.
    pub search: Vec<String>,
    pub order: Column,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

type Row = (String, String, String, String, Option<i64>, bool, i64, Option<String>);

/// Between the titles of a user's roles.
const BETWEEN: &str = "\n";

#[declare_sql_function]
extern "SQL" {
    /// All texts of a group, with a separator between them.
    #[aggregate]
    fn string_agg(text: Text, separator: Text) -> Nullable<Text>;
}

/// The users asked for, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Listed>, i64)> {
    let (rows, total): (Vec<Row>, i64) = on_each!(connection, |c| {
        let from = || {
            let mut from = users::table.into_boxed();
            for word in &asked.search {
                from = from.filter(users::search_key.like(containing(word)).escape('\\'));
            }
            from
        };
        let titles = user_roles::table
            .inner_join(roles::table)
            .filter(user_roles::user_id.eq(users::id))
            .select(string_agg(roles::title, BETWEEN));
        let query = from()
            .select((
                users::id,
                users::username,
                users::display_name,
                users::email,
                users::disabled_at,
                users::password_hash.is_not_null(),
                users::created_at,
                titles.single_value(),
            ))
            .limit(asked.limit)
            .offset(asked.offset);
        let query = match (asked.order, asked.descending) {
            (Column::DisplayName, false) => query.order((users::display_name.asc(), users::username.asc())),
            (Column::DisplayName, true) => query.order((users::display_name.desc(), users::username.desc())),
            (Column::Username, false) => query.order(users::username.asc()),
            (Column::Username, true) => query.order(users::username.desc()),
            (Column::Email, false) => query.order((users::email.asc(), users::username.asc())),
            (Column::Email, true) => query.order((users::email.desc(), users::username.asc())),
            (Column::CreatedAt, false) => query.order((users::created_at.asc(), users::username.asc())),
            (Column::CreatedAt, true) => query.order((users::created_at.desc(), users::username.asc())),
        };
        let rows: Vec<Row> = query.load(c)?;
        let total = total(rows.len(), asked.offset, asked.limit, || Ok(from().count().get_result(c)?))?;
        (rows, total)
    });
    Ok((rows.into_iter().map(to_listed).collect::<Result<_>>()?, total))
}

fn to_listed(row: Row) -> Result<Listed> {
    let (id, username, display_name, email, disabled_at, has_password, created_at, titles) = row;
    let mut roles: Vec<String> =
        titles.map(|titles| titles.split(BETWEEN).map(str::to_owned).collect()).unwrap_or_default();
    roles.sort_unstable();
    Ok(Listed {
        id: id.parse().map_err(|_| StorageError::corrupt("users", &id))?,
        username,
        display_name,
        email,
        status: Status::of(disabled_at.is_some(), has_password),
        created_at: Timestamp::from_unix(created_at),
        roles,
    })
}
