//! `/profile/api-tokens/{id}/enablement`: a disabled token that works again.

use actix_web::{HttpResponse, web};

use super::{change, confirmation, own_token, require};
use crate::domain::api_token::ApiToken;
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::Confirmation;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::{Body, PasswordForm, SecretField};
use crate::web::{notice, urls};

/// `GET /profile/api-tokens/{id}/enablement`
pub async fn new(who: Holding<ApiAccess>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    require(token.can_enable(who.now), &token, &who)?;
    who.require_recent()?;
    Ok(enablement(&token).page(&who, SecretField::default())?)
}

/// `POST /profile/api-tokens/{id}/enablement`
pub async fn create(who: Holding<ApiAccess>, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    let PasswordForm { mut password } = body.form().await?;
    if !who.reauthenticate(&mut password).await? {
        return Ok(enablement(&token).page(&who, password)?);
    }
    let (change, id) = (change(&who), token.id);
    let enable = move |connection: &mut Connection| change.enable(connection, &mut randomness::system(), id);
    let enabled = who.portal.db.write(enable).await?;
    let text = format!("Token “{}” was enabled.", enabled.name.as_str());
    Ok(notice::see_other(&who.portal, &urls::api_token(&id), &text))
}

fn enablement(token: &ApiToken) -> Confirmation {
    Confirmation {
        title: format!("Enable token {}", token.name.as_str()),
        heading: format!("Enable “{}”?", token.name.as_str()),
        consequence: "The same token works again immediately, for everyone who has it.".into(),
        action: urls::api_token_enablement(&token.id),
        needs_password: true,
        verb: "Enable token",
        ..confirmation(token)
    }
}
