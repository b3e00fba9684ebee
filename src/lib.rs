//! Tokenhouse: the self-hosted desk at which a registry hands out its keys.
//!
//! Four layers, arrows one way: [`domain`] <- [`storage`] <- [`auth`] <- [`web`]; [`jobs`] stands on storage and domain.

#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod file_access;
pub mod jobs;
pub mod logging;
pub mod randomness;
pub mod storage;
pub mod web;
