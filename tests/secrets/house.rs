//! A server on a data directory of its own, and the commands that are run beside it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::server::tokenhouse;

pub struct House {
    folder: TempDir,
    server: Process,
    pub address: String,
}

impl House {
    pub fn serve(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut command = tokenhouse();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(arguments);
        let server = Process::start(&mut command);
        let address = server.line("Tokenhouse is listening on ");
        Self { folder, server, address }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The code in the address that the server printed.
    pub fn setup_code(&self) -> String {
        let address = self.server.line("Create the first administrator at ");
        address.split_once("code=").expect("the address has a code").1.to_owned()
    }

    /// All that the server wrote, but for the one line that must tell the set-up code.
    pub fn log(&self) -> String {
        let log = self.server.log();
        log.lines().filter(|line| !line.starts_with("Create the first")).collect::<Vec<_>>().join("\n")
    }

    /// The content of the key file.
    pub fn key(&self) -> String {
        std::fs::read_to_string(self.data().join("secret.key")).expect("there is a key file")
    }

    /// Runs a command beside the server; returns what it said on both outputs.
    pub fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command: Command = tokenhouse();
        let command = command.args(arguments).args(["--log-level", "trace", "--data-dir"]).arg(self.data());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // It may have refused its arguments already, and reads nothing then.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        let Output { stdout, stderr, .. } = child.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr)
    }

    /// As if the last password entry lay far back.
    pub fn let_the_password_grow_old(&self) {
        let path = self.data().join("tokenhouse.db");
        let mut connection = SqliteConnection::establish(&path.to_string_lossy()).expect("it opens");
        connection
            .batch_execute("PRAGMA busy_timeout=5000; UPDATE sessions SET authenticated_at = authenticated_at - 86400")
            .expect("it takes changes");
    }

    /// Stops in good order.
    pub fn stop(&mut self) {
        self.server.signal("TERM");
        assert!(self.server.wait().success(), "{}", self.server.log());
    }
}
