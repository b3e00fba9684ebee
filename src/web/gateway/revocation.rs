//! `/oauth/revoke`: whoever holds a token ends it (RFC 7009). For tokens that leaked: nobody signs in, and nothing is told of
//! what was ended, or of whether there was anything to end.

use actix_web::{HttpRequest, HttpResponse, web};

use super::oauth::required_token;
use crate::auth::credentials::bare;
use crate::domain::event::Actor;
use crate::randomness;
use crate::storage::held::Held;
use crate::storage::{Connection, Result as Stored};
use crate::web::client::Client;
use crate::web::error::OAuthFailure;
use crate::web::form::Body;
use crate::web::portal::Portal;

/// `POST /oauth/revoke`: 200 without a word, for a token that is unknown or ended as well (RFC 7009, section 2.2).
pub async fn create(request: HttpRequest, portal: web::Data<Portal>, body: Body) -> Result<HttpResponse, OAuthFailure> {
    let client = Client::of(&request, &portal.settings);
    client.require_private()?;
    let typed = body.parameters().await?;
    // The hint is passed over: the prefix of a token says what kind it is.
    let Ok(presented) = bare(required_token(&typed)?) else { return Ok(HttpResponse::Ok().finish()) };
    let actor = Actor::Anonymous { address: client.address.to_string() };
    let held = Held { kind: presented.kind, digest: presented.digest, actor, now: portal.now() };
    let asked = held.clone();
    if portal.db.look_up(move |connection| asked.is_in_force(connection)).await? {
        let shared = portal.clone();
        portal
            .db
            .write(move |connection: &mut Connection| -> Stored<bool> {
                held.revoke(connection, &mut randomness::system(), &shared.keys)
            })
            .await?;
    }
    Ok(HttpResponse::Ok().finish())
}
