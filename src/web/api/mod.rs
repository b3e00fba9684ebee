//! The REST API, for scripts with a token. Speaks JSON; errors are problem details.

pub mod me;
pub mod problem;
pub mod repositories;
