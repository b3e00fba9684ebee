//! Doors for programs that are not scripts: probes and container registries.

pub mod health;
pub mod jwks;
pub mod oci_token;
