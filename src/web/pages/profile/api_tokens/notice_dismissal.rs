//! `POST /profile/api-tokens/{id}/notice-dismissal`: the notice that the token was revoked by possession is not shown
//! again.

use actix_web::{HttpResponse, web};

use super::{change, own_token};
use crate::randomness;
use crate::storage::Connection;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::{Body, EmptyForm};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

pub async fn create(
    portal: web::Data<Portal>,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    let EmptyForm {} = body.form().await?;
    let (change, id) = (change(&who), token.id);
    portal
        .db
        .write(move |connection: &mut Connection| change.dismiss_notice(connection, &mut randomness::system(), id))
        .await?;
    Ok(notice::see_other(&portal, urls::API_TOKENS, "The notice was dismissed."))
}
