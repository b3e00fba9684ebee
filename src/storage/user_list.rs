//! The list of users, page by page, and one of them: the users with their roles in one statement.

use diesel::declare_sql_function;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Connection;
use super::connection::on_each;
use super::error::{Result, StorageError};
use super::paging::{holding, total};
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

type Row = (UserId, String, String, String, Option<i64>, bool, i64, Option<String>);

/// Between the roles of a user, and between what is told of each.
const BETWEEN: &str = "\n";
const WITHIN: &str = "\t";

#[declare_sql_function]
extern "SQL" {
    /// All texts of a group, with a separator between them.
    #[aggregate]
    fn string_agg(text: Text, separator: Text) -> Nullable<Text>;
}

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
            user_roles::table
                .inner_join(roles::table)
                .filter(user_roles::user_id.eq(users::id))
                .select(string_agg(
                    roles::title.concat(WITHIN).concat(roles::name).concat(WITHIN).concat(roles::privileges),
                    BETWEEN,
                ))
                .single_value(),
        )
    };
}

macro_rules! found {
    ($search:expr) => {{
        let mut from = users::table.into_boxed();
        for word in $search {
            from = holding!(from, users::search_key, word);
        }
        from
    }};
}

/// The users asked for, and how many there are on all pages.
pub fn page(connection: &mut Connection, asked: &Asked) -> Result<(Vec<Listed>, i64)> {
    let (rows, total): (Vec<Row>, i64) = on_each!(connection, |c| {
        let query = found!(&asked.search).select(columns!()).limit(asked.limit).offset(asked.offset);
        let query = match (asked.order, asked.descending) {
            (Column::DisplayName, false) => query.order((users::display_name.asc(), users::username.asc())),
            (Column::DisplayName, true) => query.order((users::display_name.desc(), users::username.desc())),
            (Column::Username, false) => query.order(users::username.asc()),
            (Column::Username, true) => query.order(users::username.desc()),
            (Column::Email, false) => query.order((users::email.asc(), users::username.asc())),
            (Column::Email, true) => query.order((users::email.desc(), users::username.desc())),
            (Column::CreatedAt, false) => query.order((users::created_at.asc(), users::username.asc())),
            (Column::CreatedAt, true) => query.order((users::created_at.desc(), users::username.desc())),
        };
        let rows: Vec<Row> = query.load(c)?;
        let count = || Ok(found!(&asked.search).count().get_result(c)?);
        let total = total(rows.len(), asked.offset, asked.limit, count)?;
        (rows, total)
    });
    Ok((rows.into_iter().map(to_listed).collect::<Result<_>>()?, total))
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
    let after = after.unwrap_or_default();
    let rows: Vec<Row> = on_each!(connection, |c| {
        let later = found!(search).filter(users::username.gt(after));
        later.order(users::username.asc()).limit(limit).select(columns!()).load(c)?
    });
    rows.into_iter().map(to_listed).collect()
}

/// One user, as the list shows it.
pub fn find(connection: &mut Connection, username: &Username) -> Result<Option<Listed>> {
    let rows: Vec<Row> = on_each!(connection, |c| {
        users::table.filter(users::username.eq(username.as_str())).select(columns!()).load(c)?
    });
    rows.into_iter().map(to_listed).next().transpose()
}

fn to_listed(row: Row) -> Result<Listed> {
    let (id, username, display_name, email, disabled_at, has_password, created_at, held) = row;
    let corrupt = || StorageError::corrupt("users", id);
    let held = held.unwrap_or_default();
    let mut lines: Vec<&str> = held.lines().collect();
    lines.sort_unstable();
    let (mut titles, mut names, mut all) = (Vec::new(), Vec::new(), Privileges::NONE);
    for line in lines {
        let mut parts = line.split(WITHIN);
        let (Some(title), Some(name), Some(stored)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(corrupt());
        };
        titles.push(title.to_owned());
        names.push(name.to_owned());
        all = all.and(privileges(stored).ok_or_else(corrupt)?);
    }
    Ok(Listed {
        id,
        username,
        display_name,
        email,
        status: Status::of(disabled_at.is_some(), has_password),
        created_at: Timestamp::from_unix(created_at),
        roles: titles,
        role_names: names,
        privileges: all,
    })
}
