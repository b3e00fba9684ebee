//! `POST /api/v1/users`: a new user, who is invited. Set-password links are made on pages only.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserJson, at_field};
use crate::domain::id::UserId;
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::user::{DisplayName, Email, NewUser, Username};
use crate::randomness;
use crate::storage::user_changes::{Change, Refusal};
use crate::storage::{Connection, user_list};
use crate::web::api::administration::administering;
use crate::web::api::answer::Reply;
use crate::web::api::body::{Fields, JsonBody};
use crate::web::error::ApiFailure;
use crate::web::extract::api_caller::ApiCaller;
use crate::web::portal::Portal;
use crate::web::urls;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub struct NewUserJson {
    /// Letters a to z, digits, dots, underscores and hyphens; it begins and ends with a letter or digit. Stored in lower case.
    #[schema(min_length = 1, max_length = 64, example = "ada")]
    username: String,
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    display_name: String,
    #[schema(max_length = 254, example = "ada@example.org")]
    email: String,
    /// Names of roles; left out, the user holds none.
    #[serde(default)]
    #[schema(required = false, example = json!(["developer"]))]
    roles: Vec<String>,
}

/// `POST /api/v1/users`
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "Users",
    summary = "Create a user",
    description = "The user is invited and cannot sign in yet: in Administration, under Users, **Reset password** makes the link with which the user sets a password. Needs an API token whose owner holds User Management and every privilege of the roles. Roles with User Management, System Management or View Audit Log are given on pages only.",
    security(("bearer" = ["administration:write"])),
    request_body = NewUserJson,
    responses(
        (status = 201, description = "The user.", body = UserJson),
        (status = 409, description = "The username is taken."),
    ),
)]
pub async fn create(caller: ApiCaller, portal: web::Data<Portal>, body: JsonBody) -> Result<HttpResponse, ApiFailure> {
    let change = Change { acting: administering(&caller, Permission::Write, Privilege::UserManagement)? };
    let typed: NewUserJson = body.read().await?;
    let mut fields = Fields::default();
    let username = fields.parse("username", Username::parse(&typed.username));
    let display_name = fields.parse("display_name", DisplayName::parse(&typed.display_name));
    let email = fields.parse("email", Email::parse(&typed.email));
    let (Some(username), Some(display_name), Some(email)) = (username, display_name, email) else {
        return Err(fields.refused().into());
    };
    let (wish, roles, now) = (NewUser { username, display_name, email: Some(email) }, typed.roles, caller.now());
    portal.db.require_room()?;
    let create = move |connection: &mut Connection| -> Result<Reply, Refusal> {
        let rng = &mut randomness::system();
        let id = UserId::new(now, rng);
        change.create(connection, rng, id, &wish, &roles, None)?;
        let user = user_list::find(connection, &wish.username)?.ok_or(Refusal::NotFound)?;
        let location = portal.settings.public_url.join(&urls::api_user(&user.username));
        Ok(Reply::created(location, &UserJson::new(&portal, user))?)
    };
    Ok(caller.answer(create).await.map_err(at_field)?)
}
