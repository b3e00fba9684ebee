//! `/admin/users`: all accounts. *User Management* guards all of it. You cannot change a user who can do more than you.

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
use crate::storage::user_changes::{Change, require_covered};
use crate::storage::{Connection, users};
use crate::web::confirmation::{Confirmation, Section};
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::portal::Portal;
use crate::web::urls;

/// The user with the id in an address; what is no id is not found.
async fn user_at(portal: &Portal, path: &web::Path<String>) -> Result<User, Failure> {
    let id: UserId = path.parse().map_err(|_| Failure::NotFound)?;
    portal.db.look_up(move |connection| users::find(connection, id)).await?.ok_or(Failure::NotFound)
}

/// The same, if the signed-in user may change the user.
async fn changeable(who: &SignedIn, path: &web::Path<String>) -> Result<User, Failure> {
    let user = user_at(&who.portal, path).await?;
    let (by, actor, target) = (change(who).acting.by, (who.user.id, who.user.privileges), (user.id, user.privileges));
    who.portal.db.read(move |connection: &mut Connection| require_covered(connection, by, actor, target)).await?;
    Ok(user)
}

/// What all confirmations about one user have in common.
fn confirmation(user: &User) -> Confirmation {
    let address = urls::user(&user.id);
    Confirmation {
        section: Section::Administration,
        crumbs: vec![(urls::ADMIN_USERS.to_owned(), "Users".to_owned()), (address.clone(), user.username.to_string())],
        needs_password: true,
        cancel: address,
        ..Confirmation::default()
    }
}

fn change(who: &SignedIn) -> Change {
    Change { acting: who.acting(Privileges::NONE.with(Privilege::UserManagement)) }
}

/// `1 API token`, `3 API tokens`
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
