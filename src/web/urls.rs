//! The only place that spells a path of a page.

use crate::domain::id::ApiTokenId;

pub const ROOT: &str = "/";
pub const SETUP: &str = "/setup";
pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const REAUTHENTICATE: &str = "/reauthenticate";
pub const PROFILE: &str = "/profile";
pub const API_TOKENS: &str = "/profile/api-tokens";
pub const API_TOKENS_NEW: &str = "/profile/api-tokens/new";

pub const API_ME: &str = "/api/v1/me";
pub const API_REPOSITORIES: &str = "/api/v1/repositories";

pub fn api_token(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}")
}

pub fn api_token_name(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/name")
}

pub fn api_token_rotation(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/rotation")
}

pub fn api_token_revocation(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/revocation")
}

pub fn api_token_disablement(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/disablement")
}

pub fn api_token_enablement(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/enablement")
}

/// The form for a new token, filled in with the settings of this one.
pub fn recreate(id: &ApiTokenId) -> String {
    format!("{API_TOKENS_NEW}?recreates={id}")
}

/// The list of tokens that were revoked lately.
pub fn revoked_tokens() -> String {
    format!("{API_TOKENS}?status=revoked")
}

/// Sign-in that comes back to `next`.
pub fn login(next: &str) -> String {
    with_next(LOGIN, next)
}

/// Password entry that comes back to `next`.
pub fn reauthenticate(next: &str) -> String {
    with_next(REAUTHENTICATE, next)
}

pub fn api_repository(name: &str) -> String {
    format!("{API_REPOSITORIES}/{name}")
}

fn with_next(path: &str, next: &str) -> String {
    let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
    format!("{path}?next={next}")
}
