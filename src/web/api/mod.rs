//! The REST API, for scripts with a token. Speaks JSON; errors are problem details.

pub mod answer;
pub mod body;
pub mod me;
pub mod openapi;
pub mod paging;
pub mod problem;
pub mod repositories;
pub mod tokens;
