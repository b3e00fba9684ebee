//! Set-password links: one for each user at most, of which only the digest of the code is stored.

use diesel::prelude::*;

use super::Connection;
use super::error::Result;
use super::schema::password_links;
use crate::domain::id::UserId;

/// Takes a link back that was not used, and says whether there was one.
pub fn withdraw(connection: &mut Connection, user: UserId) -> Result<bool> {
    Ok(diesel::delete(password_links::table.find(user.to_string())).execute(connection)? == 1)
}
