//! `/repositories`: what tokens open. Whoever may read one sees its Overview; the other tabs ask for privileges.

pub mod access;
pub mod activity;
pub mod configure;
pub mod creation;
pub mod deletion;
pub mod description;
pub mod grant;
pub mod list;
pub mod notice_dismissal;
pub mod overview;
pub mod reveal;
pub mod token;

use crate::domain::permission::{Permission, owner_may};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::{Repository, RepositoryName};
use crate::storage::repositories::find_with_grant;
use crate::storage::repository_changes::Change;
use crate::web::confirmation::{Confirmation, Section};
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::portal::Portal;
use crate::web::urls;

/// What it takes to change a repository and its grants.
pub const MANAGE: Privileges = Privileges::NONE.with(Privilege::RepositoryManagement);
/// What it takes to see and renew its token.
pub const CONFIGURE: Privileges = MANAGE.with(Privilege::ViewRepositories);

/// A repository that the user may read.
pub struct Found {
    pub repository: Repository,
    /// What the user may do with it; never none.
    pub right: Permission,
}

/// The tabs of a repository that a user may enter.
#[derive(Debug)]
pub struct Tabs {
    pub name: String,
    pub configure: bool,
    pub manage: bool,
}

impl Tabs {
    pub fn of(repository: &Repository, who: &SignedIn) -> Self {
        let held = who.user.privileges;
        Self {
            name: repository.name.to_string(),
            configure: held.contains_all(CONFIGURE),
            manage: held.contains_all(MANAGE),
        }
    }
}

/// The repository of that name, if the user may read it. One that they may not is not found, as if it were not there.
pub async fn visible(portal: &Portal, who: &SignedIn, name: &str) -> Result<Found, Failure> {
    let name = RepositoryName::parse(name).ok().filter(|parsed| parsed.as_str() == name).ok_or(Failure::NotFound)?;
    let user = who.user.id;
    let found = portal.db.look_up(move |connection| find_with_grant(connection, user, &name)).await?;
    let (repository, grant) = found.ok_or(Failure::NotFound)?;
    let right = owner_may(who.user.privileges, grant);
    if right == Permission::None { Err(Failure::NotFound) } else { Ok(Found { repository, right }) }
}

/// The same, for those who hold *Repository Management*.
pub async fn managed(portal: &Portal, who: &SignedIn, name: &str) -> Result<Repository, Failure> {
    let found = visible(portal, who, name).await?;
    who.require(Privilege::RepositoryManagement)?;
    Ok(found.repository)
}

/// The same, for those who hold *Repository Management* and *View Repositories*.
pub async fn configurable(portal: &Portal, who: &SignedIn, name: &str) -> Result<Repository, Failure> {
    let repository = managed(portal, who, name).await?;
    who.require(Privilege::ViewRepositories)?;
    Ok(repository)
}

/// What all confirmations about one repository have in common.
fn confirmation(repository: &Repository) -> Confirmation {
    let name = repository.name.as_str();
    Confirmation {
        section: Section::Repositories,
        crumbs: vec![
            (urls::REPOSITORIES.to_owned(), "Repositories".to_owned()),
            (urls::repository(name), name.to_owned()),
        ],
        needs_password: true,
        cancel: urls::repository_configure(name),
        ..Confirmation::default()
    }
}

/// A change by this user, who must still hold `needs` when it is made.
pub fn change(who: &SignedIn, needs: Privileges) -> Change {
    Change { acting: who.acting(needs) }
}
