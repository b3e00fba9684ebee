//! Authority as an argument: a handler that takes one of these cannot forget the check.

pub mod api_caller;
pub mod service_caller;
pub mod signed_in;
