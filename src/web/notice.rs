//! The sentence on the next page that says what a change did. It travels in a signed cookie and is shown once.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use super::cookies;
use super::portal::Portal;

/// Longest text of a notice in characters; a cookie holds no more than 4 kB.
const LONGEST: usize = 300;

/// Marks a request whose notice is on the page that answers it.
pub struct Shown;

/// Answers a change: 303 to `location`, where `text` will be shown.
pub fn see_other(portal: &Portal, location: &str, text: &str) -> HttpResponse {
    let text: String = text.chars().take(LONGEST).collect();
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, location));
    if let Some(cookie) = cookies::sign(portal.cookies.make(&portal.cookies.notice, text), &portal.cookie_key) {
        response.append_header((header::SET_COOKIE, cookie));
    }
    response.finish()
}

/// The notice that waits for this request's page.
pub fn take(request: &HttpRequest, portal: &Portal) -> Option<String> {
    let text = cookies::signed(request.headers(), &portal.cookies.notice, &portal.cookie_key)?;
    request.extensions_mut().insert(Shown);
    Some(text)
}
