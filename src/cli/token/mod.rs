//! `tokenhouse token …`

pub mod revoke;

use clap::Subcommand;

use super::Failure;
use crate::config::Config;

#[derive(Subcommand)]
pub enum Task {
    /// Revoke the token that is written to standard input, as one line; never take it as an argument
    Revoke,
}

pub fn run(config: &Config, task: &Task) -> Result<(), Failure> {
    match task {
        Task::Revoke => revoke::run(config),
    }
}
