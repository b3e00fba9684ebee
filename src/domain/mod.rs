//! The rules of Tokenhouse, with behaviour on the types.
//! Pure: no database, no HTTP, no clock and no randomness of its own, no I/O.

pub mod access;
pub mod api_token;
pub mod caller;
pub mod device;
pub mod event;
pub mod expiry;
pub mod grant;
pub mod id;
pub mod name;
pub mod oci_scope;
pub mod password;
pub mod permission;
pub mod policy;
pub mod privilege;
pub mod repository;
pub mod repository_token;
pub mod role;
pub mod secret;
pub mod service;
pub mod session;
pub mod signing_key;
pub mod text;
pub mod timestamp;
pub mod user;

/// A value that breaks a rule; the sentence is shown to the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}
