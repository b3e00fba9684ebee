//! `GET /repositories`: all that the user may read.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::auth::authorize::sees_all;
use crate::domain::permission::owner_may;
use crate::domain::privilege::Privilege;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::storage::repositories::Seen;
use crate::storage::repository_list::{self, Asked, Column};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::SignedIn;
use crate::web::form::Typed;
use crate::web::listing::{Listing, PAGE, Pages, Sort};
use crate::web::page::{Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::urls;

const COLUMNS: &[(&str, Column)] =
    &[("name", Column::Name), ("created", Column::CreatedAt), ("used", Column::LastUsedAt)];

#[derive(Template)]
#[template(path = "pages/repositories/index.html")]
struct RepositoriesPage {
    shell: Shell,
    rows: Vec<RepositoryRow>,
    /// What is searched for; empty for everything.
    search: String,
    sort: String,
    name: Sort,
    used: Sort,
    created: Sort,
    pages: Pages,
    /// Whether the user may create repositories.
    creates: bool,
}

struct RepositoryRow {
    name: String,
    description: String,
    access: &'static str,
    used: Option<Moment>,
    created: Moment,
}

/// `GET /repositories?q=…&sort=…&page=…`
pub async fn index(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
) -> Result<HttpResponse, PageFailure> {
    if !who.sees_repositories {
        return Err(Failure::Forbidden(
            "This needs the privilege View Repositories, or access to a repository. Ask an administrator or a repository manager for it."
                .into(),
        )
        .into());
    }
    let query = Typed::of_any_query(&request)?;
    let listing = Listing::of(&query, urls::REPOSITORIES, COLUMNS);
    let asked = Asked {
        user: who.user.id,
        all: sees_all(who.user.privileges),
        // Nobody may more than those who manage all of them.
        with_grants: !who.user.holds(Privilege::RepositoryManagement),
        search: listing.words(),
        order: listing.order,
        descending: listing.descending,
        offset: listing.offset(),
        limit: PAGE,
    };
    let (found, total) =
        portal.db.read(move |connection: &mut Connection| repository_list::page(connection, &asked)).await?;
    let page = RepositoriesPage {
        shell: Shell::of(&portal, &request, &who),
        rows: found.into_iter().map(|seen| RepositoryRow::new(seen, &who, who.now)).collect(),
        sort: query.text("sort").to_owned(),
        name: listing.sort(Column::Name, "Name"),
        used: listing.sort(Column::LastUsedAt, "Last used"),
        created: listing.sort(Column::CreatedAt, "Date created"),
        pages: listing.pages(total),
        search: listing.search,
        creates: who.user.holds(Privilege::RepositoryManagement),
    };
    Ok(html(StatusCode::OK, &page)?)
}

impl RepositoryRow {
    fn new((repository, grant): Seen, who: &SignedIn, now: Timestamp) -> Self {
        Self {
            name: repository.name.to_string(),
            description: repository.description,
            access: owner_may(who.user.privileges, grant).label(),
            used: repository.last_used_at.map(|at| Moment::new(at, now)),
            created: Moment::new(repository.created_at, now),
        }
    }
}
