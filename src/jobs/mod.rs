//! Work in the background. Stands on storage and domain; knows no HTTP.

pub mod pruning;
pub mod uses;
