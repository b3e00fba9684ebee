//! Doors for programs that are not scripts: reverse proxies, container registries, services that ask about tokens, whoever
//! holds one that shall end, and probes.

pub mod forward_auth;
pub mod health;
pub mod introspection;
pub mod jwks;
pub mod metadata;
pub mod oauth;
pub mod oci_token;
pub mod revocation;
