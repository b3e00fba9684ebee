//! Takes each change from the budget of whoever makes it. The extractors of users and tokens call it, so that no handler of
//! a change can forget it; what is refused with a status from 400 to 499 is given back.

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::error::Failure;
use super::portal::Portal;
use crate::auth::budgets::{BudgetOwner, ChangeKind, Charge};
use crate::domain::privilege::Privileges;
use crate::domain::timestamp::Timestamp;

/// Creations that come with a token.
const TOKEN_CREATIONS: [&str; 4] = ["/profile/api-tokens", "/repositories", "/admin/services", "/api/v1/repositories"];
const ROTATIONS: [&str; 2] = ["/rotation", "/token"];
const ENDINGS: [&str; 6] = ["/revocation", "/disablement", "/deletion", "/removal", "/end", "/sign-out"];
/// Signing out adds no more rows than signing in did.
const FREE: &str = "/logout";

/// Counts the request, if it can change something.
pub fn charge(
    request: &HttpRequest,
    portal: &Portal,
    owner: BudgetOwner,
    privileges: Privileges,
    now: Timestamp,
) -> Result<(), Failure> {
    let pattern = if is_read(request.method()) { None } else { request.match_pattern() };
    let Some(kind) = pattern.and_then(|pattern| kind(request.method(), &pattern)) else { return Ok(()) };
    let charge = portal
        .budgets
        .charge(owner, kind, privileges, now)
        .map_err(|wait| Failure::TooManyChanges { seconds: wait.0 })?;
    request.extensions_mut().insert(charge);
    Ok(())
}

/// Gives back what a refused request was charged.
pub fn settle<B>(response: &ServiceResponse<B>) {
    let request = response.request();
    if is_read(request.method()) || !response.status().is_client_error() {
        return;
    }
    if let Some(charge) = request.extensions_mut().remove::<Charge>()
        && let Some(portal) = request.app_data::<web::Data<Portal>>()
    {
        portal.budgets.refund(charge);
    }
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

fn kind(method: &Method, pattern: &str) -> Option<ChangeKind> {
    let ends_with = |suffixes: &[&str]| suffixes.iter().any(|suffix| pattern.ends_with(suffix));
    if pattern == FREE {
        return None;
    }
    Some(if *method == Method::DELETE || ends_with(&ENDINGS) {
        ChangeKind::Ending
    } else if ends_with(&ROTATIONS) {
        ChangeKind::Rotation
    } else if TOKEN_CREATIONS.contains(&pattern) {
        ChangeKind::TokenCreation
    } else {
        ChangeKind::Write
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::routes::ROUTES;

    #[test]
    fn kind_of_each_route_follows_its_method_and_path() {
        for (method, pattern, expected) in [
            (Method::POST, "/profile/api-tokens", ChangeKind::TokenCreation),
            (Method::POST, "/api/v1/repositories", ChangeKind::TokenCreation),
            (Method::POST, "/repositories/{name}/token", ChangeKind::Rotation),
            (Method::POST, "/api/v1/repositories/{name}/token", ChangeKind::Rotation),
            (Method::POST, "/api/v1/tokens/current/rotation", ChangeKind::Rotation),
            (Method::POST, "/admin/services/{service}/rotation", ChangeKind::Rotation),
            (Method::POST, "/repositories/{name}/token/reveal", ChangeKind::Write),
            (Method::PATCH, "/api/v1/tokens/{id}", ChangeKind::Write),
            (Method::POST, "/profile/api-tokens/{id}/revocation", ChangeKind::Ending),
            (Method::DELETE, "/api/v1/tokens/{id}", ChangeKind::Ending),
            (Method::POST, "/profile/security/sessions/{id}/end", ChangeKind::Ending),
        ] {
            assert!(ROUTES.iter().any(|route| route.path == pattern), "{pattern} is no route");
            assert_eq!(kind(&method, pattern), Some(expected), "{method} {pattern}");
        }
        assert_eq!(kind(&Method::POST, "/logout"), None);
        for pattern in TOKEN_CREATIONS {
            assert!(ROUTES.iter().any(|route| route.path == pattern), "{pattern} is no route");
        }
    }
}
