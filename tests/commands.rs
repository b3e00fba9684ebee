//! The commands of the shell as a person runs them: the real binary, alone and beside a server that serves from the
//! same data directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "commands/house.rs"]
mod house;
#[path = "commands/starting.rs"]
mod starting;
#[path = "support/mod.rs"]
mod support;
#[path = "commands/tokens.rs"]
mod tokens;
#[path = "commands/users.rs"]
mod users;
