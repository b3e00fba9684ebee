//! Work in the background. Stands on storage and domain; knows no HTTP.

pub mod clock_monitor;
pub mod denials;
pub mod pruning;
pub mod uses;
