//! `/profile/api-tokens/{id}/name`: renaming a token.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{change, confirmation, own_token, require};
use crate::domain::api_token::ApiToken;
use crate::domain::name::TokenName;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::api_token_changes::Refusal;
use crate::web::confirmation::{Confirmation, Input};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::{Body, Field, SecretField};
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RenameForm {
    name: Field,
}

/// `GET /profile/api-tokens/{id}/name`
pub async fn edit(who: Holding<ApiAccess>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    require(token.can_revoke(), &token, &who)?;
    Ok(renaming(&token, Field::of(token.name.as_str())).page(&who, SecretField::default())?)
}

/// `POST /profile/api-tokens/{id}/name`
pub async fn update(who: Holding<ApiAccess>, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    let RenameForm { name: mut field } = body.form().await?;
    let refused = |field: Field| renaming(&token, field).page(&who, SecretField::default());
    let Some(name) = field.parse(TokenName::parse) else { return Ok(refused(field)?) };
    let (change, id, new) = (change(&who), token.id, name.clone());
    let rename = move |connection: &mut Connection| change.rename(connection, &mut randomness::system(), id, &new);
    let (old, new) = (token.name.as_str(), name.as_str());
    match who.portal.db.write(rename).await {
        Ok(()) => {
            let text = format!("Token “{old}” was renamed to “{new}”.");
            Ok(notice::see_other(&who.portal, &urls::api_token(&id), &text))
        }
        Err(Refusal::NameTaken) => {
            field.error = Some(format!("A token named “{new}” already exists. Choose another name."));
            Ok(refused(field)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn renaming(token: &ApiToken, field: Field) -> Confirmation {
    let hint = "At most 100 characters.".to_owned();
    Confirmation {
        title: format!("Rename token {}", token.name.as_str()),
        heading: format!("Rename “{}”", token.name.as_str()),
        consequence: "Only the name changes. The token keeps working.".into(),
        inputs: vec![Input::Text { name: "name", label: "Name", hint, field, is_selected: true }],
        action: urls::api_token_name(&token.id),
        verb: "Rename",
        ..confirmation(token)
    }
}
