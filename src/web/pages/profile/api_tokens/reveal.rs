//! The one time that a new token is shown.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::reach;
use crate::domain::api_token::{ApiToken, ReplacedSecret};
use crate::domain::event::{Action, NewEvent};
use crate::domain::secret::Secret;
use crate::web::error::Failure;
use crate::web::examples::{self, Example};
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::{reveal, urls};

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/reveal.html")]
struct RevealPage<'a> {
    shell: Shell,
    heading: &'static str,
    name: String,
    secret: &'a str,
    may: Vec<String>,
    where_: String,
    expires: Option<Moment>,
    examples: Vec<Example>,
    old: Option<String>,
}

/// Takes away the secret that waits for this session, if one does: whoever gets it shows it.
pub async fn take(portal: &Portal, who: &SignedIn, token: &ApiToken) -> Result<Option<Secret>, Failure> {
    let event = NewEvent {
        actor: who.actor(),
        action: Action::ApiTokenRevealed,
        subject_kind: "api_token",
        subject_id: token.id.to_string(),
        subject_name: token.name.as_str().to_owned(),
        detail: String::new(),
    };
    let text = reveal::take(portal, who, token.id, Some(event)).await?;
    Ok(text.and_then(Secret::from_text))
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
    let me = portal.settings.public_url.join(urls::API_ME);
    let page = RevealPage {
        shell: Shell::of(portal, request, who),
        heading: "New API Token",
        name: token.name.as_str().to_owned(),
        secret: secret.reveal(),
        may: if may.is_empty() { vec!["None: it only says who you are".into()] } else { may },
        where_: reach(&token.repositories, repositories),
        expires: token.expires_at.map(|end| Moment::new(end, who.now)),
        examples: examples::of(&portal.settings, Some(secret.reveal()), who.user.username.as_str(), &me),
        old,
    };
    let mut response = html(StatusCode::OK, &page)?;
    reveal::keep_out_of_cache(portal, &mut response)?;
    Ok(response)
}
