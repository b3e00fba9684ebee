//! The only place that spells a path of a page.

use crate::domain::id::{ApiTokenId, ServiceId, SessionId, UserId};

pub const ROOT: &str = "/";
pub const SETUP: &str = "/setup";
pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const REAUTHENTICATE: &str = "/reauthenticate";
pub const PROFILE: &str = "/profile";
pub const API_TOKENS: &str = "/profile/api-tokens";
pub const SECURITY: &str = "/profile/security";
pub const PASSWORD_CHANGE: &str = "/profile/security/password";
pub const OTHER_SESSIONS_END: &str = "/profile/security/other-sessions/end";
pub const SET_PASSWORD: &str = "/set-password";
pub const REPOSITORIES: &str = "/repositories";
pub const REPOSITORIES_NEW: &str = "/repositories/new";
pub const ADMIN: &str = "/admin";
pub const ADMIN_USERS: &str = "/admin/users";
pub const ADMIN_USERS_NEW: &str = "/admin/users/new";
pub const ADMIN_SERVICES: &str = "/admin/services";
pub const ADMIN_SERVICES_NEW: &str = "/admin/services/new";
pub const ADMIN_POLICIES: &str = "/admin/policies";
pub const API_TOKENS_NEW: &str = "/profile/api-tokens/new";

/// The API for readers.
pub const API: &str = "/api";
pub const API_DOCUMENT: &str = "/api/v1/openapi.json";
pub const OCI_TOKEN: &str = "/oci/token";
pub const API_ME: &str = "/api/v1/me";
pub const API_OWN_TOKENS: &str = "/api/v1/tokens";
pub const API_REPOSITORIES: &str = "/api/v1/repositories";
pub const API_USERS: &str = "/api/v1/users";
pub const API_ROLES: &str = "/api/v1/roles";
pub const API_AUDIT: &str = "/api/v1/audit";
pub const API_SERVICES: &str = "/api/v1/services";
pub const INTROSPECTION: &str = "/oauth/introspect";
pub const REVOCATION: &str = "/oauth/revoke";
pub const JWKS: &str = "/.well-known/jwks.json";

/// What lies below is asked by reverse proxies.
pub const FORWARD_AUTH: &str = "/auth/";
pub const AUTH_NGINX: &str = "/auth/nginx";
pub const AUTH_FORWARD: &str = "/auth/forward";

/// The page of one group of the API's operations.
pub fn api_group(id: &str) -> String {
    format!("{API}?of={id}")
}

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

pub fn api_token_notice_dismissal(id: &ApiTokenId) -> String {
    format!("{API_TOKENS}/{id}/notice-dismissal")
}

/// Ends one of one's own sessions.
pub fn session_end(id: &SessionId) -> String {
    format!("{SECURITY}/sessions/{id}/end")
}

macro_rules! pages_of {
    ($base:ident $thing:ty: $($name:ident $tail:literal)*) => {$(
        pub fn $name(of: &$thing) -> String {
            // A list has one for each row: what formats takes three times as long.
            [$base, "/", &of.to_string(), $tail].concat()
        }
    )*};
}

pages_of! { REPOSITORIES str:
    repository ""
    repository_configure "/configure"
    repository_access "/access"
    repository_activity "/activity"
    repository_token "/token"
    repository_token_new "/token/new"
    repository_token_reveal "/token/reveal"
    repository_description "/description"
    repository_deletion "/deletion"
    repository_notice_dismissal "/notice-dismissal"
}

pages_of! { ADMIN_USERS UserId:
    user ""
    user_edit "/edit"
    user_disablement "/disablement"
    user_enablement "/enablement"
    user_password_link "/password-link"
    user_sign_out "/sign-out"
}

pages_of! { ADMIN_SERVICES ServiceId:
    service ""
    service_rotation "/rotation"
    service_deletion "/deletion"
}

/// Where a user sets a password with the code of a link.
pub fn set_password(code: &str) -> String {
    format!("{SET_PASSWORD}?code={code}")
}

/// One user's grant on a repository.
pub fn repository_grant(name: &str, user: &UserId) -> String {
    [REPOSITORIES, "/", name, "/access/", &user.to_string()].concat()
}

/// Takes that grant away.
pub fn repository_grant_removal(name: &str, user: &UserId) -> String {
    repository_grant(name, user) + "/removal"
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

/// Where a sign-in leads: from there to `next`, if the browser sends the session cookie.
pub fn after_sign_in(next: &str) -> String {
    login(next) + "&signed_in=1"
}

/// Password entry that comes back to `next`.
pub fn reauthenticate(next: &str) -> String {
    with_next(REAUTHENTICATE, next)
}

pub fn api_own_token(id: &str) -> String {
    format!("{API_OWN_TOKENS}/{id}")
}

pub fn api_repository(name: &str) -> String {
    format!("{API_REPOSITORIES}/{name}")
}

/// Where nginx asks about a repository.
pub fn auth_nginx(name: &str) -> String {
    format!("{AUTH_NGINX}/{name}")
}

/// Where Caddy and Traefik ask about a repository.
pub fn auth_forward(name: &str) -> String {
    format!("{AUTH_FORWARD}/{name}")
}

pub fn api_repository_token(name: &str) -> String {
    format!("{API_REPOSITORIES}/{name}/token")
}

pub fn api_grants(name: &str) -> String {
    format!("{API_REPOSITORIES}/{name}/grants")
}

pub fn api_grant(name: &str, username: &str) -> String {
    format!("{API_REPOSITORIES}/{name}/grants/{username}")
}

pub fn api_user(username: &str) -> String {
    format!("{API_USERS}/{username}")
}

pub fn api_role(name: &str) -> String {
    format!("{API_ROLES}/{name}")
}

pub fn api_service(name: &str) -> String {
    format!("{API_SERVICES}/{name}")
}

fn with_next(path: &str, next: &str) -> String {
    let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
    format!("{path}?next={next}")
}
