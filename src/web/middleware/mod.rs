//! What happens around every request, and around every page.

pub mod body_pieces;
pub mod chunked;
pub mod cookie_guard;
pub mod headers;
pub mod pages;
pub mod request;
pub mod same_origin;
