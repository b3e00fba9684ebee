//! `GET /profile/api-tokens`: the list, and what was revoked lately.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::held::HeldRow;
use super::limit;
use crate::domain::api_token::{ApiToken, REVOKED_SHOWN};
use crate::domain::id::ApiTokenId;
use crate::domain::policy::Grace;
use crate::domain::timestamp::Timestamp;
use crate::storage::api_tokens::{list, replaced_until};
use crate::storage::{Connection, Result as Stored, held, policies};
use crate::web::error::PageFailure;
use crate::web::extract::signed_in::{ApiAccess, Holding};
use crate::web::form::Typed;
use crate::web::page::{Badge, LastUse, Moment, Shell, html};
use crate::web::portal::Portal;

/// Most tokens that are looked at: at most 100 current ones, and those revoked lately.
const MOST_ROWS: i64 = 500;
/// Most revocations by holders that are told above the list.
const MOST_HELD: i64 = 5;

#[derive(Template)]
#[template(path = "pages/profile/api_tokens/index.html")]
struct ApiTokensPage {
    shell: Shell,
    rows: Vec<ApiTokenRow>,
    count: usize,
    limit: usize,
    /// Whether another token may be made.
    room: bool,
    /// Whether the revoked ones are shown.
    revoked: bool,
    revoked_count: usize,
    /// What somebody who held a token revoked lately.
    held: Vec<HeldRow>,
}

struct ApiTokenRow {
    id: ApiTokenId,
    name: String,
    hint: String,
    permissions: String,
    created: Moment,
    expires: Option<Moment>,
    last_used: Option<LastUse>,
    badge: Badge,
    /// Until when a former secret works besides.
    replaced: Option<Moment>,
    greyed: bool,
    can_rotate: bool,
    can_disable: bool,
    can_enable: bool,
    can_recreate: bool,
    can_revoke: bool,
}

/// `GET /profile/api-tokens`
pub async fn index(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: Holding<ApiAccess>,
) -> Result<HttpResponse, PageFailure> {
    let revoked = Typed::of_any_query(&request)?.text("status") == "revoked";
    let (owner, now) = (who.user.id, who.now);
    let lately = now.minus(REVOKED_SHOWN);
    let (tokens, replaced, policy, ended_by_holders) = portal
        .db
        .read(move |connection: &mut Connection| -> Stored<_> {
            let ended = held::of_owner(connection, owner, lately, MOST_HELD)?;
            let tokens = list(connection, owner, lately, MOST_ROWS)?;
            // Mostly none was, which their secrets tell by themselves.
            let rotated = tokens.iter().any(|token| token.rotated_since(now.minus(Grace::LONGEST.seconds())));
            let replaced = if rotated { replaced_until(connection, owner, now)? } else { HashMap::new() };
            Ok((tokens, replaced, policies::current(connection)?, ended))
        })
        .await?;
    let (ended, current): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|token| token.revoked_at.is_some());
    let (count, revoked_count) = (current.len(), ended.len());
    let shown = if revoked { ended } else { current };
    let mut rows: Vec<ApiTokenRow> = shown
        .into_iter()
        .map(|token| {
            let until = replaced.get(&token.id).copied();
            ApiTokenRow::new(token, until, now)
        })
        .collect();
    rows.sort_by_key(|row| row.greyed);
    let limit = limit(&portal, &policy);
    let shell = Shell::of(&portal, &request, &who);
    let held = ended_by_holders.into_iter().map(|token| HeldRow::new(token, now)).collect();
    let page = ApiTokensPage { shell, rows, count, limit, room: count < limit, revoked, revoked_count, held };
    Ok(html(StatusCode::OK, &page)?)
}

impl ApiTokenRow {
    fn new(token: ApiToken, replaced_until: Option<Timestamp>, now: Timestamp) -> Self {
        let status = token.status(now);
        let permissions = token.permissions.lines().join(", ");
        Self {
            id: token.id,
            name: token.name.as_str().to_owned(),
            created: Moment::new(token.created_at, now),
            expires: token.expires_at.map(|end| Moment::new(end, now)),
            last_used: token.last_use.as_ref().map(|used| LastUse::new(used, now)),
            badge: Badge::of(status),
            replaced: replaced_until.filter(|_| status.works()).map(|end| Moment::new(end, now)),
            greyed: !status.works(),
            can_rotate: token.can_rotate(now),
            can_disable: token.can_disable(now),
            can_enable: token.can_enable(now),
            can_recreate: token.can_recreate(now),
            can_revoke: token.can_revoke(),
            permissions: if permissions.is_empty() { "None".into() } else { permissions },
            hint: token.hint,
        }
    }
}
