//! `/admin`: leads to the first page of Administration that the user may enter.

pub mod policies;
pub mod services;
pub mod users;

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::Sections;

/// `GET /admin`
pub async fn show(who: SignedIn) -> Result<HttpResponse, PageFailure> {
    let Some(first) = Sections::of(&who.user, who.sees_repositories).administration() else {
        return Err(Failure::Forbidden(
            "Administration needs a privilege such as User Management or System Management, and you hold none of them. Ask an administrator for it."
                .into(),
        )
        .into());
    };
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, first)).finish())
}
