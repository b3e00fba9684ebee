//! THE route table: every address, its methods and who answers. Routes are closed unless their handler takes no authority.

use actix_web::{HttpRequest, HttpResponse, guard, web};

use super::error::{ApiFailure, Failure, OAuthFailure, OciFailure, PageFailure};
use super::gateway::forward_auth;
use super::pages::admin::{self, policies, services, users};
use super::pages::profile::api_tokens::{self, disablement, enablement, name, notice_dismissal, revocation, rotation};
use super::pages::profile::security::{self, other_sessions, password, sessions};
use super::pages::{home, profile, reauthentication, reference, repositories, set_password, setup, sign_in};
use super::{api, assets, gateway};

/// Which rules hold around a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For people: host, cookies and origin are checked, and there may be a session.
    Pages,
    /// For scripts, with a token.
    Api,
    /// For reverse proxies, with a token, whatever the method.
    Forward,
    /// For services, with theirs, and for whoever holds a token that shall end.
    OAuth,
    /// For clients of a container registry, with a token.
    Oci,
    /// For probes and browsers, without either.
    Open,
}

/// A line of the table. GET includes HEAD; ANY is every method.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub scope: Scope,
    pub method: &'static str,
    pub path: &'static str,
}

macro_rules! table {
    ($($scope:ident $register:ident $failure:ident $base:literal {
        $($path:literal { $($method:ident $handler:path),+ $(,)? })*
    })*;
    proxies { $($proxy:literal $door:path)* }) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[
            $($($(Route { scope: Scope::$scope, method: stringify!($method), path: $path },)+)*)*
            $(
                Route { scope: Scope::Forward, method: "ANY", path: concat!("/auth", $proxy) },
                Route { scope: Scope::Forward, method: "ANY", path: concat!("/auth", $proxy, "/{name}") },
            )*
        ];

        /// Registers the routes of [`Scope::Forward`]. What stands behind the name of the proxy is read by the handler: a
        /// pattern would cost more than all the rest of a check.
        pub fn forward(config: &mut web::ServiceConfig) {
            $(config.service(web::scope(concat!("/auth", $proxy)).default_service(web::to($door)));)*
        }

        $(
            #[doc = concat!("Registers the routes of [`Scope::", stringify!($scope), "`].")]
            pub fn $register(config: &mut web::ServiceConfig) {
                $(
                    config.service(
                        web::resource(&$path[$base.len()..])
                            $(.route(method(stringify!($method)).to($handler)))+
                            .default_service(web::to(|| async {
                                Err::<HttpResponse, _>($failure(Failure::MethodNotAllowed(concat!($(stringify!($method), " "),+).trim_end())))
                            })),
                    );
                )*
            }
        )*
    };
}

table! {
    Open open PageFailure "" {
        "/healthz"                                  { GET gateway::health::alive }
        "/readyz"                                   { GET gateway::health::ready }
        "/static/{file}"                            { GET assets::show }
        "/.well-known/oauth-authorization-server"   { GET gateway::metadata::show }
        "/.well-known/jwks.json"                    { GET gateway::jwks::show }
    }
    OAuth oauth OAuthFailure "/oauth" {
        "/oauth/introspect"                         { POST gateway::introspection::create }
        "/oauth/revoke"                             { POST gateway::revocation::create }
    }
    Oci oci OciFailure "/oci" {
        "/oci/token"                                { GET gateway::oci_token::show, POST gateway::oci_token::create }
    }
    Api api ApiFailure "/api" {
        "/api/v1/me"                                { GET api::me::show }
        "/api/v1/openapi.json"                      { GET api::openapi::show }
        "/api/v1/tokens"                            { GET api::tokens::index }
        "/api/v1/tokens/current"                    { GET api::tokens::current::show, DELETE api::tokens::current::destroy }
        "/api/v1/tokens/current/rotation"           { POST api::tokens::rotation::create }
        "/api/v1/tokens/{id}"                       { GET api::tokens::show, PATCH api::tokens::update, DELETE api::tokens::destroy }
        "/api/v1/repositories"                      { GET api::repositories::index, POST api::repositories::creation::create }
        "/api/v1/repositories/{name}"               {
            GET api::repositories::show, PATCH api::repositories::changes::update, DELETE api::repositories::changes::destroy,
        }
        "/api/v1/repositories/{name}/token"         { GET api::repositories::token::show, POST api::repositories::token::create }
        "/api/v1/repositories/{name}/callers"       { GET api::repositories::callers::index }
        "/api/v1/repositories/{name}/grants"        { GET api::repositories::grants::index }
        "/api/v1/repositories/{name}/grants/{username}" {
            PUT api::repositories::grants::update, DELETE api::repositories::grants::destroy,
        }
        "/api/v1/users"                             { GET api::users::index, POST api::users::creation::create }
        "/api/v1/users/{username}"                  { GET api::users::show, PATCH api::users::changes::update }
        "/api/v1/users/{username}/disablement"      { POST api::users::disablement::create }
        "/api/v1/users/{username}/enablement"       { POST api::users::enablement::create }
        "/api/v1/users/{username}/sign-out"         { POST api::users::sign_out::create }
        "/api/v1/roles"                             { GET api::roles::index, POST api::roles::creation::create }
        "/api/v1/roles/{role}"                      {
            GET api::roles::show, PATCH api::roles::changes::update, DELETE api::roles::changes::destroy,
        }
        "/api/v1/services"                          { GET api::services::index }
        "/api/v1/services/{name}"                   { GET api::services::show, DELETE api::services::destroy }
        "/api/v1/policies"                          { GET api::policies::show, PATCH api::policies::update }
        "/api/v1/audit"                             { GET api::audit::index }
    }
    Pages pages PageFailure "" {
        "/"                                         { GET home::show }
        "/setup"                                    { GET setup::new, POST setup::create }
        "/login"                                    { GET sign_in::new, POST sign_in::create }
        "/logout"                                   { POST sign_in::destroy }
        "/reauthenticate"                           { GET reauthentication::new, POST reauthentication::create }
        "/api"                                      { GET reference::show }
        "/set-password"                             { GET set_password::edit, POST set_password::update }
    }
    Pages repositories PageFailure "/repositories" {
        "/repositories"                             { GET repositories::list::index, POST repositories::creation::create }
        "/repositories/new"                         { GET repositories::creation::new }
    }
    Pages repository PageFailure "/repositories/{name}" {
        "/repositories/{name}"                      { GET repositories::overview::show }
        "/repositories/{name}/configure"            { GET repositories::configure::show }
        "/repositories/{name}/token"                { POST repositories::token::create }
        "/repositories/{name}/token/new"            { GET repositories::token::new }
        "/repositories/{name}/token/reveal"         { POST repositories::reveal::create }
        "/repositories/{name}/description"          { GET repositories::description::edit, POST repositories::description::update }
        "/repositories/{name}/deletion"             { GET repositories::deletion::new, POST repositories::deletion::create }
        "/repositories/{name}/notice-dismissal"     { POST repositories::notice_dismissal::create }
        "/repositories/{name}/access"               { GET repositories::access::index, POST repositories::access::create }
        "/repositories/{name}/access/{user}"        { POST repositories::grant::update }
        "/repositories/{name}/access/{user}/removal" { POST repositories::grant::destroy }
        "/repositories/{name}/activity"             { GET repositories::activity::index }
    }
    Pages profile PageFailure "/profile" {
        "/profile"                                  { GET profile::show }
        "/profile/api-tokens"                       { GET api_tokens::list::index, POST api_tokens::creation::create }
        "/profile/api-tokens/new"                   { GET api_tokens::creation::new }
        "/profile/api-tokens/{id}"                  { GET api_tokens::details::show }
        "/profile/api-tokens/{id}/name"             { GET name::edit, POST name::update }
        "/profile/api-tokens/{id}/rotation"         { GET rotation::new, POST rotation::create }
        "/profile/api-tokens/{id}/disablement"      { GET disablement::new, POST disablement::create }
        "/profile/api-tokens/{id}/enablement"       { GET enablement::new, POST enablement::create }
        "/profile/api-tokens/{id}/notice-dismissal" { POST notice_dismissal::create }
        "/profile/api-tokens/{id}/revocation"       { GET revocation::new, POST revocation::create }
        "/profile/security"                         { GET security::show }
        "/profile/security/password"                { POST password::update }
        "/profile/security/sessions/{id}/end"       { POST sessions::destroy }
        "/profile/security/other-sessions/end"      { POST other_sessions::destroy }
    }
    Pages admin PageFailure "/admin" {
        "/admin"                                    { GET admin::show }
        "/admin/users"                              { GET users::list::index, POST users::creation::create }
        "/admin/users/new"                          { GET users::creation::new }
        "/admin/users/{user}"                       { GET users::details::show }
        "/admin/users/{user}/edit"                  { GET users::edit::edit, POST users::edit::update }
        "/admin/users/{user}/disablement"           { GET users::disablement::new, POST users::disablement::create }
        "/admin/users/{user}/enablement"            { GET users::enablement::new, POST users::enablement::create }
        "/admin/users/{user}/password-link"         { GET users::password_link::new, POST users::password_link::create }
        "/admin/users/{user}/sign-out"              { GET users::sign_out::new, POST users::sign_out::create }
        "/admin/services"                           { GET services::list::index, POST services::creation::create }
        "/admin/services/new"                       { GET services::creation::new }
        "/admin/services/{service}"                 { GET services::details::show }
        "/admin/services/{service}/rotation"        { GET services::rotation::new, POST services::rotation::create }
        "/admin/services/{service}/deletion"        { GET services::deletion::new, POST services::deletion::create }
        "/admin/policies"                           { GET policies::edit, POST policies::update }
    }
    ;
    proxies {
        "/nginx"                                    forward_auth::nginx
        "/forward"                                  forward_auth::forward
    }
}

fn method(name: &str) -> actix_web::Route {
    match name {
        "GET" => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        "PATCH" => web::patch(),
        "PUT" => web::put(),
        "DELETE" => web::delete(),
        _ => web::post(),
    }
}

/// Where no page is.
pub async fn no_page(_: HttpRequest) -> Result<HttpResponse, PageFailure> {
    Err(Failure::NotFound.into())
}

/// Where no door is.
pub async fn no_door(_: HttpRequest) -> Result<HttpResponse, ApiFailure> {
    Err(Failure::NotFound.into())
}

/// Where no endpoint is.
pub async fn no_endpoint(_: HttpRequest) -> Result<HttpResponse, OAuthFailure> {
    Err(Failure::NotFound.into())
}
