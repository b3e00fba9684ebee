//! The real binary, serving on a free port from a data directory of its own.

use std::process::Command;
use tempfile::TempDir;

use super::process::Process;

pub struct Server {
    process: Process,
    data: TempDir,
    address: String,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[], &[])
    }

    /// Starts it with more arguments after `serve`, and with environment variables.
    pub fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        let mut command = tokenhouse();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(arguments)
            .envs(variables.iter().copied());
        let process = Process::start(&mut command);
        let address = process.line("Tokenhouse is listening on ");
        Self { process, data, address }
    }

    /// The absolute address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Where the first administrator is created, code and all.
    pub fn setup_address(&self) -> String {
        self.process.line("Create the first administrator at ")
    }

    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The first line of the log that has `words` in it. Waits for that line.
    pub fn log_line(&self, words: &str) -> String {
        self.process.line_with(words)
    }

    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// The binary, deaf to whatever configuration the tests' own environment holds.
pub fn tokenhouse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenhouse"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOKENHOUSE_") {
            command.env_remove(name);
        }
    }
    command
}
