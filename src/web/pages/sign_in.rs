//! `/login` and `/logout`.

use actix_session::Session;
use actix_web::cookie::time::Duration;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::auth::sign_in::{Origin, Prover, Refusal};
use crate::domain::caller::user_agent;
use crate::domain::event::{Action, NewEvent};
use crate::domain::id::UserId;
use crate::randomness;
use crate::storage::{Connection, Result as Stored, events, sessions, users};
use crate::web::client::{self, Client};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, EmptyForm, Field, FieldError, FormValue, SecretField, Typed};
use crate::web::next::page_or_start;
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::{cookies, session as web_session, urls};

/// Days for which a browser counts as known; browsers keep no cookie longer than 400.
const DEVICE_DAYS: i64 = 400;

#[derive(Template)]
#[template(path = "pages/sign_in/new.html")]
struct SignInPage {
    shell: Shell,
    username: Field,
    password: SecretField,
    next: String,
    problem: Option<String>,
    errors: Vec<FieldError>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SignInForm {
    username: FormValue,
    password: SecretField,
    next: FormValue,
}

/// `GET /login`
pub async fn new(portal: web::Data<Portal>, request: HttpRequest) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let next = page_or_start(query.text("next"));
    let after_sign_in = query.text("signed_in") == "1";
    if after_sign_in && cookies::raw(request.headers(), &portal.cookies.session).is_some() {
        return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, next)).finish());
    }
    let problem = after_sign_in.then(|| {
        let address = portal.settings.public_url.as_str();
        format!(
            "Your browser did not keep the session cookie. Allow cookies for {address} in its settings, then sign in again."
        )
    });
    let page = SignInPage {
        shell: Shell::anonymous(&portal, &request).failed(after_sign_in),
        username: Field::default(),
        password: SecretField::default(),
        next,
        problem,
        errors: Vec::new(),
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// `POST /login`
pub async fn create(
    portal: web::Data<Portal>,
    request: HttpRequest,
    client: Client,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    client.require_private()?;
    let form: SignInForm = body.form().await?;
    let next = page_or_start(&form.next);
    let origin = origin(&portal, &request, &client);
    match prover(&portal).sign_in(&form.username, form.password.password(), &origin).await {
        Ok(made) => {
            end_former(&portal, &session).await?;
            web_session::renew(&session, made.session)?;
            let mut response = HttpResponse::SeeOther();
            response.insert_header((header::LOCATION, urls::after_sign_in(&next)));
            if let Some(cookie) = device_cookie(&portal, made.user, &made.device_binding) {
                response.append_header((header::SET_COOKIE, cookie));
            }
            Ok(response.finish())
        }
        Err(Refusal::Wrong) => {
            let page = SignInPage {
                shell: Shell::anonymous(&portal, &request).failed(true),
                username: Field::of(form.username.to_string()),
                password: SecretField::default(),
                next,
                problem: Some(
                    "Username or password is wrong, or the account is disabled. Check both, or ask an administrator."
                        .into(),
                ),
                errors: Vec::new(),
            };
            Ok(html(StatusCode::UNAUTHORIZED, &page)?)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// `POST /logout`
pub async fn destroy(
    portal: web::Data<Portal>,
    who: SignedIn,
    session: Session,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let EmptyForm {} = body.form().await?;
    let (id, user, now) = (who.session.id, who.user.id, who.now);
    let with_event = portal.db.require_room().is_ok()
        && portal.budgets.allows_session_event(Action::SignedOut, user, who.client.address, now);
    let event = NewEvent {
        actor: who.actor(),
        action: Action::SignedOut,
        subject_kind: "user",
        subject_id: who.user.id.to_string(),
        subject_name: who.user.username.to_string(),
        detail: String::new(),
    };
    portal
        .db
        .write_beside_checks(move |connection: &mut Connection| -> Stored<()> {
            // In the order in which changes of tokens lock, which also touch sessions.
            users::lock(connection, user)?;
            if sessions::end(connection, id)? && with_event {
                events::append(connection, &event, now, &mut randomness::system())?;
            }
            Ok(())
        })
        .await?;
    session.purge();
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::LOGIN)).finish())
}

/// What checks passwords at this moment.
pub fn prover(portal: &Portal) -> Prover<'_> {
    Prover {
        db: &portal.db,
        hasher: &portal.hasher,
        throttle: &portal.throttle,
        budgets: &portal.budgets,
        now: portal.now(),
    }
}

/// Where a password entry comes from.
pub fn origin(portal: &Portal, request: &HttpRequest, client: &Client) -> Origin {
    let known = cookies::signed(request.headers(), &portal.cookies.device, &portal.cookie_key);
    Origin {
        address: client.address,
        is_proxy: client.is_proxy,
        user_agent: user_agent(client::agent(request)),
        known_device: known.and_then(|value| {
            let (user, binding) = value.split_once(':')?;
            Some((user.parse().ok()?, binding.to_owned()))
        }),
    }
}

/// A browser that signs in anew leaves its former session, which nobody could use again.
async fn end_former(portal: &Portal, session: &Session) -> Result<(), Failure> {
    let Some(digest) = web_session::key_digest(session) else { return Ok(()) };
    let end = move |connection: &mut Connection| -> Stored<()> {
        if let Some((former, _)) = sessions::find_by_key(connection, &digest)? {
            sessions::end(connection, former.id)?;
        }
        Ok(())
    };
    Ok(portal.db.write_beside_checks(end).await?)
}

/// The header value that makes this browser a known device until the user's password changes.
pub fn device_cookie(portal: &Portal, user: UserId, binding: &str) -> Option<String> {
    let mut cookie = portal.cookies.make(&portal.cookies.device, format!("{user}:{binding}"));
    cookie.set_max_age(Duration::days(DEVICE_DAYS));
    cookies::sign(cookie, &portal.cookie_key)
}
