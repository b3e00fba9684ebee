//! `/`: leads to where the work is.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::web::extract::signed_in::SignedIn;
use crate::web::urls;

/// `GET /`
pub async fn show(who: SignedIn) -> HttpResponse {
    let place = if who.sees_repositories { urls::REPOSITORIES } else { urls::PROFILE };
    HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()
}
