//! Starting and stopping: each thing that can be wrong is told in words that say what to do.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::house::{House, alone_and_beside_a_server, mode, run};
use crate::support::database::Schema;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

#[test]
fn all_problems_of_the_configuration_are_told_at_once_by_the_names_of_their_variables() {
    let house = House::new();
    let mut command = house.command(&["serve", "--trusted-proxies", "everybody"]);
    command.envs([
        ("TOKENHOUSE_LISTEN", "nowhere"),
        ("TOKENHOUSE_PUBLIC_URL", "http://tokens.example.org"),
        ("TOKENHOUSE_SESSION_HOURS", "0"),
        ("TOKENHOUSE_DATABASE_URL", "mysql://localhost"),
        ("TOKENHOUSE_LOG_FORMAT", "xml"),
    ]);
    let all = ["LISTEN", "PUBLIC_URL", "TRUSTED_PROXIES", "SESSION_HOURS", "DATABASE_URL", "LOG_FORMAT"];
    run(&mut command, "").fails(2, &all.map(|name| format!("(TOKENHOUSE_{name})")).each_ref().map(String::as_str));
    assert!(!house.data().exists(), "a wrong configuration touches nothing");
}

#[test]
fn unknown_arguments_are_a_usage_error_and_help_is_none() {
    let house = House::new();
    house.run(&["serve", "--frobnicate"], "").fails(2, &["--frobnicate"]);
    house.run(&["user", "create", "ada", "--role", "viewer"], "").fails(2, &["--password-stdin"]);
    let help = house.run(&["--help"], "");
    assert!(help.succeeds().contains("TOKENHOUSE_DATA_DIR"));
}

#[test]
fn a_data_directory_that_cannot_be_used_is_named_with_its_variable() {
    let house = House::new();
    fs::write(house.data(), "a file, not a folder").unwrap();
    for arguments in [&["serve"][..], &["migrate"], &["user", "disable", "ada"]] {
        let path = house.data().display().to_string();
        house.run(arguments, "").fails(1, &["cannot use the data directory", &path, "TOKENHOUSE_DATA_DIR"]);
    }
    let mut below_proc = tokenhouse();
    run(below_proc.args(["serve", "--data-dir", "/proc/self/tokenhouse"]), "").fails(1, &["TOKENHOUSE_DATA_DIR"]);
}

#[test]
fn a_second_server_on_the_same_data_directory_is_refused() {
    let mut house = House::new();
    house.serve();
    let path = house.data().display().to_string();
    house.run(&["serve"], "").fails(1, &[&path, "another tokenhouse serves from it", "TOKENHOUSE_DATA_DIR"]);
    // The first goes on.
    house.create_user("ada", "viewer").succeeds();
}

#[test]
fn a_taken_port_is_told_with_the_setting_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let house = House::new();
    house
        .run(&["serve", "--listen", &address], "")
        .fails(1, &[&address, "another program listens", "TOKENHOUSE_LISTEN"]);
}

#[test]
fn a_database_newer_than_the_program_is_left_alone() {
    let house = House::new();
    house.run(&["migrate"], "").succeeds();
    house.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959')");
    for arguments in [&["serve"][..], &["migrate"], &["user", "disable", "ada"]] {
        house.run(arguments, "").fails(1, &["newer than this program", "29991231235959"]);
    }
}

#[test]
fn commands_with_a_database_from_before_the_first_release_say_to_create_a_new_one() {
    let house = House::new();
    house.run(&["migrate"], "").succeeds();
    house.sql("UPDATE __diesel_schema_migrations SET version = '20261121000001'");
    for arguments in [&["serve"][..], &["migrate"], &["user", "disable", "ada"], &["key", "rotate"]] {
        house.run(arguments, "").fails(1, &["before the first release", "20261121000001", "Create a new database"]);
    }
}

#[test]
fn a_file_that_is_no_database_is_told_by_its_path() {
    let house = House::new();
    fs::create_dir(house.data()).unwrap();
    fs::write(house.data().join("tokenhouse.db"), "this is no database at all, not even a short one".repeat(50))
        .unwrap();
    house.run(&["serve"], "").fails(1, &["tokenhouse.db", "not a database"]);
}

#[test]
fn a_postgresql_that_does_not_answer_is_told_without_the_password() {
    let house = House::new();
    let mut command = house.command(&["migrate", "--database-url", "postgres://ada:hunter2@127.0.0.1:1/tokens"]);
    let said = run(&mut command, "");
    said.fails(1, &["cannot reach PostgreSQL", "TOKENHOUSE_DATABASE_URL"]);
    assert!(!said.err.contains("hunter2"), "{}", said.err);
}

#[test]
fn broken_database_url_is_reported_without_the_password() {
    let house = House::new();
    // Each is refused in another place: by the configuration, or by libpq.
    for (url, code) in [
        ("postgres://ada:hunter2@127.0.0.1:port/tokens", 2),
        ("postgres://ada:hunter2%zz@127.0.0.1:1/tokens", 2),
        ("postgres://ada:hunter2/x@127.0.0.1:1/tokens", 2),
        ("postgres://ada:hunter2?x@127.0.0.1:1/tokens", 2),
        ("postgres://ada:x@hunter2@127.0.0.1:1/tokens", 2),
        ("postgres://ada@127.0.0.1:1/tokens?password=x&hunter2", 2),
        ("postgres://ada@127.0.0.1:1/tokens?password=x&hunter2=y", 1),
        ("postgres://ada@127.0.0.1:1/tokens?sslmode=hunter2", 1),
        ("postgres://ada:hunter2@127.0.0.1:1/tokens?connect_timeout=soon", 1),
        ("postgres://ada:hunter2@127.0.0.1:1/tokens?gssencmode=x", 1),
    ] {
        let mut command = house.command(&["migrate"]);
        let said = run(command.env("TOKENHOUSE_DATABASE_URL", url), "");
        said.fails(code, &["TOKENHOUSE_DATABASE_URL"]);
        assert!(!said.err.contains("hunter2"), "{url}: {}", said.err);
    }
}

#[test]
fn arguments_that_may_be_secrets_are_not_repeated() {
    let house = House::new();
    for arguments in [
        &["serve", "postgres://ada:hunter2@127.0.0.1/tokens"][..],
        &["postgres://ada:hunter2@127.0.0.1/tokens"],
        &["user", "create", "ada", "hunter2", "--role", "viewer", "--password-stdin"],
        &["user", "create", "ada", "--role", "viewer", "--password=hunter2"],
        &["user", "create", "ada", "--role", "viewer", "--password-stdin=hunter2"],
        &["token", "revoke", "thp_hunter2"],
        &["-phunter2"],
    ] {
        let said = house.run(arguments, "");
        said.fails(2, &["--help"]);
        assert!(!said.err.contains("hunter2"), "{arguments:?}: {}", said.err);
    }
    house.run(&["serv"], "").fails(2, &["serv"]);
}

#[cfg(not(feature = "postgres-tls"))]
#[test]
fn tls_to_postgresql_is_refused_where_it_was_not_built_in() {
    let house = House::new();
    let url = "postgres://ada@127.0.0.1/tokens?sslmode=require";
    house.run(&["serve", "--database-url", url], "").fails(2, &["TOKENHOUSE_DATABASE_URL", "--features postgres-tls"]);
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let house = House::new();
    let key = house.data().with_extension("key");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let path = key.display().to_string();
    house.run(&["serve", "--secret-key-file", &path], "").fails(1, &[&format!("chmod o-rwx {path}")]);
}

#[test]
fn whatever_the_umask_only_the_owner_may_look() {
    let mut command = Command::new("sh");
    let house = House::new();
    let serve = house.command(&["serve"]);
    command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    command.env("TOKENHOUSE_LISTEN", "127.0.0.1:0");
    let server = Process::start(&mut command);
    server.line("Tokenhouse is listening on ");
    house.create_user("ada", "viewer").succeeds();
    assert_eq!(mode(&house.data()), 0o700);
    for name in ["control.sock", "lock", "secret.key", "tokenhouse.db", "tokenhouse.db-wal", "tokenhouse.db-shm"] {
        assert_eq!(mode(&house.data().join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_data_directory_open_to_others_is_used_with_a_warning() {
    let mut house = House::new();
    fs::create_dir(house.data()).unwrap();
    fs::set_permissions(house.data(), fs::Permissions::from_mode(0o755)).unwrap();
    house.serve();
    let log = house.server().log();
    assert!(log.contains("chmod o-rwx"), "{log}");
}

#[test]
fn a_signal_ends_the_server_gracefully_and_nothing_is_left_in_the_way() {
    for signal in ["-TERM", "-INT"] {
        let house = House::new();
        let mut server = house.command(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("Tokenhouse is listening on http://127.0.0.1:"), "{first}");
        house.create_user("ada", "viewer").succeeds();
        let pid = server.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert_eq!(server.wait().unwrap().code(), Some(0), "{signal}");
        assert!(!house.data().join("control.sock").exists());
        // The file alone is whole: its write-ahead log is empty or gone.
        let log = fs::metadata(house.data().join("tokenhouse.db-wal")).map_or(0, |file| file.len());
        assert_eq!(log, 0);
        house.create_user("bob", "viewer").succeeds();
    }
}

#[test]
fn what_a_crashed_server_left_behind_disturbs_neither_commands_nor_the_next_server() {
    let mut house = House::new();
    house.serve();
    house.kill_server();
    assert!(house.data().join("control.sock").exists());
    house.create_user("ada", "viewer").succeeds();
    house.serve();
    house.create_user("bob", "viewer").succeeds();
    assert_eq!(house.count("users"), 2);
}

#[test]
fn migrate_says_what_it_did() {
    let mut house = House::new();
    assert!(house.run(&["migrate"], "").succeeds().contains("1 migration was run"));
    assert_eq!(house.run(&["migrate"], "").succeeds(), "The database is up to date.\n");
    house.serve();
    assert!(house.run(&["migrate"], "").succeeds().contains("is up to date: the running server"));
}

#[test]
fn commands_that_start_together_wait_for_each_other() {
    alone_and_beside_a_server(|house| {
        std::thread::scope(|scope| {
            for number in 0..6 {
                scope.spawn(move || house.create_user(&format!("user{number}"), "viewer").succeeds().to_owned());
            }
        });
        assert_eq!(house.count("users"), 6);
    });
}

#[test]
fn the_control_socket_survives_what_is_no_command() {
    let mut house = House::new();
    house.serve();
    let ask = |line: &[u8]| {
        let mut stream = UnixStream::connect(house.data().join("control.sock")).unwrap();
        // The server closes early on a line that is too long.
        let _ = stream.write_all(line);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    let silent = UnixStream::connect(house.data().join("control.sock")).unwrap();
    for line in [&b"\n"[..], b"{}\n", b"{\"user_drop\":{\"username\":\"hunter2\"}}\n", b"\xff\xfe\n", b"[[[[[[\n"] {
        let answer = ask(line);
        assert!(answer.starts_with("{\"refused\":") && !answer.contains("hunter2"), "{answer}");
    }
    let long = ask(&[b'x'; 100 * 1024]);
    assert!(long.is_empty() || long.starts_with("{\"refused\":"), "{long}");
    let answer = ask(b"{\"user_disable\":{\"username\":\"nobody\"}}\n");
    assert_eq!(answer, "{\"refused\":\"there is no user nobody.\"}\n");
    let start = Instant::now();
    house.create_user("ada", "viewer").succeeds();
    assert!(start.elapsed() < Duration::from_secs(8), "the silent client kept others waiting");
    drop(silent);
}

#[test]
fn on_postgresql_a_command_needs_no_data_directory_and_no_server() {
    let schema = Schema::create();
    let house = House::new();
    let run = |arguments: &[&str], input: &str| {
        run(house.command(arguments).env("TOKENHOUSE_DATABASE_URL", schema.url()), input)
    };
    assert!(run(&["migrate"], "").succeeds().contains("1 migration was run"));
    let create = ["user", "create", "ada", "--role", "administrator", "--password-stdin"];
    run(&create, "kupfer Wal Ofen 9").succeeds();
    run(&create, "kupfer Wal Ofen 9").fails(1, &["the username ada is taken"]);
    run(&["user", "disable", "ada"], "").fails(1, &["last enabled Administrator"]);
    assert!(!house.data().exists());
}

#[test]
fn unreadable_forwarded_header_is_warned_about_once_without_its_value() {
    let house = House::new();
    let mut server = Process::start(&mut house.command(&["serve"]));
    let address = server.line("Tokenhouse is listening on ");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for (name, value) in
        [("x-forwarded-for", "canary-1"), ("forwarded", "for=canary-2"), ("x-forwarded-for", "192.0.2.1, canary-3")]
    {
        let request = agent.post(format!("{address}/oauth/revoke")).header(name, value);
        request.send("token=x").expect("it answers");
    }
    server.signal("TERM");
    server.wait();
    let log = server.log();
    assert_eq!(log.matches("a trusted proxy sends").count(), 1, "{log}");
    assert!(log.contains("proxy=127.0.0.1") && !log.contains("canary"), "{log}");
}
