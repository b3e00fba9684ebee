//! `/repositories/{name}/token`: Generate New, which nullifies the old token.

use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{CONFIGURE, change, configurable};
use crate::domain::id::RepositoryTokenId;
use crate::domain::policy::{Grace, Policy};
use crate::domain::repository::Repository;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::caller_list::Of;
use crate::storage::repository_changes::{Made, Refusal, Renewal};
use crate::storage::{Connection, StorageError, policies, repository_tokens};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Choice, FieldError, SecretField, errors, nonce};
use crate::web::page::{CallerRow, Shell, html};
use crate::web::pages::reauthentication::confirm;
use crate::web::portal::Portal;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/repositories/token/new.html")]
struct NewTokenPage {
    shell: Shell,
    name: String,
    nonce: String,
    replaces: String,
    graces: Vec<Choice>,
    grace_error: Option<String>,
    callers: Vec<CallerRow>,
    ask_password: bool,
    password: SecretField,
    errors: Vec<FieldError>,
}

/// What the page shows beside the repository.
struct Typing {
    nonce: String,
    replaces: RepositoryTokenId,
    grace: String,
    grace_error: Option<String>,
    password: SecretField,
}

/// `GET /repositories/{name}/token/new`: the confirmation.
pub async fn new(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    who.require_recent(&request)?;
    let id = repository.id;
    let (policy, token) = portal
        .db
        .read(move |connection: &mut Connection| {
            let token = repository_tokens::current(connection, id)?;
            let token = token.ok_or_else(|| StorageError::corrupt("repositories", id))?;
            Ok::<_, StorageError>((policies::current(connection)?, token))
        })
        .await?;
    let typing = Typing {
        nonce: random_code(&mut randomness::system()),
        replaces: token.id,
        grace: policy.graces.first().map_or("", |grace| grace.name()).to_owned(),
        grace_error: None,
        password: SecretField::default(),
    };
    Ok(page(&portal, &request, &who, &repository, &policy, typing).await?)
}

/// `POST /repositories/{name}/token`: 303 to the Configure tab, which shows the new token once.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    let typed = body.form(&["nonce", "replaces", "grace", "password"], &[]).await?;
    let policy = portal.db.look_up(policies::current).await?;
    let replaces = typed
        .text("replaces")
        .parse()
        .map_err(|_| Failure::BadRequest("The form is incomplete. Load the page again.".into()))?;
    let mut typing = Typing {
        nonce: nonce(&typed)?,
        replaces,
        grace: typed.text("grace").to_owned(),
        grace_error: None,
        password: SecretField::default(),
    };
    let grace = Grace::from_name(&typing.grace).filter(|grace| policy.graces.contains(grace));
    let Some(grace) = grace else {
        typing.grace_error = Some("Choose when the old token stops working.".into());
        return Ok(page(&portal, &request, &who, &repository, &policy, typing).await?);
    };
    if !confirm(&portal, &request, &who, &session, &typed, &mut typing.password).await? {
        return Ok(page(&portal, &request, &who, &repository, &policy, typing).await?);
    }
    let (change, looker, id, shared) = (change(&who, CONFIGURE), Looker::of(&who), repository.id, portal.clone());
    let renewal = Renewal { replaces, nonce: typing.nonce, grace };
    portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let made = change.renew_token(connection, rng, &shared.keys, id, &renewal, &secret)?;
            if let Made::Now(id) = made {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await?;
    let name = repository.name.as_str();
    let text = format!("A new token was generated for “{name}”.");
    Ok(notice::see_other(&portal, &urls::repository_configure(name), &text))
}

async fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    repository: &Repository,
    policy: &Policy,
    typing: Typing,
) -> Result<HttpResponse, Failure> {
    let errors = errors([("grace", &typing.grace_error), ("password", &typing.password.error)]);
    let failed = !errors.is_empty();
    let page = NewTokenPage {
        shell: Shell::of(portal, request, who).failed(failed),
        name: repository.name.to_string(),
        nonce: typing.nonce,
        replaces: typing.replaces.to_string(),
        graces: Choice::graces(policy, &typing.grace),
        grace_error: typing.grace_error,
        callers: CallerRow::recent(portal, Of::RepositoryToken(repository.id), who.now).await?,
        ask_password: !who.authenticated_recently(),
        password: typing.password,
        errors,
    };
    html(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}
