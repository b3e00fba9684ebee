//! Is it alive, and is it ready to work?

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};

use crate::storage::users;
use crate::web::portal::Portal;

/// `GET /healthz`: the process answers. Asks no database.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /readyz`: 200 while requests are welcome and the database answers, else 503. A full disk is reported and is no
/// reason for 503: tokens are checked and revoked all the same.
pub async fn ready(portal: web::Data<Portal>) -> HttpResponse {
    let (mut response, text) = if portal.stopping.load(Ordering::SeqCst) {
        (HttpResponse::ServiceUnavailable(), "stopping\n")
    } else if portal.db.look_up(users::any).await.is_err() {
        (HttpResponse::ServiceUnavailable(), "the database does not answer\n")
    } else if portal.db.is_disk_full() {
        (HttpResponse::Ok(), "ready, but the disk is full: nothing new can be stored\n")
    } else {
        (HttpResponse::Ok(), "ready\n")
    };
    response.content_type("text/plain; charset=utf-8").body(text)
}
