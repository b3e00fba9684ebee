//! `/profile/api-tokens/{id}/name`: renaming a token.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{change, own_token};
use crate::domain::api_token::ApiToken;
use crate::domain::id::ApiTokenId;
use crate::domain::name::TokenName;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::api_token_changes::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::form::{Body, Field, FieldError, errors};
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/name.html")]
struct RenamePage {
    shell: Shell,
    id: ApiTokenId,
    current: String,
    name: Field,
    errors: Vec<FieldError>,
}

/// `GET /profile/api-tokens/{id}/name`
pub async fn edit(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    if !token.can_revoke() {
        return Err(Refusal::WrongStatus(token.status(who.now).label()).into());
    }
    let name = Field::of(token.name.as_str());
    Ok(page(&portal, &request, &who, &token, name)?)
}

/// `POST /profile/api-tokens/{id}/name`
pub async fn update(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    let typed = body.form_with(&["name"], &[], &[]).await?;
    let mut field = typed.field("name");
    let Some(name) = field.parse(TokenName::parse) else {
        return Ok(page(&portal, &request, &who, &token, field)?);
    };
    let (change, id, wanted) = (change(&who), token.id, name.clone());
    let renamed = portal
        .db
        .write(move |connection: &mut Connection| change.rename(connection, &mut randomness::system(), id, &wanted))
        .await;
    let (old, new) = (token.name.as_str(), name.as_str());
    match renamed {
        Ok(()) => {
            let text = format!("Token “{old}” was renamed to “{new}”.");
            Ok(notice::see_other(&portal, &urls::api_token(&id), &text))
        }
        Err(Refusal::NameTaken) => {
            field.error = Some(format!("A token named “{new}” already exists. Choose another name."));
            Ok(page(&portal, &request, &who, &token, field)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    token: &ApiToken,
    name: Field,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("name", &name.error)]);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shell = Shell::of(portal, request, who).failed(!errors.is_empty());
    html(status, &RenamePage { shell, id: token.id, current: token.name.as_str().to_owned(), name, errors })
}
