//! What a stop and the next start leave of what was under way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;

use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};

use crate::house::House;
use crate::stopped::{create, me};
use crate::support::database::Schema;
use crate::support::http::ask;
use crate::support::server::tokenhouse;
use crate::support::tcp_proxy::{Network, TcpProxy};

/// Clients that connect anew for each request.
const CLIENTS: usize = 6;
const DRAIN_SECONDS: &str = "TOKENHOUSE_DRAIN_SECONDS";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[test]
fn restart_cuts_no_accepted_connection() {
    let restarts = if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 100 } else { 3 };
    let mut house = house(&[(DRAIN_SECONDS, "0")]);
    let secret = create(&mut house.browser, "first");
    let (mut answered, mut cut) = (0, Vec::new());
    for _ in 0..restarts {
        let address = house.address().to_owned();
        let mut server = house.take_server();
        let (head, secret) = (address.trim_start_matches("http://"), &secret);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| request_until_refused(head, secret))).collect();
            for _ in 0..20 {
                me(&address, secret);
            }
            server.signal("TERM");
            assert_eq!(server.wait().code(), Some(0), "{}", server.log());
            assert!(!server.log().contains(" ERROR "), "{}", server.log());
            for client in clients {
                let (count, errors) = client.join().expect("no client panics");
                answered += count;
                cut.extend(errors);
            }
        });
        house.serve();
    }
    println!("{restarts} restarts, {answered} requests answered");
    assert_eq!(cut, Vec::<String>::new(), "of {answered} connections");
}

/// Returns how many requests were answered, and what happened to accepted connections that were not.
fn request_until_refused(host: &str, secret: &str) -> (usize, Vec<String>) {
    let (mut answered, mut cut) = (0, Vec::new());
    let request = format!(
        "GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\r\n"
    );
    loop {
        let mut stream = match TcpStream::connect(host) {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return (answered, cut),
            Err(error) => panic!("{error}"),
        };
        let mut answer = Vec::new();
        match stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)) {
            Ok(_) if answer.starts_with(b"HTTP/1.1 200 OK") => answered += 1,
            Ok(_) => cut.push(format!("closed after {:?}", String::from_utf8_lossy(&answer))),
            Err(error) => cut.push(error.to_string()),
        }
    }
}

#[test]
fn stop_answers_readyz_with_503_and_new_requests_until_the_drain_ends() {
    let mut house = house(&[(DRAIN_SECONDS, "60")]);
    let address = house.address().to_owned();
    let mut server = house.take_server();
    assert_eq!(ask(&address, "/readyz", None).expect("it answers").status, 200);
    server.signal("TERM");
    server.line_with("stopping");
    let ready = ask(&address, "/readyz", None).expect("it answers");
    assert_eq!((ready.status, ready.body.as_str()), (503, "stopping\n"));
    // This client would have kept its connection.
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("it still accepts");
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers, and closes");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.to_lowercase().contains("connection: close"), "{answer}");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "a second signal stops it at once");
}

#[test]
fn second_signal_keeps_counts_in_a_file_that_the_next_start_writes() {
    let mut house = house(&[(DRAIN_SECONDS, "60")]);
    let secret = create(&mut house.browser, "first");
    let address = house.address().to_owned();
    let mut server = house.take_server();
    server.signal("TERM");
    server.line_with("stopping");
    // No flush is due between the uses and the signal, but for bad luck; then the database has them, and no file.
    let used = 20;
    for _ in 0..used {
        assert_eq!(me(&address, &secret), 200);
    }
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    let sum = "SELECT coalesce(sum(reads + writes), 0) AS number FROM token_clients";
    assert!(house.database().number(sum) == used || !kept(&house).is_empty(), "what is not written is kept");
    house.serve();
    while !kept(&house).is_empty() {
        assert_eq!(ask(house.address(), "/healthz", None).expect("it answers").status, 200);
    }
    assert_eq!(house.database().number(sum), used, "none is lost, none counts twice");
}

#[test]
fn stop_does_not_wait_for_a_database_that_hangs() {
    let schema = Schema::create();
    let proxy = TcpProxy::start(&schema.url(), Network::Works);
    let mut house = house(&[(DRAIN_SECONDS, "0"), ("TOKENHOUSE_DATABASE_URL", &proxy.url(&schema.url()))]);
    let secret = create(&mut house.browser, "first");
    let address = house.address().to_owned();
    let mut used = 0;
    for _ in 0..10 {
        assert_eq!(me(&address, &secret), 200);
        used += 1;
    }
    let mut server = house.take_server();
    proxy.set(Network::Blackhole);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    proxy.set(Network::Works);
    house.serve();
    while !kept(&house).is_empty() {
        assert_eq!(ask(house.address(), "/healthz", None).expect("it answers").status, 200);
    }
    let mut server = house.take_server();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    let mut database = PgConnection::establish(&schema.url()).expect("PostgreSQL answers");
    let sum = "SELECT coalesce(sum(reads + writes), 0)::bigint AS number FROM token_clients";
    let counted = diesel::sql_query(sum).get_result::<Number>(&mut database).expect("it answers").number;
    assert_eq!(counted, used, "none is lost, none counts twice");
}

/// With these environment variables.
fn house(variables: &[(&'static str, &str)]) -> House {
    let variables: Vec<(&'static str, String)> =
        variables.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    House::set_up_with(move |_| {
        let mut command = tokenhouse();
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command
    })
}

/// Files with counts in the data directory.
fn kept(house: &House) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(house.data()).expect("the folder can be read");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files
}
