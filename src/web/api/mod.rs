//! The REST API, for scripts with a token. Speaks JSON; errors are problem details.

pub mod administration;
pub mod answer;
pub mod audit;
pub mod body;
pub mod idempotency;
pub mod me;
pub mod openapi;
pub mod paging;
pub mod policies;
pub mod problem;
pub mod repositories;
pub mod roles;
pub mod services;
pub mod tokens;
pub mod users;
