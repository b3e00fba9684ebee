//! `/profile/api-tokens/{id}/disablement`: a token that fails until it is enabled again.

use actix_web::{HttpResponse, web};

use super::{caller_rows, change, confirmation, own_token, require};
use crate::randomness;
use crate::storage::Connection;
use crate::web::confirmation::{Confirmation, Detail};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::{Body, EmptyForm, SecretField};
use crate::web::{notice, urls};

/// `GET /profile/api-tokens/{id}/disablement`
pub async fn new(who: Holding<ApiAccess>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    require(token.can_disable(who.now), &token, &who)?;
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days",
        none: "Nothing has used this token in the last 30 days.",
        rows: caller_rows(&who, token.id).await?,
    };
    let page = Confirmation {
        title: format!("Disable token {}", token.name.as_str()),
        heading: format!("Disable “{}”?", token.name.as_str()),
        consequence: "Every request with it fails immediately, until you enable it again. It keeps its name and its \
                      place in your list."
            .into(),
        details: vec![clients],
        action: urls::api_token_disablement(&token.id),
        verb: "Disable token",
        is_destructive: true,
        ..confirmation(&token)
    };
    Ok(page.page(&who, SecretField::default())?)
}

/// `POST /profile/api-tokens/{id}/disablement`
pub async fn create(who: Holding<ApiAccess>, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let id = own_token(&who, &path).await?.id;
    let EmptyForm {} = body.form().await?;
    let change = change(&who);
    let disable = move |connection: &mut Connection| change.disable(connection, &mut randomness::system(), id);
    let disabled = who.portal.db.write(disable).await?;
    let text = format!("Token “{}” was disabled.", disabled.name.as_str());
    Ok(notice::see_other(&who.portal, &urls::api_token(&id), &text))
}
