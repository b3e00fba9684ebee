//! `POST /repositories/{name}/notice-dismissal`: the notice that its token was revoked by possession is not shown
//! again.

use actix_web::{HttpResponse, web};

use super::{CONFIGURE, change, configurable};
use crate::randomness;
use crate::storage::Connection;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, EmptyForm};
use crate::web::portal::Portal;
use crate::web::{notice, urls};

pub async fn create(
    portal: web::Data<Portal>,
    who: SignedIn,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    let EmptyForm {} = body.form().await?;
    let (change, id) = (change(&who, CONFIGURE), repository.id);
    portal
        .db
        .write(move |connection: &mut Connection| change.dismiss_notice(connection, &mut randomness::system(), id))
        .await?;
    let place = urls::repository_configure(repository.name.as_str());
    Ok(notice::see_other(&portal, &place, "The notice was dismissed."))
}
