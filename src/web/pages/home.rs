//! `/`: leads to where the work is.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::web::extract::signed_in::SignedIn;
use crate::web::urls;

/// `GET /`
pub async fn show(_who: SignedIn) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, urls::PROFILE)).finish()
}
