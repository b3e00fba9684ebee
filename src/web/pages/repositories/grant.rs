//! `/repositories/{name}/access/{user}`: one user's access, changed or taken away.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{MANAGE, access, change, managed};
use crate::domain::grant::from_stored;
use crate::domain::id::UserId;
use crate::randomness;
use crate::storage::Connection;
use crate::storage::repository_changes::Refusal;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, EmptyForm, Field, FormValue};
use crate::web::{notice, urls};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PermissionForm {
    permission: FormValue,
}

/// `POST /repositories/{name}/access/{user}`
pub async fn update(who: SignedIn, path: web::Path<(String, String)>, body: Body) -> Result<HttpResponse, PageFailure> {
    let (name, user) = path.into_inner();
    let repository = managed(&who.portal, &who, &name).await?;
    let user: UserId = user.parse().map_err(|_| Failure::NotFound)?;
    let form: PermissionForm = body.form().await?;
    let permission = from_stored(&form.permission)
        .ok_or_else(|| Failure::BadRequest("Choose Read, or Read and write. Load the page again.".into()))?;
    let (change, id) = (change(&who, MANAGE), repository.id);
    let granted = who
        .portal
        .db
        .write(move |connection: &mut Connection| {
            change.regrant(connection, &mut randomness::system(), id, user, permission)
        })
        .await;
    if let Err(refusal @ Refusal::OwnGrant) = granted {
        let field = Field { value: who.user.username.to_string(), error: Some(refusal.to_string()) };
        return Ok(access::page(&who, &repository, field, (permission.name(), None)).await?);
    }
    let username = granted?;
    let text = format!("{username} now has access to “{name}”: {}.", permission.label());
    Ok(notice::see_other(&who.portal, &urls::repository_access(&name), &text))
}

/// `POST /repositories/{name}/access/{user}/removal`
pub async fn destroy(
    who: SignedIn,
    path: web::Path<(String, String)>,
    body: Body,
) -> Result<HttpResponse, PageFailure> {
    let (name, user) = path.into_inner();
    let repository = managed(&who.portal, &who, &name).await?;
    let user: UserId = user.parse().map_err(|_| Failure::NotFound)?;
    let EmptyForm {} = body.form().await?;
    let (change, id) = (change(&who, MANAGE), repository.id);
    let username = who
        .portal
        .db
        .write(move |connection: &mut Connection| change.ungrant(connection, &mut randomness::system(), id, user))
        .await?;
    let text = format!("The access of {username} to “{name}” was removed.");
    Ok(notice::see_other(&who.portal, &urls::repository_access(&name), &text))
}
