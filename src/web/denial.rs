//! Denied authorization as an event and a line of the log: a known user or token lacks the privilege or permission for
//! its request. Requests of other sites, over plain HTTP or without credentials are refused without an event.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::error::Failure;
use super::portal::Portal;
use crate::auth::authenticate::Caller;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::secret::unless_secret;

/// The kind of subject in events: the path of a request.
const KIND: &str = "address";
/// Longest path in an event, in characters.
const MAX_PATH_LEN: usize = 200;

/// Who sent a request, as authentication found.
#[derive(Debug)]
pub enum Requester {
    User(Actor),
    Token(Caller, IpAddr),
}

/// Records the failure of a request if it is a denial: as an event, and as a line of the log. Returns whether it did.
pub fn record(request: &HttpRequest, failure: &Failure) -> bool {
    if failure.status() != StatusCode::FORBIDDEN {
        return false;
    }
    let extensions = request.extensions();
    let (Some(requester), Some(portal)) = (extensions.get::<Requester>(), request.app_data::<web::Data<Portal>>())
    else {
        return false;
    };
    let actor = match requester {
        Requester::User(actor) => actor.clone(),
        Requester::Token(caller, address) => caller.actor(address.to_string()),
    };
    let path: String =
        unless_secret(request.path(), "(a path with a token in it)").chars().take(MAX_PATH_LEN).collect();
    let method = unless_secret(request.method().as_str(), "(a method with a token in it)");
    let detail = match failure.sentence() {
        sentence if sentence.is_empty() => method.to_owned(),
        sentence => format!("{method}: {sentence}"),
    };
    let event = NewEvent {
        actor,
        action: Action::AuthorizationDenied,
        subject_kind: KIND,
        subject_id: path.clone(),
        subject_name: path,
        detail,
    };
    let (name, address) = (event.actor.name().to_owned(), event.actor.address().unwrap_or_default().to_owned());
    let (path, detail) = (event.subject_id.clone(), event.detail.clone());
    let recorded = portal.denials.record(event, portal.now());
    if recorded {
        tracing::info!(actor = name, address, path, detail, "authorization was denied");
    }
    recorded
}
