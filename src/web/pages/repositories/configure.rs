//! `GET /repositories/{name}/configure`: tab Configure. The token is masked, and not in the page at all, unless it is due to
//! be shown to this session, once.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::{Tabs, configurable};
use crate::domain::event::Action;
use crate::domain::repository_token::RepositoryToken;
use crate::storage::repository_changes::KIND;
use crate::storage::{Connection, StorageError, held, policies, repository_tokens, reveals};
use crate::web::error::PageFailure;
use crate::web::examples::{self, Example, proxies, registry};
use crate::web::extract::signed_in::SignedIn;
use crate::web::page::{LastUse, Moment, Shell, html};
use crate::web::portal::Portal;
use crate::web::reveal::{is_a_look, keep_out_of_cache, take};
use crate::web::urls;

#[derive(Template)]
#[template(path = "pages/repositories/configure.html")]
struct ConfigurePage<'a> {
    shell: Shell,
    tabs: Tabs,
    description: String,
    /// The token, where it is shown.
    secret: Option<&'a str>,
    /// The part of it that may always be shown.
    masked: String,
    /// Whether there is a button Show.
    can_show: bool,
    /// Whether a policy lets tokens be shown but once.
    shown_once: bool,
    created: Moment,
    created_by: String,
    last_used: Option<LastUse>,
    old_tokens: Vec<OldToken>,
    /// Where somebody who held the former token revoked it, and nobody has generated another since.
    revoked: Option<Revoked>,
    base_url: String,
    examples: Vec<Example>,
    integrations: Vec<Example>,
    registry: Example,
    /// How long a registry goes on taking what a revoked token gave out.
    after_revocation: String,
}

/// A former token that still works.
struct OldToken {
    hint: String,
    ends: Moment,
    last_used: Option<LastUse>,
}

/// When, and from where.
struct Revoked {
    at: Moment,
    address: String,
}

/// `GET /repositories/{name}/configure`
pub async fn show(
    portal: web::Data<Portal>,
    request: HttpRequest,
    who: SignedIn,
    path: web::Path<String>,
) -> Result<HttpResponse, PageFailure> {
    let repository = configurable(&portal, &who, &path).await?;
    let (id, session, now) = (repository.id, who.session.id, who.now);
    // Taken before the rest is read, so that the secret and what stands beside it are of the same token.
    let due = portal.db.look_up(move |connection| reveals::is_due(connection, id, session, now)).await?;
    let secret: Option<Zeroizing<String>> =
        if due && is_a_look(&request) { take(&portal, &who, id, None).await? } else { None };
    let (token, replaced, policy, revocation) = portal
        .db
        .read(move |connection: &mut Connection| {
            let token =
                repository_tokens::current(connection, id)?.ok_or_else(|| StorageError::corrupt("repositories", id))?;
            let replaced = repository_tokens::replaced(connection, id, now)?;
            let subject = (KIND, id.to_string());
            let revocation = if token.created_by.is_empty() {
                held::of_subject(connection, Action::RepositoryTokenRevoked, subject, token.created_at)?
            } else {
                None
            };
            Ok::<_, StorageError>((token, replaced, policies::current(connection)?, revocation))
        })
        .await?;
    // It was replaced between the two: it is no longer the one to show.
    let secret = secret.filter(|text| text.starts_with(token.hint.trim_end_matches('…')));
    let name = repository.name.as_str();
    let base_url = portal.settings.public_url.join(&urls::api_repository(name));
    let page = ConfigurePage {
        shell: Shell::of(&portal, &request, &who),
        tabs: Tabs::of(&repository, &who),
        secret: secret.as_ref().map(|text| text.as_str()),
        can_show: token.sealed && !policy.repository_tokens_shown_once,
        shown_once: policy.repository_tokens_shown_once,
        created: Moment::new(token.created_at, now),
        last_used: token.last_use.as_ref().map(|used| LastUse::new(used, now)),
        old_tokens: replaced.into_iter().filter_map(|old| OldToken::new(old, &who)).collect(),
        revoked: revocation.map(|found| Revoked { at: Moment::new(found.at, now), address: found.address }),
        examples: examples::of(&portal.settings, secret.as_ref().map(|text| text.as_str()), name, &base_url),
        integrations: proxies::of(&portal.settings.public_url, name),
        registry: registry::configuration(&portal.settings),
        after_revocation: registry::after_revocation(&portal.settings),
        base_url,
        created_by: token.created_by,
        masked: token.hint.trim_end_matches('…').to_owned(),
        description: repository.description,
    };
    let mut response = html(StatusCode::OK, &page)?;
    if secret.is_some() {
        keep_out_of_cache(&portal, &mut response)?;
    }
    Ok(response)
}

impl OldToken {
    fn new(token: RepositoryToken, who: &SignedIn) -> Option<Self> {
        Some(Self {
            ends: Moment::new(token.ends_at?, who.now),
            last_used: token.last_use.as_ref().map(|used| LastUse::new(used, who.now)),
            hint: token.hint,
        })
    }
}
