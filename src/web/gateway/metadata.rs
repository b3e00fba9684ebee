//! `/.well-known/oauth-authorization-server`: where the doors of OAuth are (RFC 8414).

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::domain::permission::{Area, Permission};
use crate::web::portal::Portal;
use crate::web::urls;

/// Nothing is granted here: there are no response types and no grants, only tokens that people made.
#[derive(Serialize)]
struct MetadataJson<'a> {
    issuer: &'a str,
    jwks_uri: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 0],
    service_documentation: String,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
}

/// `GET /.well-known/oauth-authorization-server`. Addresses are built from the public one, never from the Host header.
pub async fn show(portal: web::Data<Portal>) -> HttpResponse {
    let public_url = &portal.settings.public_url;
    let both = |area: Area| [Permission::Read, Permission::Write].map(|permission| area.scope(permission));
    HttpResponse::Ok().json(MetadataJson {
        issuer: public_url.as_str(),
        jwks_uri: public_url.join(urls::JWKS),
        scopes_supported: Area::ALL.into_iter().flat_map(both).collect(),
        response_types_supported: [],
        grant_types_supported: [],
        service_documentation: public_url.join(urls::API),
        revocation_endpoint: public_url.join(urls::REVOCATION),
        revocation_endpoint_auth_methods_supported: ["none"],
        introspection_endpoint: public_url.join(urls::INTROSPECTION),
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "Bearer"],
    })
}
