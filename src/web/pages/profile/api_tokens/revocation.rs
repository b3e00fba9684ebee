//! `/profile/api-tokens/{id}/revocation`: a token that stops working for good.

use actix_web::{HttpResponse, web};

use super::{caller_rows, change, confirmation, own_token, require};
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::{Confirmation, Detail};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::{Body, EmptyForm, SecretField};
use crate::web::page::LastUse;
use crate::web::{notice, urls};

/// `GET /profile/api-tokens/{id}/revocation`
pub async fn new(who: Holding<ApiAccess>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    require(token.can_revoke(), &token, &who)?;
    let rows = caller_rows(&who, token.id).await?;
    let mut details = vec![Detail::LastUse(token.last_use.as_ref().map(|used| LastUse::new(used, who.now)))];
    if !rows.is_empty() {
        details.push(Detail::Clients { caption: "What used it in the last 30 days", none: "", rows });
    }
    let page = Confirmation {
        title: format!("Revoke token {}", token.name.as_str()),
        heading: format!("Revoke “{}”?", token.name.as_str()),
        consequence: "Every request with it fails immediately. This cannot be undone. You can use its name again."
            .into(),
        details,
        action: urls::api_token_revocation(&token.id),
        verb: "Revoke token",
        is_destructive: true,
        ..confirmation(&token)
    };
    Ok(page.page(&who, SecretField::default())?)
}

/// `POST /profile/api-tokens/{id}/revocation`
pub async fn create(who: Holding<ApiAccess>, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let id = own_token(&who, &path).await?.id;
    let EmptyForm {} = body.form().await?;
    let change = change(&who);
    let revoke = move |connection: &mut Connection| change.revoke(connection, &mut randomness::system(), id);
    let revoked = who.portal.db.write(revoke).await?;
    let text = format!("Token “{}” was revoked.", revoked.name.as_str());
    Ok(notice::see_other(&who.portal, urls::API_TOKENS, &text))
}
