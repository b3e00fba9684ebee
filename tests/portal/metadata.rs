//! `/.well-known/oauth-authorization-server` (RFC 8414).

use serde_json::json;

use crate::support::portal::https;
use crate::support::{Portal, on_both};

on_both![it_names_the_doors_by_the_public_address, it_takes_no_other_method];

const PATH: &str = "/.well-known/oauth-authorization-server";

fn it_takes_no_other_method(portal: Portal) {
    portal.request("POST", PATH).form(&[("", ""); 0]).send().with(405);
    portal.request("GET", &format!("{PATH}/other")).send().with(404);
}

fn it_names_the_doors_by_the_public_address(portal: Portal) {
    let portal = portal.restarted(https);
    for host in ["tokens.example.org", "evil.example", "127.0.0.1"] {
        let answer = portal.request("GET", PATH).header("host", host).header("x-forwarded-host", "evil.example").send();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(
            answer.with(200).json(),
            json!({
                "issuer": "https://tokens.example.org",
                "jwks_uri": "https://tokens.example.org/.well-known/jwks.json",
                "scopes_supported": [
                    "repositories:read", "repositories:write", "account:read", "account:write",
                    "administration:read", "administration:write",
                ],
                "response_types_supported": [],
                "grant_types_supported": [],
                "service_documentation": "https://tokens.example.org/api",
                "revocation_endpoint": "https://tokens.example.org/oauth/revoke",
                "revocation_endpoint_auth_methods_supported": ["none"],
                "introspection_endpoint": "https://tokens.example.org/oauth/introspect",
                "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "Bearer"],
            }),
            "{host}"
        );
    }
}
