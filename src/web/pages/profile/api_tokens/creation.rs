//! `GET /profile/api-tokens/new` and `POST /profile/api-tokens`: Generate New Token.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

use super::form::{ApiTokenForm, ApiTokenInput, Terms};
use super::wish::{Wish, names};
use super::{change, limit};
use crate::auth::authorize::{repositories_seen_by, sees_all};
use crate::domain::api_token::{ApiToken, RepositorySelection};
use crate::domain::id::ApiTokenId;
use crate::domain::repository::RepositoryName;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::randomness;
use crate::storage::api_token_changes::{Made, Refusal};
use crate::storage::api_tokens::{current_names, find};
use crate::storage::repositories::{Among, more_than};
use crate::storage::{Connection, policies};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::form::{Body, FieldError, Typed, nonce};
use crate::web::page::{Shell, html};
use crate::web::reveal::Looker;
use crate::web::{notice, urls};

/// Most repositories that the form offers one by one.
const MOST_OFFERED: i64 = 100;
/// Most names of repositories that a form may hold.
const MOST_NAMES: usize = 1_000;

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/new.html")]
struct NewApiTokenPage {
    shell: Shell,
    form: ApiTokenForm,
    errors: Vec<FieldError>,
    nonce: String,
    recreates: Option<Recreated>,
    ask_password: bool,
}

/// The token whose settings fill the form.
struct Recreated {
    id: String,
    name: String,
}

/// What the form needs to know of the user's tokens.
struct Situation {
    terms: Terms,
    /// Names of the current tokens, in lower case.
    taken: Vec<String>,
    /// The token to recreate, if one was named.
    original: Option<ApiToken>,
}

impl Situation {
    /// `offered` is whether the repositories to choose from are needed, of which there may be many.
    async fn find(who: &SignedIn, recreates: &str, names: Vec<String>, offered: bool) -> Result<Self, Failure> {
        let recreates: Option<ApiTokenId> = match recreates {
            "" => None,
            id => Some(id.parse().map_err(|_| Failure::NotFound)?),
        };
        if names.len() > MOST_NAMES {
            return Err(Failure::BadRequest(format!("Select at most {MOST_NAMES} repositories, or all of them.")));
        }
        let (owner, privileges, now) = (who.user.id, who.user.privileges, who.now);
        who.portal
            .db
            .read(move |connection: &mut Connection| -> Result<Self, Failure> {
                let original = match recreates {
                    Some(id) => Some(find(connection, owner, id)?.ok_or(Failure::NotFound)?),
                    None => None,
                };
                let among = |connection: &mut Connection, among: Among, limit: i64| {
                    repositories_seen_by(connection, owner, privileges, among, limit)
                };
                let all = sees_all(privileges);
                let names_are_typed = offered && more_than(connection, owner, all, MOST_OFFERED)?;
                let mut repositories = Vec::new();
                if names_are_typed {
                    let possible = |name: &String| RepositoryName::parse(name).is_ok();
                    let names: Vec<String> = names.into_iter().filter(possible).collect();
                    if !names.is_empty() {
                        repositories = among(connection, Among::Names(names), MOST_NAMES as i64)?;
                    }
                    if let Some(RepositorySelection::Selected(ids)) = original.as_ref().map(|token| &token.repositories)
                    {
                        repositories.extend(among(connection, Among::Ids(ids.clone()), MOST_NAMES as i64)?);
                    }
                } else if offered {
                    repositories = among(connection, Among::All, MOST_OFFERED)?;
                }
                let terms = Terms {
                    now,
                    policy: policies::current(connection)?,
                    repositories,
                    names_are_typed,
                    administers: privileges.administers(),
                };
                Ok(Self { terms, taken: current_names(connection, owner)?, original })
            })
            .await
    }

    /// `Token 1`, `Token 2`, …: the first that is free.
    fn suggestion(&self) -> String {
        (1..=self.taken.len() + 1)
            .map(|number| format!("Token {number}"))
            .find(|name| !self.taken.contains(&name.to_lowercase()))
            .unwrap_or_default()
    }

    fn recreated(&self) -> Option<Recreated> {
        let original = self.original.as_ref()?;
        Some(Recreated { id: original.id.to_string(), name: original.name.as_str().to_owned() })
    }
}

/// `GET /profile/api-tokens/new`
pub async fn new(who: Holding<ApiAccess>) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&who.request)?;
    let situation = Situation::find(&who, query.text("recreates"), names(&query.all("repositories")), true).await?;
    if let Some(original) = &situation.original
        && !original.can_recreate(who.now)
    {
        return Err(Refusal::WrongStatus(original.status(who.now).label()).into());
    }
    let most = limit(&who.portal, &situation.terms.policy);
    if situation.original.is_none() && situation.taken.len() >= most {
        let text = format!("You have {most} of {most} tokens. Revoke one, then generate another.");
        return Ok(notice::see_other(&who.portal, urls::API_TOKENS, &text));
    }
    who.require_recent()?;
    let blank = match &situation.original {
        Some(original) => Wish::like(original, &situation.terms),
        None => Wish::blank(situation.suggestion(), &situation.terms),
    };
    let page = NewApiTokenPage {
        shell: who.shell(),
        form: blank.prefilled(&query).form(&situation.terms),
        errors: Vec::new(),
        nonce: random_code(&mut randomness::system()),
        recreates: situation.recreated(),
        ask_password: false,
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// `POST /profile/api-tokens`: 303 to the page that shows the token once.
pub async fn create(who: Holding<ApiAccess>, body: Body) -> Result<HttpResponse, PageFailure> {
    let input: ApiTokenInput = body.form().await?;
    let nonce = nonce(&input.nonce)?;
    let wish = Wish::typed(&input);
    let find = async |offered: bool| Situation::find(&who, &input.recreates, wish.repositories.clone(), offered).await;
    let situation = find(wish.selects()).await?;
    let mut form = wish.form(&situation.terms);
    (form.name, form.password) = (input.name, input.password);
    let original = situation.original.as_ref().map(|token| token.id);
    let parsed = wish.parse(&situation.terms, original, &mut form);
    let confirmed = parsed.is_some() && who.reauthenticate(&mut form.password).await?;
    let refused = async |mut form: ApiTokenForm, more: Vec<FieldError>| {
        if !wish.selects() {
            let whole = find(true).await?;
            wish.offer_repositories(&mut form, &whole.terms);
        }
        let errors = [form.errors(), more].concat();
        let page = NewApiTokenPage {
            shell: who.shell().failed(true),
            ask_password: !who.authenticated_recently(),
            errors,
            form,
            nonce: nonce.clone(),
            recreates: situation.recreated(),
        };
        html(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let Some(wish) = parsed.filter(|_| confirmed) else { return Ok(refused(form, Vec::new()).await?) };
    let most = limit(&who.portal, &situation.terms.policy);
    let name = wish.name.clone();
    let (change, looker, shared, used) = (change(&who), Looker::of(&who), who.portal.clone(), nonce.clone());
    who.portal.db.require_room()?;
    let made = who
        .portal
        .db
        .write(move |connection: &mut Connection| -> Result<Made, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            let made = change.create(connection, rng, &wish, &secret, &used, most)?;
            if let Made::Now(id) = made {
                looker.lay(connection, rng, &shared.keys, id, secret.reveal())?;
            }
            Ok(made)
        })
        .await;
    match made {
        Ok(Made::Now(id) | Made::Before(id)) => {
            Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::api_token(&id))).finish())
        }
        Err(Refusal::NameTaken) => {
            let name = name.as_str();
            form.name.error = Some(format!("A token named “{name}” already exists. Choose another name."));
            Ok(refused(form, Vec::new()).await?)
        }
        Err(Refusal::LimitReached(most)) => {
            let message = format!("You have {most} of {most} tokens. Revoke one, then create this one.");
            Ok(refused(form, vec![FieldError { field: "name", message }]).await?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
