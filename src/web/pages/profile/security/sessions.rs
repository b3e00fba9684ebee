//! `/profile/security/sessions/{id}/end`: signs out one of one's own sessions.

use actix_web::{HttpResponse, web};

use super::acting;
use crate::domain::device::describe;
use crate::domain::id::SessionId;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::session_changes::end;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, EmptyForm};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

/// `POST /profile/security/sessions/{id}/end`
pub async fn destroy(
    portal: web::Data<Portal>,
    who: SignedIn,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let EmptyForm {} = body.form().await?;
    let id: SessionId = path.parse().map_err(|_| Failure::NotFound)?;
    let acting = acting(&who);
    let ended = portal
        .db
        .write(move |connection: &mut Connection| end(connection, &mut randomness::system(), &acting, id))
        .await?
        .ok_or(Failure::NotFound)?;
    let text = format!("{}, from {}, was signed out.", describe(&ended.user_agent), ended.address);
    Ok(notice::see_other(&portal, urls::SECURITY, &text))
}
