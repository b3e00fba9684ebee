//! A data directory, the commands that are run on it, and what they left in its database.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::server::tokenhouse;

pub const PASSWORD: &str = "kupfer Wal Ofen 9";

pub struct House {
    folder: TempDir,
    server: Option<Process>,
}

/// How a command ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl House {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder can be made"), server: None }
    }

    /// The data directory; the program makes it.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts a server; what is run from now on is run beside it.
    pub fn serve(&mut self) {
        let process = Process::start(&mut self.command(&["serve"]));
        process.line("Tokenhouse is listening on ");
        self.server = Some(process);
    }

    pub fn server(&self) -> &Process {
        self.server.as_ref().expect("it serves")
    }

    /// What the running server says to a token.
    pub fn status(&self, token: &str) -> u16 {
        let address = self.server().line("Tokenhouse is listening on ");
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.get(format!("{address}/api/v1/me")).header("authorization", format!("Bearer {token}"));
        request.call().expect("it answers").status().as_u16()
    }

    pub fn kill_server(&mut self) {
        self.server = None;
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tokenhouse();
        command.args(arguments).arg("--data-dir").arg(self.data()).env("TOKENHOUSE_LISTEN", "127.0.0.1:0");
        command
    }

    pub fn run(&self, arguments: &[&str], input: &str) -> Said {
        run(&mut self.command(arguments), input)
    }

    pub fn create_user(&self, name: &str, role: &str) -> Said {
        self.run(&["user", "create", name, "--role", role, "--password-stdin"], PASSWORD)
    }

    pub fn database(&self) -> SqliteConnection {
        let path = self.data().join("tokenhouse.db");
        let mut connection = SqliteConnection::establish(path.to_str().expect("the path is text")).expect("it opens");
        connection.batch_execute("PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON").expect("it takes pragmas");
        connection
    }

    pub fn sql(&self, sql: &str) {
        self.database().batch_execute(sql).expect(sql);
    }

    pub fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) AS number FROM {from}");
        diesel::sql_query(sql).get_result::<Number>(&mut self.database()).expect(from).number
    }

    pub fn text(&self, sql: &str) -> String {
        diesel::sql_query(sql).get_result::<Words>(&mut self.database()).expect(sql).words
    }

    /// The log of what commands did, as `actor action subject`, oldest first. Of what several processes did in one second,
    /// which ids do not order, what was created comes first.
    pub fn events(&self) -> Vec<String> {
        let sql = "SELECT actor_kind || ' ' || action || ' ' || subject_name AS words FROM events
            WHERE actor_kind <> 'system'
            ORDER BY at, action NOT LIKE '%.created', id";
        let rows: Vec<Words> = diesel::sql_query(sql).load(&mut self.database()).expect(sql);
        rows.into_iter().map(|row| row.words).collect()
    }

    /// A session of this user, as a browser would have it.
    pub fn sign_in(&self, name: &str) {
        self.sql(&format!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, address, user_agent)
             SELECT (SELECT count(*) + 1 FROM sessions), id, 1, 1, 1, '192.0.2.1', 'x' FROM users WHERE username = '{name}'"
        ));
    }
}

/// Twice the same: alone, and beside a server.
pub fn alone_and_beside_a_server(test: impl Fn(&House)) {
    let mut house = House::new();
    test(&house);
    house = House::new();
    house.serve();
    test(&house);
}

pub fn run(command: &mut Command, input: &str) -> Said {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    // It may have refused its arguments already, and reads nothing then.
    let _ = child.stdin.take().expect("standard input is piped").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    Said {
        code: status.code().expect("no signal ended it"),
        out: String::from_utf8(stdout).expect("it writes text"),
        err: String::from_utf8(stderr).expect("it writes text"),
    }
}

impl Said {
    #[track_caller]
    pub fn succeeds(&self) -> &str {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        &self.out
    }

    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "what fails has no answer");
        for words in words {
            assert!(self.err.contains(words), "“{words}” is not in: {}", self.err);
        }
    }
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    words: String,
}
