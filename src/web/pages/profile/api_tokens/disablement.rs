//! `/profile/api-tokens/{id}/disablement`: a token that fails until it is enabled again.

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
use crate::web::page::{CallerRow, Shell, html};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/disablement.html")]
struct DisablementPage {
    shell: Shell,
    id: ApiTokenId,
    name: String,
    callers: Vec<CallerRow>,
}

/// `GET /profile/api-tokens/{id}/disablement`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    if !token.can_disable(who.now) {
        return Err(Refusal::WrongStatus(token.status(who.now).label()).into());
    }
    let page = DisablementPage {
        shell: Shell::of(&portal, &request, &who),
        id: token.id,
        name: token.name.as_str().to_owned(),
        callers: caller_rows(&portal, &who, token.id).await?,
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// `POST /profile/api-tokens/{id}/disablement`
pub async fn create(
    portal: web::Data<Portal>,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    body.form(&[], &[]).await?;
    let (change, id) = (change(&who), token.id);
    let disabled = portal
        .db
        .write(move |connection: &mut Connection| change.disable(connection, &mut randomness::system(), id))
        .await?;
    let text = format!("Token “{}” was disabled.", disabled.name.as_str());
    Ok(notice::see_other(&portal, &urls::api_token(&id), &text))
}
