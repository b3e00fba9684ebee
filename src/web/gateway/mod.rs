//! Doors for programs that are not scripts: reverse proxies and probes.

pub mod forward_auth;
pub mod health;
