//! Rows turned into domain values and back, on SQLite and PostgreSQL with one text of each query.
//! Knows no HTTP. Functions here take a connection, never a pool; digests and hashes leave only as redacted types.

pub mod acting;
pub mod api_token_changes;
pub mod api_tokens;
pub mod caller_list;
pub mod callers;
pub mod connection;
pub mod db;
pub mod error;
pub mod event_list;
pub mod events;
pub mod grants;
pub mod held;
mod index;
pub mod known;
pub mod migrations;
pub mod opening;
mod paging;
pub mod password_links;
pub mod policies;
pub mod reach;
pub mod repositories;
pub mod repository_changes;
pub mod repository_list;
pub mod repository_tokens;
pub mod reveals;
pub mod role_changes;
pub mod roles;
pub mod schema;
pub mod sealing;
pub mod service_changes;
pub mod services;
pub mod session_changes;
pub mod sessions;
pub mod signing_keys;
mod target;
pub mod token_secrets;
pub mod user_access;
pub mod user_changes;
pub mod user_list;
pub mod users;
mod writer;

pub use connection::AnyConnection as Connection;
pub use db::Db;
pub use error::{Result, StorageError};
