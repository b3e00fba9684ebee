//! `POST /repositories/{name}/token/reveal`: Show. The Configure tab then shows the token once.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::{CONFIGURE, change, configurable, confirmation};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::Shown;
use crate::web::confirmation::Confirmation;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, PasswordForm};
use crate::web::reveal::Looker;
use crate::web::urls;

/// `POST /repositories/{name}/token/reveal`: 303 to the Configure tab, or 422 with a field for the password.
pub async fn create(who: SignedIn, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&who.portal, &who, &path).await?;
    let name = repository.name.as_str();
    let PasswordForm { mut password } = body.form().await?;
    if !who.reauthenticate(&mut password).await? {
        let page = Confirmation {
            title: "Show My Authentication Token".into(),
            heading: format!("Show the token of “{name}”"),
            action: urls::repository_token_reveal(name),
            verb: "Show",
            ..confirmation(&repository)
        };
        return Ok(page.page(&who, password)?);
    }
    let (change, looker, id, portal) = (change(&who, CONFIGURE), Looker::of(&who), repository.id, who.portal.clone());
    let show = move |connection: &mut Connection| -> Result<(), Failure> {
        let rng = &mut randomness::system();
        match change.show_token(connection, rng, &portal.keys, id)? {
            Shown::Secret(secret) => Ok(looker.lay(connection, rng, &portal.keys, id, secret.reveal())?),
            Shown::Unopened(cause) => Err(Failure::Internal(cause)),
        }
    };
    who.portal.db.write(show).await?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, urls::repository_configure(name))).finish())
}
