//! `GET /profile/api-tokens/{id}`: the secret if it is due to be shown, else all there is to know of the token.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::held::HeldRow;
use super::{own_token, reach, reveal};
use crate::auth::authorize::repositories_seen_by;
use crate::domain::api_token::{ApiToken, REVOKED_SHOWN, RepositorySelection};
use crate::domain::id::ApiTokenId;
use crate::storage::caller_list::{self, Of};
use crate::storage::repositories::Among;
use crate::storage::{Connection, Result as Stored, api_tokens, held, reveals};
use crate::web::chart::Chart;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{ApiAccess, Holding, SignedIn};
use crate::web::page::{Badge, CallerRow, LastUse, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::reveal::is_a_look;

/// Most names of selected repositories that are shown.
const MOST_NAMES: i64 = 1_000;
/// Most revocations by holders, of all tokens of the user, among which this token's are looked for.
const MOST_HELD: i64 = 500;

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/show.html")]
struct ApiTokenPage {
    shell: Shell,
    id: ApiTokenId,
    name: String,
    hint: String,
    badge: Badge,
    permissions: Vec<String>,
    repositories: String,
    created: Moment,
    expires: Option<Moment>,
    last_used: Option<LastUse>,
    old_secrets: Vec<OldSecret>,
    callers: Vec<CallerRow>,
    chart: Chart,
    can_rotate: bool,
    can_disable: bool,
    can_enable: bool,
    can_rename: bool,
    can_revoke: bool,
    can_recreate: bool,
    /// What somebody who held it revoked lately.
    held: Vec<HeldRow>,
}

struct OldSecret {
    hint: String,
    ends: Moment,
}

/// `GET /profile/api-tokens/{id}`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let token = own_token(&who, &path).await?;
    let (id, session, now) = (token.id, who.session.id, who.now);
    let names = names_of(&portal, &who, &token).await?;
    let (replaced, due) = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            let replaced = api_tokens::replaced_secrets(connection, id, now)?;
            Ok((replaced, reveals::is_due(connection, id, session, now)?))
        })
        .await?;
    if due
        && is_a_look(&request)
        && let Some(secret) = reveal::take(&portal, &who, &token).await?
    {
        return Ok(reveal::page(&portal, &request, &who, &token, &names, &replaced, &secret)?);
    }
    let (callers, per_day) =
        portal.db.read(move |connection| caller_list::both(connection, Of::ApiToken(id), now)).await?;
    let (owner, lately) = (who.user.id, now.minus(REVOKED_SHOWN));
    let ended = portal.db.look_up(move |connection| held::of_owner(connection, owner, lately, MOST_HELD)).await?;
    let page = ApiTokenPage {
        shell: Shell::of(&portal, &request, &who),
        id,
        badge: Badge::of(token.status(now)),
        permissions: token.permissions.lines(),
        repositories: reach(&token.repositories, &names),
        created: Moment::new(token.created_at, now),
        expires: token.expires_at.map(|end| Moment::new(end, now)),
        last_used: token.last_use.as_ref().map(|used| LastUse::new(used, now)),
        old_secrets: replaced
            .into_iter()
            .map(|old| OldSecret { hint: old.hint, ends: Moment::new(old.ends_at, now) })
            .collect(),
        callers: callers.iter().map(|caller| CallerRow::new(caller, now)).collect(),
        chart: Chart::new(&per_day, now),
        can_rotate: token.can_rotate(now),
        can_disable: token.can_disable(now),
        can_enable: token.can_enable(now),
        can_rename: token.can_revoke(),
        can_revoke: token.can_revoke(),
        can_recreate: token.can_recreate(now),
        held: ended.into_iter().filter(|row| row.id == id).map(|row| HeldRow::new(row, now)).collect(),
        name: token.name.as_str().to_owned(),
        hint: token.hint,
    };
    Ok(html(StatusCode::OK, &page)?)
}

/// The names of the selected repositories that the user can access now.
async fn names_of(portal: &Portal, who: &SignedIn, token: &ApiToken) -> Result<Vec<String>, Failure> {
    let RepositorySelection::Selected(ids) = token.repositories.clone() else { return Ok(Vec::new()) };
    let (user, privileges) = (who.user.id, who.user.privileges);
    let seen = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            repositories_seen_by(connection, user, privileges, Among::Ids(ids), MOST_NAMES)
        })
        .await?;
    Ok(seen.into_iter().map(|repository| repository.name.to_string()).collect())
}
