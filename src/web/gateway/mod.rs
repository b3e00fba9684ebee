//! Doors for programs that are not scripts: reverse proxies, services that ask about tokens, whoever holds one that shall
//! end, and probes.

pub mod forward_auth;
pub mod health;
pub mod introspection;
pub mod metadata;
pub mod oauth;
pub mod revocation;
