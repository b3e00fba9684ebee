//! The list of users, page by page, and one of them: one statement for the users and one for their roles.

use std::collections::HashMap;

use diesel::prelude::*;

use super::Connection;
use super::error::{Result, StorageError};
use super::paging::{containing, total};
use super::roles::privileges;
use super::schema::{roles, user_roles, users};
use crate::domain::id::UserId;
use crate::domain::privilege::Privileges;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{Status, Username};

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
    /// Names of the roles, in the same order.
    pub role_names: Vec<String>,
    /// Of all the roles.
    pub privileges: Privileges,
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

type Row = (String, String, String, String, Option<i64>, bool, i64);

macro_rules! columns {
    () => {
        (
            users::id,
            users::username,
            users::display_name,
            users::email,
            users::disabled_at,
            users::password_hash.is_not_null(),
            users::created_at,
        )
    };
}

/// The users asked for, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Listed>, i64)> {
    let from = || {
        let mut from = users::table.into_boxed();
        for word in &asked.search {
            from = from.filter(users::search_key.like(containing(word)).escape('\\'));
        }
        from
    };
    let query = from().select(columns!()).limit(asked.limit).offset(asked.offset);
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
    let rows: Vec<Row> = query.load(connection)?;
    let total = total(rows.len(), asked.offset, asked.limit, || Ok(from().count().get_result(connection)?))?;
    Ok((to_listed(connection, rows)?, total))
}

/// The users whose username, display name or email holds all these words, in the order of the usernames: at most `limit`,
/// from after the username `after` on.
pub fn list_after(
    connection: &mut Connection,
    search: &[String],
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Listed>> {
    // Every username comes after the empty one.
    let mut later = users::table.filter(users::username.gt(after.unwrap_or_default())).into_boxed();
    for word in search {
        later = later.filter(users::search_key.like(containing(word)).escape('\\'));
    }
    let rows = later.order(users::username.asc()).limit(limit).select(columns!()).load(connection)?;
    to_listed(connection, rows)
}

/// One user, as the list shows it.
pub fn find(connection: &mut Connection, username: &Username) -> Result<Option<Listed>> {
    let of_name = users::table.filter(users::username.eq(username.as_str()));
    let rows = of_name.select(columns!()).load(connection)?;
    Ok(to_listed(connection, rows)?.pop())
}

fn to_listed(connection: &mut Connection, rows: Vec<Row>) -> Result<Vec<Listed>> {
    let mut held = roles_of(connection, rows.iter().map(|row| row.0.clone()).collect())?;
    let listed = |(id, username, display_name, email, disabled_at, has_password, created_at): Row| {
        let held = held.remove(&id).unwrap_or_default();
        Ok(Listed {
            id: id.parse().map_err(|_| StorageError::corrupt("users", &id))?,
            username,
            display_name,
            email,
            status: Status::of(disabled_at.is_some(), has_password),
            created_at: Timestamp::from_unix(created_at),
            roles: held.titles,
            role_names: held.names,
            privileges: held.privileges,
        })
    };
    rows.into_iter().map(listed).collect()
}

/// The roles of one user.
#[derive(Default)]
struct Held {
    titles: Vec<String>,
    names: Vec<String>,
    privileges: Privileges,
}

fn roles_of(connection: &mut Connection, ids: Vec<String>) -> Result<HashMap<String, Held>> {
    let rows: Vec<(String, String, String, String)> = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq_any(ids))
        .order((roles::title.asc(), roles::name.asc()))
        .select((user_roles::user_id, roles::title, roles::name, roles::privileges))
        .load(connection)?;
    let mut all: HashMap<String, Held> = HashMap::new();
    for (id, title, name, stored) in rows {
        let own = privileges(&stored).ok_or_else(|| StorageError::corrupt("roles", &name))?;
        let held = all.entry(id).or_default();
        held.titles.push(title);
        held.names.push(name);
        held.privileges = held.privileges.and(own);
    }
    Ok(all)
}
