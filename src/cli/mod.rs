//! The command line: one file a command. Answers go to standard output, everything else to standard error.

mod command;
mod control;
mod data_dir;
mod demo;
mod input;
mod key;
mod migrate;
mod oci;
mod serve;
mod token;
mod usage;
mod user;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};
use crate::logging;

/// The self-hosted desk at which a registry hands out its keys.
///
/// Without a command it serves. Each flag can be given as the environment variable named beside it.
#[derive(Parser)]
#[command(name = "tokenhouse", version, max_term_width = 120)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Serve the portal and the doors for tokens, until SIGTERM or SIGINT
    Serve,
    /// Bring the database up to date, as `serve` does when it starts
    Migrate,
    /// Create users, disable them, reset their passwords
    #[command(subcommand)]
    User(user::Task),
    /// Revoke tokens
    #[command(subcommand)]
    Token(token::Task),
    /// Rotate the keys that sign registry tokens, give up sealing keys that are lost
    #[command(subcommand)]
    Key(key::Task),
    /// Set up container registries
    #[command(subcommand)]
    Oci(oci::Task),
}

/// Why a command came to nothing: plain lines that say what to do.
#[derive(Debug)]
enum Failure {
    /// The arguments or the configuration.
    Usage(String),
    Failed(String),
}

impl Failure {
    fn failed(reason: impl ToString) -> Self {
        Self::Failed(reason.to_string())
    }
}

/// Reads the arguments and does what they ask for. The code is 0 for success, 2 for wrong arguments or a wrong
/// configuration, 1 for every other failure.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => {
            // Nobody is left to tell when standard error is closed.
            let _ = match usage::in_place_of(&answer) {
                Some(sentence) => writeln!(io::stderr(), "tokenhouse: {sentence}"),
                None => answer.print(),
            };
            return if answer.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let (code, reason) = match perform(arguments) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(reason)) => (2, reason),
        Err(Failure::Failed(reason)) => (1, reason),
    };
    // Nobody is left to tell when standard error is closed too.
    let _ = writeln!(io::stderr(), "tokenhouse: {reason}");
    ExitCode::from(code)
}

fn perform(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::from_flags(&arguments.flags).map_err(|problems| Failure::Usage(problems.to_string()))?;
    logging::start(config.log_level, config.log_json);
    let task = arguments.task.unwrap_or(Task::Serve);
    if config.demo && !matches!(task, Task::Serve) {
        return Err(Failure::Usage("--demo (TOKENHOUSE_DEMO) goes with serve only; leave it out.".to_owned()));
    }
    match task {
        Task::Serve => serve::run(config),
        Task::Migrate => migrate::run(&config),
        Task::User(task) => user::run(&config, task),
        Task::Token(task) => token::run(&config, &task),
        Task::Key(task) => key::run(&config, &task),
        Task::Oci(task) => oci::run(&config, &task),
    }
}

/// Writes a line to standard output.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
