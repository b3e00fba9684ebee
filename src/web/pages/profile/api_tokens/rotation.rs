//! `/profile/api-tokens/{id}/rotation`: a new secret for a token, and how long the old one still works.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{caller_rows, change, confirmation, own_token, require};
use crate::domain::api_token::ApiToken;
use crate::domain::expiry::renewed;
use crate::domain::policy::{Grace, Policy};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::api_token_changes::{Made, Refusal, Rotation};
use crate::storage::{Connection, policies};
use crate::web::confirmation::{Confirmation, Detail, Input};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::form::{Body, Choice, FormValue, SecretField, nonce};
use crate::web::page::Moment;
use crate::web::reveal::Looker;
use crate::web::urls;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RotationForm {
    nonce: FormValue,
    /// The secret that the page showed as the current one.
    replaces: FormValue,
    grace: FormValue,
    password: SecretField,
}

/// `GET /profile/api-tokens/{id}/rotation`
pub async fn new(who: Holding<ApiAccess>, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    require(token.can_rotate(who.now), &token, &who)?;
    who.require_recent()?;
    let policy = who.portal.db.look_up(policies::current).await?;
    let form = RotationForm {
        nonce: random_code(&mut randomness::system()).as_str().into(),
        replaces: token.current_secret.to_string().as_str().into(),
        grace: policy.graces.first().map_or("", |grace| grace.name()).into(),
        password: SecretField::default(),
    };
    Ok(page(&who, &token, &policy, form, None).await?)
}

/// `POST /profile/api-tokens/{id}/rotation`: 303 to the page that shows the new token once.
pub async fn create(who: Holding<ApiAccess>, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    let mut form: RotationForm = body.form().await?;
    let policy = who.portal.db.look_up(policies::current).await?;
    let replaces = form.replaces.parse().map_err(|_| Failure::incomplete_form())?;
    let nonce = nonce(&form.nonce)?;
    let Some(grace) = Grace::from_name(&form.grace).filter(|grace| policy.graces.contains(grace)) else {
        let error = "Choose when the old token stops working.".to_owned();
        return Ok(page(&who, &token, &policy, form, Some(error)).await?);
    };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &token, &policy, form, None).await?);
    }
    let rotation = Rotation {
        replaces,
        nonce,
        old_ends_at: who.now.plus(grace.seconds()),
        expires_at: renewed(token.lifetime, who.now, &policy),
    };
    let (change, looker, id, portal) = (change(&who), Looker::of(&who), token.id, who.portal.clone());
    let rotate = move |connection: &mut Connection| -> Result<(), Refusal> {
        let rng = &mut randomness::system();
        let secret = Secret::generate(SecretKind::ApiToken, rng);
        if let Made::Now(id) = change.rotate(connection, rng, id, &rotation, &secret)? {
            looker.lay(connection, rng, &portal.keys, id, secret.reveal())?;
        }
        Ok(())
    };
    who.portal.db.write(rotate).await?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::api_token(&id))).finish())
}

async fn page(
    who: &SignedIn,
    token: &ApiToken,
    policy: &Policy,
    form: RotationForm,
    error: Option<String>,
) -> Result<HttpResponse, Failure> {
    let expires = renewed(token.lifetime, who.now, policy).map(|end| Moment::new(end, who.now));
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days",
        none: "Nothing has used this token yet.",
        rows: caller_rows(who, token.id).await?,
    };
    let choices = Choice::graces(policy, &form.grace);
    let page = Confirmation {
        title: format!("Rotate token {}", token.name.as_str()),
        heading: format!("Rotate “{}”?", token.name.as_str()),
        consequence: "You get a new token with the same name and permissions, shown once on the next page. Anything \
                      still using the old token fails when it stops."
            .into(),
        details: vec![Detail::NewExpiry(expires), clients],
        inputs: vec![
            Input::Hidden { name: "nonce", value: form.nonce.to_string() },
            Input::Hidden { name: "replaces", value: form.replaces.to_string() },
            Input::Radios { name: "grace", legend: "Old token stops working", choices, error },
        ],
        action: urls::api_token_rotation(&token.id),
        needs_password: true,
        verb: "Rotate token",
        ..confirmation(token)
    };
    page.page(who, form.password)
}
