//! `/admin`: Administration. A privilege guards each of its pages.

pub mod policies;
