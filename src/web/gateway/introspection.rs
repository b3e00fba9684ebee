//! `/oauth/introspect`: a service asks whether a token is good, and what it may do (RFC 7662).

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::oauth::required_token;
use crate::auth::authenticate::{ApiCaller, Caller, Checked, Reason, Refusal, RepositoryCaller, Right, authenticate};
use crate::auth::authorize::strongest_permission;
use crate::auth::credentials::bare;
use crate::domain::permission::{Area, Permission, Permissions, owner_may_administer};
use crate::domain::repository::RepositoryName;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::web::api::me::reached_names;
use crate::web::error::{Failure, OAuthFailure};
use crate::web::extract::service_caller::ServiceCaller;
use crate::web::form::Body;
use crate::web::portal::Portal;

/// What is told of a good token (RFC 7662, section 2.2).
#[derive(Serialize)]
struct ActiveJson<'a> {
    active: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// Id of the token; it stays the same when an API token is rotated.
    client_id: String,
    /// The owner of an API token. Missing for a repository's: a repository may be named like a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    iat: i64,
    /// Id of the user, or of the repository.
    sub: String,
    iss: &'a str,
    /// The service that asks: a token is meant for each of them.
    aud: &'a str,
    /// `api_token` or `repository_token`. Ours, as is the next.
    kind: &'static str,
    /// The repositories that it reaches; all that its owner can access where this is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    repositories: Option<Vec<String>>,
}

/// All that is told of any other, whatever is wrong with it.
#[derive(Serialize)]
struct InactiveJson {
    active: bool,
}

/// `POST /oauth/introspect`. The scope is what the token can do now; with the parameter `repository`, of ours, what it
/// can do there.
pub async fn create(request: HttpRequest, portal: web::Data<Portal>, body: Body) -> Result<HttpResponse, OAuthFailure> {
    let (asking, typed) = ServiceCaller::authenticate(&request, body).await?;
    let token = required_token(&typed)?;
    let at =
        match typed.text("repository") {
            "" => None,
            name => Some(RepositoryName::parse(name).map_err(|_| {
                Failure::BadRequest("The parameter “repository” must be the name of a repository.".into())
            })?),
        };
    let checked = match bare(token) {
        Ok(presented) => authenticate(&portal.db, presented, at.clone(), portal.now()).await,
        Err(unusable) => Err(Reason::Unusable(unusable).into()),
    };
    let Checked { caller, right } = match checked {
        Ok(checked) if !matches!(checked.caller, Caller::Service(_)) => checked,
        Ok(_) => return Ok(inactive(&asking, "a service's token")),
        Err(Refusal::NotGood(reason)) => return Ok(inactive(&asking, &reason.to_string())),
        Err(refusal) => return Err(refusal.into()),
    };
    count(&portal, &asking, &caller, right);
    let issuer = portal.settings.public_url.as_str();
    Ok(match &caller {
        Caller::ApiToken(own) => {
            let repositories = match &at {
                Some(name) => Some(names_at(name, right)),
                None if own.selected_only => Some(reached_names(&portal, &caller).await?),
                None => None,
            };
            let there = match &at {
                Some(_) => right.map_or(Permission::None, |right| right.permission),
                None => {
                    let token = own.clone();
                    portal.db.read(move |connection: &mut Connection| strongest_permission(connection, &token)).await?
                }
            };
            let permissions = permissions(own, there);
            HttpResponse::Ok().json(ActiveJson {
                active: true,
                scope: scopes(&permissions),
                client_id: own.token.to_string(),
                username: Some(&own.username),
                token_type: "Bearer",
                exp: own.expires_at.map(Timestamp::unix),
                iat: own.created_at.unix(),
                sub: own.owner.to_string(),
                iss: issuer,
                aud: asking.service.name.as_str(),
                kind: "api_token",
                repositories,
            })
        }
        Caller::Repository(own) => {
            let here = at.is_none() || right.is_some();
            HttpResponse::Ok().json(of_repository(own, here, issuer, asking.service.name.as_str()))
        }
        Caller::Service(_) => inactive(&asking, "a service's token"),
    })
}

/// A repository's token, which opens its own repository and no other.
fn of_repository<'a>(own: &'a RepositoryCaller, here: bool, iss: &'a str, aud: &'a str) -> ActiveJson<'a> {
    let repositories = if here { Permission::Write } else { Permission::None };
    ActiveJson {
        active: true,
        scope: scopes(&Permissions { repositories, ..Permissions::default() }),
        client_id: own.token.to_string(),
        username: None,
        token_type: "Bearer",
        exp: own.ends_at.map(Timestamp::unix),
        iat: own.created_at.unix(),
        sub: own.repository.to_string(),
        iss,
        aud,
        kind: "repository_token",
        repositories: Some(if here { vec![own.name.to_string()] } else { Vec::new() }),
    }
}

fn names_at(name: &RepositoryName, right: Option<Right>) -> Vec<String> {
    right.map(|_| name.to_string()).into_iter().collect()
}

/// What the token can do now: at most what it was given, and at most what its owner can do.
fn permissions(own: &ApiCaller, repositories: Permission) -> Permissions {
    Permissions {
        repositories,
        account: own.permissions.account,
        administration: own.permissions.administration.min(owner_may_administer(own.owner_privileges)),
    }
}

/// `repositories:read repositories:write`: write implies read, and both are told, so that looking for one of them is enough.
fn scopes(permissions: &Permissions) -> String {
    let mut scopes = Vec::new();
    for area in Area::ALL {
        for permission in [Permission::Read, Permission::Write] {
            if permissions.of(area) >= permission {
                scopes.push(area.scope(permission));
            }
        }
    }
    scopes.join(" ")
}

/// A check by a service is a use of the token, so that its owner sees where it goes.
fn count(portal: &Portal, asking: &ServiceCaller, caller: &Caller, right: Option<Right>) {
    let own = match caller {
        Caller::Repository(caller) => Some(caller.repository),
        Caller::ApiToken(_) | Caller::Service(_) => None,
    };
    let repository = right.map(|right| right.repository).or(own);
    let agent = format!("service {}", asking.service.name);
    portal.uses.token_used(caller.used(), repository, portal.now(), asking.address(), &agent, false);
}

/// Says no more than that; the reason goes to the log.
fn inactive(asking: &ServiceCaller, reason: &str) -> HttpResponse {
    tracing::debug!(service = %asking.service.name, %reason, "a service asked about a token that is not good");
    HttpResponse::Ok().json(InactiveJson { active: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_is_told_together_with_read() {
        let permissions =
            Permissions { repositories: Permission::Write, account: Permission::Read, ..Default::default() };
        assert_eq!(scopes(&permissions), "repositories:read repositories:write account:read");
        assert_eq!(scopes(&Permissions::default()), "");
    }
}
