//! `/admin/users`: everybody's accounts. *User Management* guards all of it, and nobody touches whoever holds more.

pub mod creation;
pub mod details;
pub mod disablement;
pub mod edit;
pub mod enablement;
pub mod form;
pub mod list;
pub mod password_link;
pub mod sign_out;

use actix_web::web;

use crate::domain::id::UserId;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::user::User;
use crate::storage::user_changes::{Change, Refusal};
use crate::storage::users;
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::portal::Portal;

/// The user with the id in an address; what is no id is not found.
async fn user_at(portal: &Portal, path: &web::Path<String>) -> Result<User, Failure> {
    let id: UserId = path.parse().map_err(|_| Failure::NotFound)?;
    portal.db.look_up(move |connection| users::find(connection, id)).await?.ok_or(Failure::NotFound)
}

/// The same, if whoever asks may change anything about the user.
async fn changeable(portal: &Portal, who: &SignedIn, path: &web::Path<String>) -> Result<User, Failure> {
    let user = user_at(portal, path).await?;
    if may_change(who, &user) { Ok(user) } else { Err(Refusal::HoldsMore.into()) }
}

fn may_change(who: &SignedIn, user: &User) -> bool {
    who.user.privileges.contains_all(user.privileges)
}

fn change(who: &SignedIn) -> Change {
    Change { acting: who.acting(Privileges::NONE.with(Privilege::UserManagement)) }
}

/// `1 API token`, `3 API tokens`
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
