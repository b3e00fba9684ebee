//! `tokenhouse oci …`: for operators of container registries.

pub mod registry_config;

use clap::Subcommand;

use super::Failure;
use crate::config::Config;

#[derive(Subcommand)]
pub enum Task {
    /// Print the section `auth` for the configuration of a container registry, and write the certificates it names
    RegistryConfig(registry_config::Arguments),
}

pub fn run(config: &Config, task: &Task) -> Result<(), Failure> {
    match task {
        Task::RegistryConfig(arguments) => registry_config::run(config, arguments),
    }
}
