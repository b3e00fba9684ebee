//! `/profile/api-tokens/{id}/rotation`: a new secret for a token, and how long the old one still works.

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{caller_rows, change, own_token};
use crate::domain::api_token::ApiToken;
use crate::domain::expiry::renewed;
use crate::domain::id::{ApiTokenId, TokenSecretId};
use crate::domain::policy::{Grace, Policy};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::api_token_changes::{Made, Refusal, Rotation};
use crate::storage::{Connection, policies};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::form::{Body, Choice, FieldError, SecretField, errors, nonce};
use crate::web::page::{CallerRow, Moment, Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::urls;

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/rotation.html")]
struct RotationPage {
    shell: Shell,
    id: ApiTokenId,
    name: String,
    nonce: String,
    replaces: String,
    graces: Vec<Choice>,
    grace_error: Option<String>,
    expires: Option<Moment>,
    callers: Vec<CallerRow>,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// What the page shows beside the token.
struct Typing {
    nonce: String,
    replaces: String,
    grace: String,
    grace_error: Option<String>,
    password: SecretField,
}

/// `GET /profile/api-tokens/{id}/rotation`
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    if !token.can_rotate(who.now) {
        return Err(Refusal::WrongStatus(token.status(who.now).label()).into());
    }
    who.require_recent(&request)?;
    let policy = portal.db.look_up(policies::current).await?;
    let typing = Typing {
        nonce: random_code(&mut randomness::system()),
        replaces: token.current_secret.to_string(),
        grace: policy.graces.first().map_or("", |grace| grace.name()).to_owned(),
        grace_error: None,
        password: SecretField::default(),
    };
    Ok(page(&portal, &request, &who, &token, &policy, typing).await?)
}

/// `POST /profile/api-tokens/{id}/rotation`: 303 to the page that shows the new token once.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&portal, &who, &path).await?;
    let typed = body.form(&["nonce", "replaces", "grace", "password"], &[]).await?;
    let policy = portal.db.look_up(policies::current).await?;
    let replaces: TokenSecretId = typed
        .text("replaces")
        .parse()
        .map_err(|_| Failure::BadRequest("The form is incomplete. Load the page again.".into()))?;
    let mut typing = Typing {
        nonce: nonce(&typed)?,
        replaces: replaces.to_string(),
        grace: typed.text("grace").to_owned(),
        grace_error: None,
        password: SecretField::default(),
    };
    let grace = Grace::from_name(&typing.grace).filter(|grace| policy.graces.contains(grace));
    let Some(grace) = grace else {
        typing.grace_error = Some("Choose when the old token stops working.".into());
        return Ok(page(&portal, &request, &who, &token, &policy, typing).await?);
    };
    if !confirm(&portal, &request, &who, &session, &typed, &mut typing.password).await? {
        return Ok(page(&portal, &request, &who, &token, &policy, typing).await?);
    }
    let (change, looker, id, shared) = (change(&who), Looker::of(&who), token.id, portal.clone());
    let rotation = Rotation {
        replaces,
        nonce: typing.nonce,
        old_ends_at: who.now.plus(grace.seconds()),
        expires_at: renewed(token.lifetime, who.now, &policy),
    };
    portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            let made = change.rotate(connection, rng, id, &rotation, &secret)?;
            if let Made::Now(id) = made {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::api_token(&id))).finish())
}

async fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    token: &ApiToken,
    policy: &Policy,
    typing: Typing,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("grace", &typing.grace_error), ("password", &typing.password.error)]);
    let failed = !errors.is_empty();
    let page = RotationPage {
        shell: Shell::of(portal, request, who).failed(failed),
        id: token.id,
        name: token.name.as_str().to_owned(),
        nonce: typing.nonce,
        replaces: typing.replaces,
        graces: Choice::graces(policy, &typing.grace),
        grace_error: typing.grace_error,
        expires: renewed(token.lifetime, who.now, policy).map(|end| Moment::new(end, who.now)),
        callers: caller_rows(portal, who, token.id).await?,
        ask_password: !who.authenticated_recently(),
        password: typing.password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
