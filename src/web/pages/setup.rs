//! `/setup`: makes the first administrator. There only while there is no user, and only for whoever read the program's output.

use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::hasher::NewPasswordError;
use crate::domain::Invalid;
use crate::domain::caller::user_agent;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::SessionId;
use crate::domain::role::ADMINISTRATOR;
use crate::domain::secret::Digest;
use crate::domain::user::{DisplayName, Email, NewUser, Username};
use crate::randomness;
use crate::storage::{Connection, events, policies, roles, sessions, users};
use crate::web::client::{self, Client};
use crate::web::error::{Failure, PageFailure};
use crate::web::form::{Body, Field, FieldError, FormValue, SecretField, Typed, errors};
use crate::web::page::{Shell, html};
use crate::web::pages::sign_in::origin;
use crate::web::portal::Portal;
use crate::web::{session as web_session, urls};

/// Characters of each field that the new password must not be made of.
const MAX_CONTEXT_LEN: usize = 254;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SetupForm {
    /// Of the printed address.
    code: FormValue,
    username: Field,
    display_name: Field,
    email: Field,
    password: SecretField,
}

#[derive(Template)]
#[template(path = "pages/setup/new.html")]
struct SetupPage {
    shell: Shell,
    form: SetupForm,
    errors: Vec<FieldError>,
}

/// `GET /setup?code=…`
pub async fn new(portal: web::Data<Portal>, request: HttpRequest) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    admit(&portal, query.text("code")).await?;
    let form = SetupForm { code: query.text("code").into(), ..SetupForm::default() };
    let shell = Shell::anonymous(&portal, &request);
    Ok(html(StatusCode::OK, &SetupPage { shell, form, errors: Vec::new() })?)
}

/// `POST /setup`: ends signed in.
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    client: Client,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    client.require_private()?;
    if portal.setup_code.is_none() {
        return Err(Failure::NotFound.into());
    }
    let mut form: SetupForm = body.form().await?;
    admit(&portal, &form.code).await?;
    // All errors of the form in one answer, the password's included.
    let context = [&form.username, &form.display_name, &form.email]
        .map(|field| field.value.chars().take(MAX_CONTEXT_LEN).collect());
    let user = form.parse();
    let requester = origin(&portal, &request, &client).requester(String::new());
    let password = Zeroizing::new(form.password.text().to_owned());
    let hash = match portal.hasher.hash_new(password, context.into(), requester, &mut randomness::system()).await {
        Ok(hash) => Some(hash),
        Err(NewPasswordError::Invalid(Invalid(sentence))) => {
            form.password.error = Some(sentence);
            None
        }
        Err(NewPasswordError::Busy(busy)) => return Err(busy.into()),
    };
    let (Some(user), Some(hash)) = (user, hash) else {
        let shell = Shell::anonymous(&portal, &request).failed(true);
        let errors = form.errors();
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &SetupPage { shell, form, errors })?);
    };
    let now = portal.now();
    let agent = user_agent(client::agent(&request));
    let made: SessionId = portal
        .db
        .write(move |connection: &mut Connection| -> Result<SessionId, Failure> {
            let rng = &mut randomness::system();
            // Two may press the button at once; the second finds the first's user.
            policies::lock(connection)?;
            if users::any(connection)? {
                return Err(Failure::NotFound);
            }
            let role = roles::find_by_name(connection, ADMINISTRATOR)?
                .ok_or_else(|| Failure::Internal("the role administrator is missing".into()))?;
            let id = users::insert(connection, &user, Some(&hash), role.id, now, rng)?
                .ok_or_else(|| Failure::Internal("a username is taken where there is no user".into()))?;
            let address = client.address.to_string();
            let event = NewEvent {
                actor: Actor::Anonymous { address: address.clone() },
                action: Action::UserCreated,
                subject_kind: "user",
                subject_id: id.to_string(),
                subject_name: user.username.as_str().to_owned(),
                detail: "first administrator, at set-up".into(),
            };
            events::append(connection, &event, now, rng)?;
            Ok(sessions::insert(connection, id, &address, &agent, now, rng)?)
        })
        .await?;
    web_session::renew(&session, made)?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::after_sign_in(urls::ROOT))).finish())
}

async fn admit(portal: &Portal, code: &str) -> Result<(), Failure> {
    let expected = portal.setup_code.ok_or(Failure::NotFound)?;
    if portal.db.look_up(users::any).await? {
        return Err(Failure::NotFound);
    }
    if Digest::of(code) == expected {
        return Ok(());
    }
    Err(Failure::Forbidden(
        "The code in this address is not the one that the program printed when it started. Open the printed address."
            .into(),
    ))
}

impl SetupForm {
    fn parse(&mut self) -> Option<NewUser> {
        let username = self.username.parse(Username::parse);
        let display_name = self.display_name.parse(DisplayName::parse);
        let email = self.email.parse(Email::parse);
        Some(NewUser { username: username?, display_name: display_name?, email: Some(email?) })
    }

    fn errors(&self) -> Vec<FieldError> {
        errors([
            ("username", &self.username.error),
            ("display_name", &self.display_name.error),
            ("email", &self.email.error),
            ("password", &self.password.error),
        ])
    }
}
