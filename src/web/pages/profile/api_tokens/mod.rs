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
use crate::storage::api_token_changes::{Change, Refusal};
use crate::storage::caller_list::Of;
use crate::storage::{Connection, Result as Stored, api_tokens};
use crate::web::confirmation::Confirmation;
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::CallerRow;
use crate::web::portal::Portal;
use crate::web::urls;

/// The id in an address; what is no id is not found.
fn id_of(path: &web::Path<String>) -> Result<ApiTokenId, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

/// The user's own token with this id. Another user's is not found, whatever else the request has.
async fn own_token(who: &SignedIn, path: &web::Path<String>) -> Result<ApiToken, Failure> {
    let (id, owner) = (id_of(path)?, who.user.id);
    let find = move |connection: &mut Connection| api_tokens::find(connection, owner, id);
    who.portal.db.read(find).await?.ok_or(Failure::NotFound)
}

/// Refuses an action that the status of the token does not allow.
fn require(is_allowed: bool, token: &ApiToken, who: &SignedIn) -> Result<(), Refusal> {
    is_allowed.then_some(()).ok_or_else(|| Refusal::WrongStatus(token.status(who.now).label()))
}

/// What all confirmations about one token have in common.
fn confirmation(token: &ApiToken) -> Confirmation {
    let address = urls::api_token(&token.id);
    Confirmation {
        crumbs: vec![
            (urls::API_TOKENS.to_owned(), "API Token Management".to_owned()),
            (address.clone(), token.name.as_str().to_owned()),
        ],
        cancel: address,
        ..Confirmation::default()
    }
}

/// A change of the user's own tokens.
fn change(who: &SignedIn) -> Change {
    Change { owner: who.user.id, actor: who.actor(), by: Some(By::Session(who.session.id)), now: who.now }
}

/// Who used the token lately, for the pages that ask for a confirmation.
async fn caller_rows(who: &SignedIn, id: ApiTokenId) -> Stored<Vec<CallerRow>> {
    CallerRow::recent(&who.portal, Of::ApiToken(id), who.now).await
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
