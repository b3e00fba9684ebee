//! A server on a data directory of its own, and the commands that are run beside it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokenhouse::domain::signing_key::SigningKeyId;
use tokenhouse::storage::schema::signing_keys as keys;
use tokenhouse::storage::sealing::{Sealed, SealingKeys};
use tokenhouse::storage::signing_keys;

use crate::canaries::Canaries;
use crate::support::database::Schema;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

pub struct House {
    folder: TempDir,
    /// Where the data is, if not in a file.
    schema: Option<Schema>,
    server: Process,
    pub address: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The same with a connection of either kind.
macro_rules! with_connection {
    ($house:expr, |$connection:ident| $work:expr) => {
        match &$house.schema {
            None => {
                let path = $house.data().join("tokenhouse.db");
                let $connection = &mut SqliteConnection::establish(&path.to_string_lossy()).expect("it opens");
                $connection.batch_execute("PRAGMA busy_timeout=5000").expect("it takes pragmas");
                $work
            }
            Some(schema) => {
                let $connection = &mut PgConnection::establish(&schema.url()).expect("it answers");
                $work
            }
        }
    };
}

impl House {
    pub fn serve(schema: Option<Schema>, arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut command = tokenhouse();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .args(arguments)
            .envs(database(schema.as_ref()));
        let server = Process::start(&mut command);
        let address = server.line("Tokenhouse is listening on ");
        Self { folder, schema, server, address }
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
        let command = command.envs(database(self.schema.as_ref()));
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
        let sql = "UPDATE sessions SET authenticated_at = authenticated_at - 86400";
        with_connection!(self, |connection| connection.batch_execute(sql)).expect("it takes changes");
    }

    /// The private parts of all keys that sign, as they are sealed: PKCS #8 in Base64.
    pub fn signing_keys(&self) -> Vec<String> {
        let sealing = SealingKeys::load(&self.data().join("secret.key")).expect("there is a key file");
        let rows = keys::table.filter(keys::sealed.is_not_null()).select((
            keys::id,
            keys::sealed.assume_not_null(),
            keys::key_id.assume_not_null(),
        ));
        let rows: Vec<(String, Vec<u8>, String)> =
            with_connection!(self, |connection| rows.load(connection)).expect("it answers");
        rows.into_iter()
            .map(|(id, bytes, key_id)| {
                let sealed = Sealed { bytes, key_id };
                let opened = signing_keys::open(&sealing, &SigningKeyId::from_stored(id), &sealed);
                opened.expect("the key file opens it").to_string()
            })
            .collect()
    }

    /// Searches every file of the data directory but that of the key, and every row where the data is in no file.
    #[track_caller]
    pub fn assert_keeps_none_of(&self, canaries: &Canaries) {
        let mut searched = canaries.assert_absent_from_files(&self.data());
        if let Some(schema) = &self.schema {
            let rows = rows(schema);
            canaries.assert_absent("PostgreSQL", rows.as_bytes());
            searched += rows.len();
        }
        assert!(searched > 10_000, "there is a database");
    }

    /// Stops in good order.
    pub fn stop(&mut self) {
        self.server.signal("TERM");
        assert!(self.server.wait().success(), "{}", self.server.log());
    }
}

/// Every row of every table as PostgreSQL writes it, bytes in hexadecimal digits.
fn rows(schema: &Schema) -> String {
    let mut connection = PgConnection::establish(&schema.url()).expect("it answers");
    let mut lines = |query: &str| -> Vec<String> {
        let lines: Vec<Line> = diesel::sql_query(query).load(&mut connection).expect(query);
        lines.into_iter().map(|line| line.line).collect()
    };
    let tables = lines("SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()");
    assert!(tables.len() > 10, "{tables:?}");
    let rows: Vec<_> =
        tables.iter().map(|table| lines(&format!("SELECT t::text AS line FROM {table} t")).join("\n")).collect();
    rows.join("\n")
}

/// What tells the program of the database.
fn database(schema: Option<&Schema>) -> Option<(&'static str, String)> {
    schema.map(|schema| ("TOKENHOUSE_DATABASE_URL", schema.url()))
}
