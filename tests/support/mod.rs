//! What several test crates share: processes that cannot outlive their test, and the real server among them.
//!
//! A test crate takes this in by `#[path = "../support/mod.rs"] mod support;` (or `#[path = "support/mod.rs"]`).
#![allow(dead_code, reason = "each test crate uses its own part of this")]

pub mod database;
pub mod http;
pub mod process;
pub mod server;
pub mod tcp_proxy;
