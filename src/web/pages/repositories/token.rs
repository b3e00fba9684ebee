//! `/repositories/{name}/token`: Generate New, which nullifies the old token.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{CONFIGURE, change, configurable, confirmation};
use crate::domain::policy::{Grace, Policy};
use crate::domain::repository::Repository;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::caller_list::Of;
use crate::storage::repository_changes::{Made, Refusal, Renewal};
use crate::storage::{Connection, StorageError, policies, repository_tokens};
use crate::web::confirmation::{Confirmation, Consequence, Detail, Input};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Choice, FormValue, SecretField, nonce};
use crate::web::page::CallerRow;
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewTokenForm {
    nonce: FormValue,
    /// The token that the page showed as the current one.
    replaces: FormValue,
    grace: FormValue,
    password: SecretField,
}

/// `GET /repositories/{name}/token/new`
pub async fn new(who: SignedIn, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&who.portal, &who, &path).await?;
    who.require_recent()?;
    let id = repository.id;
    let find = move |connection: &mut Connection| {
        let token = repository_tokens::current(connection, id)?;
        let token = token.ok_or_else(|| StorageError::corrupt("repositories", id))?;
        Ok::<_, StorageError>((policies::current(connection)?, token))
    };
    let (policy, token) = who.portal.db.read(find).await?;
    let form = NewTokenForm {
        nonce: random_code(&mut randomness::system()).as_str().into(),
        replaces: token.id.to_string().as_str().into(),
        grace: policy.graces.first().map_or("", |grace| grace.name()).into(),
        password: SecretField::default(),
    };
    Ok(page(&who, &repository, &policy, form, None).await?)
}

/// `POST /repositories/{name}/token`: 303 to the Configure tab, which shows the new token once.
pub async fn create(who: SignedIn, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&who.portal, &who, &path).await?;
    let mut form: NewTokenForm = body.form().await?;
    let policy = who.portal.db.look_up(policies::current).await?;
    let replaces = form.replaces.parse().map_err(|_| Failure::incomplete_form())?;
    let nonce = nonce(&form.nonce)?;
    let Some(grace) = Grace::from_name(&form.grace).filter(|grace| policy.graces.contains(grace)) else {
        let error = "Choose when the old token stops working.".to_owned();
        return Ok(page(&who, &repository, &policy, form, Some(error)).await?);
    };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, &repository, &policy, form, None).await?);
    }
    let (change, looker, id, portal) = (change(&who, CONFIGURE), Looker::of(&who), repository.id, who.portal.clone());
    let renewal = Renewal { replaces, nonce, grace };
    let rotate = move |connection: &mut Connection| -> Result<(), Refusal> {
        let rng = &mut randomness::system();
        let secret = Secret::generate(SecretKind::RepositoryToken, rng);
        if let Made::Now(id) = change.renew_token(connection, rng, &portal.keys, id, &renewal, &secret)? {
            looker.lay(connection, rng, &portal.keys, id, secret.reveal())?;
        }
        Ok(())
    };
    who.portal.db.write(rotate).await?;
    let name = repository.name.as_str();
    let text = format!("A new token was generated for “{name}”.");
    Ok(notice::see_other(&who.portal, &urls::repository_configure(name), &text))
}

async fn page(
    who: &SignedIn,
    repository: &Repository,
    policy: &Policy,
    form: NewTokenForm,
    error: Option<String>,
) -> Result<HttpResponse, Failure> {
    let clients = Detail::Clients {
        caption: "What used it in the last 30 days, and depends on it",
        none: "Nothing has used this token in the last 30 days.",
        rows: CallerRow::recent(&who.portal, Of::RepositoryToken(repository.id), who.now).await?,
    };
    let choices = Choice::graces(policy, &form.grace);
    let name = repository.name.as_str();
    let page = Confirmation {
        title: format!("Generate New token for {name}"),
        heading: format!("Generate a new token for “{name}”?"),
        consequence: Consequence::Warning {
            first: "The old token is nullified.",
            rest: "Integrations that depend on it may break until they are given the new one. Below you choose when it \
                   stops working.",
        },
        details: vec![clients],
        inputs: vec![
            Input::Hidden { name: "nonce", value: form.nonce.to_string() },
            Input::Hidden { name: "replaces", value: form.replaces.to_string() },
            Input::Radios { name: "grace", legend: "Old token stops working", choices, error },
        ],
        action: urls::repository_token(name),
        verb: "OK",
        is_destructive: true,
        ..confirmation(repository)
    };
    page.page(who, form.password)
}
