//! Doors for programs that are not scripts: reverse proxies, container registries and probes.

pub mod forward_auth;
pub mod health;
pub mod jwks;
pub mod oci_token;
