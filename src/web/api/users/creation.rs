//! `POST /api/v1/users`: a new user, who sets a password with a link.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{UserJson, at_field, link};
use crate::domain::id::UserId;
use crate::domain::permission::Permission;
use crate::domain::privilege::Privilege;
use crate::domain::secret::{Digest, random_code};
use crate::domain::user::{DisplayName, Email, NewUser, Username};
use crate::randomness;
use crate::storage::user_changes::{Change, Refusal};
use crate::storage::{Connection, user_list};
use crate::web::api::administration::administering;
use crate::web::api::answer;
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

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedUser)]
pub struct CreatedJson<'a> {
    #[serde(flatten)]
    user: UserJson,
    /// Where the user sets a password, once. It is told now and never again.
    #[schema(format = "uri")]
    password_link: &'a str,
    #[schema(format = DateTime)]
    password_link_ends_at: String,
}

/// `POST /api/v1/users`
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "Users",
    summary = "Create a user",
    description = "The answer has the link with which the user sets a password; hand it over. Needs an API token whose owner holds User Management and every privilege of the roles.",
    security(("bearer" = ["administration:write"])),
    request_body = NewUserJson,
    responses(
        (status = 201, description = "The user, and the link.", body = CreatedJson),
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
    let made = portal
        .db
        .write(move |connection: &mut Connection| -> Result<_, Refusal> {
            let rng = &mut randomness::system();
            let (id, code) = (UserId::new(now, rng), Zeroizing::new(random_code(rng)));
            change.create(connection, rng, id, &wish, &roles, &Digest::of(&code))?;
            let user = user_list::find(connection, &wish.username)?.ok_or(Refusal::NotFound)?;
            Ok((user, code))
        })
        .await;
    let (user, code) = made.map_err(at_field)?;
    let location = portal.settings.public_url.join(&urls::api_user(&user.username));
    let (address, password_link_ends_at) = link(&portal, &code, now);
    let user = UserJson::new(&portal, user);
    Ok(answer::created(location, &CreatedJson { user, password_link: &address, password_link_ends_at })?)
}
