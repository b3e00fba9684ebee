//! `/profile/api-tokens/{id}/revocation`: the end of a token.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{caller_rows, change, own_token};
use crate::domain::id::ApiTokenId;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::api_token_changes::Refusal;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::Body;
use crate::web::page::{CallerRow, LastUse, Shell, html};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/revocation.html")]
struct RevocationPage {
    shell: Shell,
    id: ApiTokenId,
    name: String,
    last_used: Option<LastUse>,
    callers: Vec<CallerRow>,
}

/// `GET /profile/api-tokens/{id}/revocation`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    if !token.can_revoke() {
        return Err(Refusal::WrongStatus(token.status(who.now).label()).into());
    }
    let page = RevocationPage {
        shell: Shell::of(&portal, &request, &who),
        id: token.id,
        name: token.name.as_str().to_owned(),
        last_used: token.last_use.as_ref().map(|used| LastUse::new(used, who.now)),
        callers: caller_rows(&portal, &who, token.id).await?,
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// `POST /profile/api-tokens/{id}/revocation`
pub async fn create(
    portal: web::Data<Portal>,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    body.form(&[], &[]).await?;
    let (change, id) = (change(&who), token.id);
    let revoked = portal
        .db
        .write(move |connection: &mut Connection| change.revoke(connection, &mut randomness::system(), id))
        .await?;
    let text = format!("Token “{}” was revoked.", revoked.name.as_str());
    Ok(notice::see_other(&portal, urls::API_TOKENS, &text))
}
