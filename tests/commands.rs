//! The commands of the shell as a person runs them: the real binary, alone and beside a server that serves from the
//! same data directory.

#[path = "commands/demo.rs"]
mod demo;
#[path = "commands/file_access.rs"]
mod file_access;
#[path = "commands/house.rs"]
mod house;
#[path = "commands/keys.rs"]
mod keys;
#[path = "commands/postgres.rs"]
mod postgres;
#[path = "commands/registry_config.rs"]
mod registry_config;
#[path = "commands/starting.rs"]
mod starting;
#[path = "support/mod.rs"]
mod support;
#[path = "commands/tokens.rs"]
mod tokens;
#[path = "commands/users.rs"]
mod users;
