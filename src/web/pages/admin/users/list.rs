//! `GET /admin/users`: the list of all users.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::id::UserId;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Status;
use crate::storage::Connection;
use crate::storage::user_list::{self, Asked, Column, Listed};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{Holding, UserManagement};
use crate::web::form::Typed;
use crate::web::listing::{Listing, PAGE, Pages, Sort};
use crate::web::page::{Badge, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::urls;

/// The columns that it can be ordered by, as addresses name them.
const COLUMNS: &[(&str, Column)] = &[
    ("name", Column::DisplayName),
    ("username", Column::Username),
    ("email", Column::Email),
    ("created", Column::CreatedAt),
];

#[derive(Template)]
#[template(path = "pages/admin/users/index.html")]
struct UsersPage {
    shell: Shell,
    search: String,
    sort: String,
    name: Sort,
    username: Sort,
    email: Sort,
    created: Sort,
    rows: Vec<UserRow>,
    pages: Pages,
}

struct UserRow {
    id: UserId,
    username: String,
    display_name: String,
    email: String,
    roles: String,
    badge: Badge,
    created: Moment,
    greyed: bool,
}

/// `GET /admin/users`
pub async fn index(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<UserManagement>,
) -> Result<HttpResponse, PageFailure> {
    let query = Typed::of_any_query(&request)?;
    let listing = Listing::of(&query, urls::ADMIN_USERS, COLUMNS);
    let asked = Asked {
        search: listing.words(),
        order: listing.order,
        descending: listing.descending,
        offset: listing.offset(),
        limit: PAGE,
    };
    let (users, total) = portal.db.read(move |connection: &mut Connection| user_list::page(connection, &asked)).await?;
    let page = UsersPage {
        shell: Shell::of(&portal, &request, &who),
        sort: query.text("sort").to_owned(),
        name: listing.sort(Column::DisplayName, "Name"),
        username: listing.sort(Column::Username, "Username"),
        email: listing.sort(Column::Email, "Email"),
        created: listing.sort(Column::CreatedAt, "Date created"),
        rows: users.into_iter().map(|user| UserRow::new(user, who.now)).collect(),
        pages: listing.pages(total),
        search: listing.search,
    };
    Ok(html(StatusCode::OK, &page)?)
}

impl UserRow {
    fn new(user: Listed, now: Timestamp) -> Self {
        Self {
            id: user.id,
            roles: if user.roles.is_empty() { "None".into() } else { user.roles.join(", ") },
            email: if user.email.is_empty() { "None".into() } else { user.email },
            username: user.username,
            display_name: user.display_name,
            badge: Badge::of_user(user.status),
            created: Moment::new(user.created_at, now),
            greyed: user.status == Status::Disabled,
        }
    }
}
