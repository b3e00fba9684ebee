//! `/profile`: My Profile, tab User Information.

pub mod api_tokens;
pub mod security;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::privilege::Privilege;
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;

#[derive(Template)]
#[template(path = "pages/profile/show.html")]
struct ProfilePage {
    shell: Shell,
    username: String,
    display_name: String,
    email: String,
    roles: Vec<String>,
    privileges: Vec<&'static str>,
}

/// `GET /profile`
pub async fn show(portal: web::Data<Portal>, request: HttpRequest, who: SignedIn) -> Result<HttpResponse, PageFailure> {
    let shell = Shell::of(&portal, &request, &who);
    let user = who.user;
    let page = ProfilePage {
        shell,
        username: user.username.to_string(),
        privileges: user.privileges.iter().map(Privilege::label).collect(),
        display_name: user.display_name,
        email: user.email,
        roles: user.roles,
    };
    Ok(html(StatusCode::OK, &page)?)
}
