//! The one time that the new token of a service is shown.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::event::{Action, NewEvent};
use crate::domain::secret::Secret;
use crate::domain::service::Service;
use crate::storage::service_changes::KIND;
use crate::web::error::Failure;
use crate::web::examples::{self, Example};
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::{reveal, urls};

#[derive(Template)]
#[template(path = "pages/admin/services/reveal.html")]
struct RevealPage<'a> {
    shell: Shell,
    name: String,
    secret: &'a str,
    examples: Vec<Example>,
}

/// Takes away the token that waits for this session, if one does: whoever gets it shows it.
pub async fn take(portal: &Portal, who: &SignedIn, service: &Service) -> Result<Option<Secret>, Failure> {
    let event = NewEvent {
        actor: who.actor(),
        action: Action::ServiceTokenRevealed,
        subject_kind: KIND,
        subject_id: service.id.to_string(),
        subject_name: service.name.to_string(),
        detail: String::new(),
    };
    let text = reveal::take(portal, who, service.id, Some(event)).await?;
    Ok(text.and_then(Secret::from_text))
}

/// The page, and a new value of the cookie that keeps it out of the back-forward cache.
pub fn page(
    portal: &Portal,
    request: &HttpRequest,
    who: &SignedIn,
    service: &Service,
    secret: &Secret,
) -> Result<HttpResponse, Failure> {
    let endpoint = portal.settings.public_url.join(urls::INTROSPECTION);
    let page = RevealPage {
        shell: Shell::of(portal, request, who),
        name: service.name.to_string(),
        secret: secret.reveal(),
        examples: examples::of_service(Some(secret.reveal()), service.name.as_str(), &endpoint),
    };
    let mut response = html(StatusCode::OK, &page)?;
    reveal::keep_out_of_cache(portal, &mut response)?;
    Ok(response)
}
