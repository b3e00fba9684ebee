//! `/profile/security/other-sessions/end`: signs out everywhere else.

use actix_web::{HttpResponse, web};

use super::{acting, other_sessions_were};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::session_changes::end_others;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, EmptyForm};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

/// `POST /profile/security/other-sessions/end`
pub async fn destroy(portal: web::Data<Portal>, who: SignedIn, body: Body) -> Result<HttpResponse, PageFailure> {
    let EmptyForm {} = body.form().await?;
    let (acting, lifetimes) = (acting(&who), portal.settings.lifetimes);
    let ended = portal
        .db
        .write(move |connection: &mut Connection| {
            end_others(connection, &mut randomness::system(), &acting, &lifetimes)
        })
        .await?;
    Ok(notice::see_other(&portal, urls::SECURITY, &format!("{} signed out.", other_sessions_were(ended))))
}
