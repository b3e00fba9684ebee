//! Starting on a PostgreSQL that is late, unencrypted, or behind a pooler.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::TempDir;

use crate::house::{House, run};
use crate::support::database::{OwnDatabase, Schema, server};
use crate::support::process::Process;
use crate::support::tcp_proxy::{Network, TcpProxy};

const VARIABLE: &str = "TOKENHOUSE_DATABASE_URL";

#[test]
fn serve_before_its_postgresql_waits_for_it_and_names_the_cause() {
    let schema = Schema::create();
    let proxy = TcpProxy::start(&schema.url(), Network::Refuses);
    let house = House::new();
    let server = Process::start(house.command(&["serve"]).env(VARIABLE, proxy.url(&schema.url())));
    let line = server.line_with("cannot reach PostgreSQL");
    assert!(line.contains("closed the connection") && line.contains("Trying again for"), "{line}");
    proxy.set(Network::Works);
    server.line("Tokenhouse is listening on ");
    let log = server.log();
    assert!(!log.contains("secret@") && !log.contains("unexpected database error"), "{log}");
}

#[test]
fn serve_with_an_unknown_parameter_in_its_database_url_fails_without_trying_again() {
    let url = "postgres://tokenhouse@127.0.0.1:1/tokens?hunter2=1";
    let house = House::new();
    let mut process = Process::start(house.command(&["serve"]).env(VARIABLE, url));
    assert_eq!(process.wait().code(), Some(1));
    let log = process.log();
    assert!(log.contains("libpq cannot use the database URL") && !log.contains("Trying again"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn serve_on_postgresql_without_tls_warns_once() {
    let schema = Schema::create();
    let house = House::new();
    let server = Process::start(house.command(&["serve"]).env(VARIABLE, format!("{}&sslmode=disable", schema.url())));
    server.line("Tokenhouse is listening on ");
    let warnings = server.log().lines().filter(|line| line.contains("is not encrypted")).count();
    assert_eq!(warnings, 1, "{}", server.log());
}

#[test]
fn migrate_through_a_pooler_in_transaction_mode_is_refused() {
    let database = OwnDatabase::create();
    for (mode, is_accepted) in [("transaction", false), ("session", true)] {
        let pooler = Pooler::start(&database, mode);
        let said = run(House::new().command(&["migrate"]).env(VARIABLE, &pooler.url), "");
        if is_accepted {
            said.succeeds();
        } else {
            said.fails(1, &["pooler in transaction mode", "pool_mode=session"]);
        }
    }
}

/// PgBouncer on a socket in a folder of its own.
struct Pooler {
    _process: Process,
    _folder: TempDir,
    url: String,
}

impl Pooler {
    fn start(database: &OwnDatabase, mode: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().display().to_string();
        // As root it runs as another user, who makes the socket.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
        let (server, name) = (server(), database.name());
        let upstream = format!(
            "host={} port={} user={} password={}",
            server.host_str().expect("a host"),
            server.port().expect("a port"),
            server.username(),
            server.password().expect("a password")
        );
        let configuration = format!(
            "[databases]\n{name} = {upstream}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {path}\nauth_type = any\npool_mode = {mode}\n"
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration).expect("it can be written");
        let mut command = Command::new("pgbouncer");
        if Command::new("id").arg("-u").output().expect("id runs").stdout == b"0\n" {
            command.args(["--user", "postgres"]);
        }
        let process = Process::start(command.arg(&file));
        process.line_with("process up");
        let url = format!("postgres://tokenhouse@/{name}?host={path}&port=6432");
        Self { _process: process, _folder: folder, url }
    }
}
