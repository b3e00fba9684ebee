//! `/repositories/{name}/access`: tab Access: who else may read or write, and the API tokens that can reach the repository.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{MANAGE, Tabs, change, managed};
use crate::domain::grant::from_stored;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::permission::Permission;
use crate::domain::repository::Repository;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::grants::{self, Granted};
use crate::storage::reach::{self, Reaching};
use crate::storage::repository_changes::Refusal;
use crate::storage::{Connection, StorageError, users};
use crate::web::drawn::Drawn;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::{Body, Choice, Field, FieldError, FormValue, Typed, errors};
use crate::web::listing::{PAGE, shorten};
use crate::web::page::{Moment, Shell, form_page};
use crate::web::{notice, urls};

/// Tokens shown at once, below the users, whom the page is for.
const TOKENS: usize = 10;
/// Pages beyond are not offered.
const LAST_PAGE: i64 = 10_000;

#[derive(Template)]
#[template(path = "pages/repositories/access.html")]
struct AccessPage {
    shell: Shell,
    tabs: Tabs,
    grants: Vec<GrantRow>,
    tokens: Vec<TokenRow>,
    /// Further pages of each of the two lists.
    more_grants: Option<String>,
    more_tokens: Option<String>,
    /// Whether both lists begin at their beginning.
    first: bool,
    username: Field,
    permissions: Vec<Choice>,
    permission_error: Option<String>,
    errors: Vec<FieldError>,
    /// The options of a form that changes read access, and of one that changes write access: drawn once, and not for each user.
    of_readers: Drawn,
    of_writers: Drawn,
}

/// The options of a `select`.
#[derive(Template)]
#[template(path = "components/options.html")]
struct Options {
    choices: Vec<Choice>,
}

impl AccessPage {
    fn options(&self, permission: &Permission) -> &Drawn {
        if *permission == Permission::Write { &self.of_writers } else { &self.of_readers }
    }
}

struct GrantRow {
    user: UserId,
    username: String,
    display_name: String,
    permission: Permission,
    since: Moment,
}

struct TokenRow {
    name: String,
    hint: String,
    owner: String,
    right: &'static str,
    expires: Option<Moment>,
    used: Option<Moment>,
}

/// `GET /repositories/{name}/access?page=…&tokens=…`: a page of users, and the tokens behind this one.
pub async fn index(who: SignedIn, path: web::Path<String>) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&who.portal, &who, &path).await?;
    Ok(page(&who, &repository, Field::default(), (Permission::Read.name(), None)).await?)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GrantForm {
    username: Field,
    permission: FormValue,
}

/// `POST /repositories/{name}/access`: gives a user access.
pub async fn create(who: SignedIn, path: web::Path<String>, body: Body) -> Result<HttpResponse, PageFailure> {
    let repository = managed(&who.portal, &who, &path).await?;
    let GrantForm { username: mut field, permission: chosen } = body.form().await?;
    let permission = from_stored(&chosen);
    let permission_error = permission.is_none().then(|| "Choose what the user may do.".to_owned());
    let mut found = None;
    if let Some(username) = field.parse(Username::parse) {
        let wanted = username.clone();
        let user = who.portal.db.look_up(move |connection| users::credentials(connection, &wanted)).await?;
        match user {
            Some(user) => found = Some((user.id, username)),
            None => field.error = Some(format!("There is no user “{username}”. Check the username.")),
        }
    }
    let (Some((user, username)), Some(permission)) = (found, permission) else {
        return Ok(page(&who, &repository, field, (&chosen, permission_error)).await?);
    };
    let (change, id) = (change(&who, MANAGE), repository.id);
    let granted = who
        .portal
        .db
        .write(move |connection: &mut Connection| {
            change.grant(connection, &mut randomness::system(), id, user, permission)
        })
        .await;
    if let Err(refusal @ Refusal::OwnGrant) = granted {
        field.error = Some(refusal.to_string());
        return Ok(page(&who, &repository, field, (permission.name(), None)).await?);
    }
    granted?;
    let name = repository.name.as_str();
    let text = format!("{username} now has access to “{name}”: {}.", permission.label());
    Ok(notice::see_other(&who.portal, &urls::repository_access(name), &text))
}

/// The choices of a form that gives access.
fn choices(chosen: &str) -> Vec<Choice> {
    let choice = |permission: Permission| Choice {
        value: permission.name().to_owned(),
        label: permission.label().to_owned(),
        hint: String::new(),
        checked: permission.name() == chosen,
    };
    [Permission::Read, Permission::Write].map(choice).into()
}

pub(super) async fn page(
    who: &SignedIn,
    repository: &Repository,
    username: Field,
    (chosen, permission_error): (&str, Option<String>),
) -> Result<HttpResponse, Failure> {
    let query = Typed::of_any_query(&who.request)?;
    let number = |name: &str| query.text(name).parse().unwrap_or(1).clamp(1, LAST_PAGE);
    let grants_page: i64 = number("page");
    let before: Option<ApiTokenId> = query.text("tokens").parse().ok();
    let (id, now) = (repository.id, who.now);
    let (mut granted, reached) = who
        .portal
        .db
        .read(move |connection: &mut Connection| {
            let granted = grants::list(connection, id, (grants_page - 1) * PAGE, PAGE + 1)?;
            Ok::<_, StorageError>((granted, reach::api_tokens(connection, id, now, before, TOKENS)?))
        })
        .await?;
    let more_grants = shorten(&mut granted);
    let address = urls::repository_access(repository.name.as_str());
    let errors = errors([("username", &username.error), ("permission", &permission_error)]);
    let of_readers = Drawn::of(&Options { choices: choices(Permission::Read.name()) })?;
    let of_writers = Drawn::of(&Options { choices: choices(Permission::Write.name()) })?;
    form_page(who, errors, |shell, errors| AccessPage {
        shell,
        tabs: Tabs::of(repository, who),
        grants: granted.into_iter().map(|grant| GrantRow::new(grant, who)).collect(),
        tokens: reached.tokens.into_iter().map(|token| TokenRow::new(token, who)).collect(),
        more_grants: more_grants.then(|| format!("{address}?page={}", grants_page + 1)),
        more_tokens: reached.next.map(|last| format!("{address}?tokens={last}")),
        first: grants_page == 1 && before.is_none(),
        username,
        permissions: choices(chosen),
        permission_error,
        errors,
        of_readers,
        of_writers,
    })
}

impl GrantRow {
    fn new(grant: Granted, who: &SignedIn) -> Self {
        Self {
            user: grant.user,
            username: grant.username,
            display_name: grant.display_name,
            permission: grant.permission,
            since: Moment::new(grant.created_at, who.now),
        }
    }
}

impl TokenRow {
    fn new(token: Reaching, who: &SignedIn) -> Self {
        Self {
            name: token.name,
            hint: token.hint,
            owner: token.owner,
            right: token.right.label(),
            expires: token.expires_at.map(|end| Moment::new(end, who.now)),
            used: token.last_used_at.map(|at| Moment::new(at, who.now)),
        }
    }
}
