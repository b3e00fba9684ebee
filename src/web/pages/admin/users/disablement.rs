//! `/admin/users/{user}/disablement`: a user who can do nothing until enabled again.

use actix_web::{HttpResponse, web};

use super::{change, changeable, confirmation, counted};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::User;
use crate::randomness;
use crate::storage::user_changes::Refusal;
use crate::storage::{Connection, api_tokens};
use crate::web::confirmation::{Confirmation, Detail, TokenRow};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, UserManagement};
use crate::web::form::{Body, PasswordForm, SecretField};
use crate::web::page::{Badge, LastUse};
use crate::web::{notice, urls};

/// Most tokens that are listed; a user has fewer.
const MAX_TOKENS: i64 = 100;

/// `GET /admin/users/{user}/disablement`
pub async fn new(who: Holding<UserManagement>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    if user.id == who.user.id {
        return Err(Refusal::DISABLING_ONESELF.into());
    }
    if user.disabled_at.is_some() {
        return Err(Failure::Conflict(format!("User “{}” is disabled already.", user.username)).into());
    }
    who.require_recent()?;
    Ok(page(&who, &user, SecretField::default()).await?)
}

/// `POST /admin/users/{user}/disablement`
pub async fn create(
    who: Holding<UserManagement>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let user = changeable(&who, &path).await?;
    let PasswordForm { mut password } = body.form().await?;
    if !who.reauthenticate(&mut password).await? {
        return Ok(page(&who, &user, password).await?);
    }
    let (change, id) = (change(&who), user.id);
    let disable = move |connection: &mut Connection| change.disable(connection, &mut randomness::system(), id);
    let disabled = who.portal.db.write(disable).await?;
    let text = format!("User “{}” was disabled.", disabled.username);
    Ok(notice::see_other(&who.portal, &urls::user(&id), &text))
}

async fn page(who: &SignedIn, user: &User, password: SecretField) -> Result<HttpResponse, Failure> {
    let (id, now) = (user.id, who.now);
    let no_revoked = Timestamp::from_unix(i64::MAX);
    let list = move |connection: &mut Connection| api_tokens::list(connection, id, no_revoked, MAX_TOKENS);
    let tokens: Vec<TokenRow> = who
        .portal
        .db
        .read(list)
        .await?
        .into_iter()
        .map(|token| TokenRow {
            last_used: token.last_use.as_ref().map(|used| LastUse::new(used, now)),
            badge: Badge::of(token.status(now)),
            name: token.name.as_str().to_owned(),
            hint: token.hint,
        })
        .collect();
    let effect = match tokens.len() {
        0 => "This user has no API tokens.".to_owned(),
        1 => "1 API token of this user is refused while the account is disabled.".to_owned(),
        count => format!("{} of this user are refused while the account is disabled.", counted(count, "API token")),
    };
    let page = Confirmation {
        title: format!("Disable user {}", user.username),
        heading: format!("Disable “{}”?", user.username),
        consequence: format!(
            "{} is signed out everywhere immediately and cannot sign in until you enable the account again. {effect}",
            user.display_name
        )
        .into(),
        details: if tokens.is_empty() { Vec::new() } else { vec![Detail::Tokens(tokens)] },
        action: urls::user_disablement(&id),
        verb: "Disable user",
        is_destructive: true,
        ..confirmation(user)
    };
    page.page(who, password)
}
