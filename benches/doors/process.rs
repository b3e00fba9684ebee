//! Servers as processes of their own, which end with the benchmark, and what the system tells of them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{WORKERS, load};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tokenhouse");
/// Linux counts processor time in hundredths of a second, on every machine that it runs on today.
const TICKS: f64 = 100.0;

pub struct Server {
    child: Child,
    said: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    /// The real program, with its log thrown away.
    pub fn tokenhouse(data_dir: &Path, database_url: Option<&str>) -> Self {
        let mut command = Command::new(PROGRAM);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOKENHOUSE_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--workers", &WORKERS.to_string()]);
        // Room for many, so that making them can be measured.
        command.args(["--max-api-tokens", "100", "--data-dir"]).arg(data_dir);
        if let Some(url) = database_url {
            command.env("TOKENHOUSE_DATABASE_URL", url);
        }
        Self::start(&mut command)
    }

    /// One of [`crate::bare::Bare`], which is this program under another flag.
    pub fn bare(name: &str, target: &str) -> Self {
        let own = std::env::current_exe().expect("this program has a path");
        Self::start(Command::new(own).args(["--bare", name, "--target", target]))
    }

    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let mut server =
            Self { said: BufReader::new(child.stdout.take().expect("it is piped")), child, address: String::new() };
        let line = server.line();
        let address = line.rsplit(' ').next().unwrap_or_default();
        server.address = address.trim_start_matches("http://").to_owned();
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the server writes text");
        assert!(line.contains(' '), "a server ended before it was ready");
        line.trim_end().to_owned()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Processor time used so far, in seconds.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the server runs");
        // After the name, which is in brackets, come the third field and the rest; 14 and 15 are user and system time.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
    }

    /// Waits until it has nothing left to do, such as writing down what was counted.
    pub fn settle(&self) {
        let start = Instant::now();
        let mut before = self.cpu();
        while start.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(300));
            let now = self.cpu();
            if now - before < 0.015 {
                return;
            }
            before = now;
        }
    }

    /// Resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<f64>().ok()).unwrap_or_default()
            * 1.024e-3
    }

    /// What [`crate::bare::Bare::Argon2`] does in a second.
    pub fn per_second(mut self, time: Duration) -> f64 {
        let before = self.count();
        let start = Instant::now();
        thread::sleep(time);
        (self.count() - before) / start.elapsed().as_secs_f64()
    }

    fn count(&mut self) -> f64 {
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"\n").expect("it listens");
        self.line().rsplit(' ').next().and_then(|number| number.parse().ok()).expect("it says a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// From the start of the process to its first answer.
pub fn start_to_answer(data_dir: &Path) -> Duration {
    let start = Instant::now();
    let server = Server::tokenhouse(data_dir, None);
    let status = load::get(server.address(), "/healthz", "").status;
    assert_eq!(status, 200);
    start.elapsed()
}

/// The database and the key, without what belongs to a running server.
pub fn copy_data(from: &Path, to: &Path) {
    for name in ["tokenhouse.db", "tokenhouse.db-wal", "secret.key"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).expect("it can be copied");
        }
    }
}

pub fn program_size() -> u64 {
    fs::metadata(PROGRAM).expect("it was built").len()
}
