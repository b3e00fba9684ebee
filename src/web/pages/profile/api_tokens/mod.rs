//! `/profile/api-tokens`: the tokens of the signed-in user. *API Access* guards all of it.

pub mod creation;
pub mod details;
pub mod disablement;
pub mod enablement;
pub mod form;
mod held;
pub mod list;
pub mod name;
pub mod notice_dismissal;
pub mod reveal;
pub mod revocation;
pub mod rotation;
pub mod wish;

use actix_web::web;

use crate::domain::api_token::{ApiToken, RepositorySelection};
use crate::domain::id::ApiTokenId;
use crate::domain::policy::Policy;
use crate::storage::acting::By;
use crate::storage::api_token_changes::Change;
use crate::storage::caller_list::Of;
use crate::storage::{Connection, Result as Stored, api_tokens};
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::CallerRow;
use crate::web::portal::Portal;

/// The id in an address; what is no id is not found.
fn id_of(path: &web::Path<String>) -> Result<ApiTokenId, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

/// The user's own token with this id. Another's is not found, whatever else the request holds.
async fn own_token(portal: &Portal, who: &SignedIn, path: &web::Path<String>) -> Result<ApiToken, Failure> {
    let (id, owner) = (id_of(path)?, who.user.id);
    let find = move |connection: &mut Connection| api_tokens::find(connection, owner, id);
    portal.db.read(find).await?.ok_or(Failure::NotFound)
}

/// A change of the user's own tokens.
fn change(who: &SignedIn) -> Change {
    Change { owner: who.user.id, actor: who.actor(), by: Some(By::Session(who.session.id)), now: who.now }
}

/// Who used the token lately, for the pages that ask for a confirmation.
async fn caller_rows(portal: &Portal, who: &SignedIn, id: ApiTokenId) -> Stored<Vec<CallerRow>> {
    CallerRow::recent(portal, Of::ApiToken(id), who.now).await
}

/// Most tokens that a user may have.
fn limit(portal: &Portal, policy: &Policy) -> usize {
    policy.max_api_tokens.map_or(portal.settings.max_api_tokens, |most| most as usize)
}

/// "All repositories you can access", or the names of those selected.
fn reach(selection: &RepositorySelection, names: &[String]) -> String {
    match selection {
        RepositorySelection::All => "All repositories you can access".into(),
        RepositorySelection::Selected(_) if names.is_empty() => {
            "Selected ones, none of which you can access at this moment".into()
        }
        RepositorySelection::Selected(_) => names.join(", "),
    }
}
