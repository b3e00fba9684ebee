//! The one time that a new token is shown.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::examples::{self, Example};
use super::reach;
use crate::domain::api_token::{ApiToken, ReplacedSecret};
use crate::domain::event::{Action, NewEvent};
use crate::domain::id::ApiTokenId;
use crate::domain::secret::{Secret, random_code};
use crate::randomness;
use crate::storage::{Connection, Result as Stored, events, reveals};
use crate::web::cookies;
use crate::web::error::Failure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{Moment, Shell, html};
use crate::web::portal::Portal;

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/reveal.html")]
struct RevealPage<'a> {
    shell: Shell,
    id: ApiTokenId,
    heading: &'static str,
    name: String,
    secret: &'a str,
    may: Vec<String>,
    where_: String,
    expires: Option<Moment>,
    examples: Vec<Example>,
    old: Option<String>,
}

/// Whether this request may use the one look up: HEAD and the prefetches of browsers may not.
pub fn is_a_look(request: &HttpRequest) -> bool {
    let speculative = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        request.headers().get(*name).is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("prefetch")))
    });
    // Browsers say what they ask for; a page is a document, and not the picture that somebody makes of its address.
    let document = request.headers().get("sec-fetch-dest").is_none_or(|value| value == "document");
    *request.method() == Method::GET && !speculative && document
}

/// Takes away the secret that waits for this session, if one does: whoever gets it shows it.
pub async fn take(portal: &Portal, who: &SignedIn, token: &ApiToken) -> Result<Option<Secret>, Failure> {
    let (id, session, now) = (token.id, who.session.id, who.now);
    let event = NewEvent {
        actor: who.actor(),
        action: Action::ApiTokenRevealed,
        subject_kind: "api_token",
        subject_id: id.to_string(),
        subject_name: token.name.as_str().to_owned(),
        detail: String::new(),
    };
    let sealed = portal
        .db
        .write(move |connection: &mut Connection| -> Stored<_> {
            let sealed = reveals::take(connection, id, session, now)?;
            if sealed.is_some() {
                events::append(connection, &event, now, &mut randomness::system())?;
            }
            Ok(sealed)
        })
        .await?;
    let Some(sealed) = sealed else { return Ok(None) };
    let text = portal.keys.open(&sealed, &reveals::bound_to(who.user.id, session, id));
    text.and_then(Secret::from_text).map(Some).ok_or_else(|| {
        Failure::Internal(format!("the sealed secret of token {id} does not open with the key {}", sealed.key_id))
    })
}

/// The page, and a new value of the cookie that keeps it out of the back-forward cache.
pub fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    token: &ApiToken,
    repositories: &[String],
    replaced: &[ReplacedSecret],
    secret: &Secret,
) -> Result<HttpResponse, Failure> {
    let old = replaced.last().map(|old| {
        format!("The old token {} still works until {}. Then it stops.", old.hint, old.ends_at.for_people())
    });
    let may = token.permissions.lines();
    let page = RevealPage {
        shell: Shell::of(portal, request, who),
        id: token.id,
        heading: "New API Token",
        name: token.name.as_str().to_owned(),
        secret: secret.reveal(),
        may: if may.is_empty() { vec!["None: it only says who you are".into()] } else { may },
        where_: reach(&token.repositories, repositories),
        expires: token.expires_at.map(|end| Moment::new(end, who.now)),
        examples: examples::of(secret.reveal(), who.user.username.as_str(), &portal.settings.public_url),
        old,
    };
    let mut response = html(StatusCode::OK, &page)?;
    let cookie = cookies::make(cookies::NAVIGATION, random_code(&mut randomness::system())).to_string();
    let value = header::HeaderValue::from_str(&cookie).map_err(|error| Failure::Internal(error.to_string()))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(response)
}
