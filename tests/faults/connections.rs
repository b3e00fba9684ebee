//! Clients that open many connections, read nothing, or send what is no HTTP.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::http::ask;
use crate::support::server::Server;

/// What [`tokenhouse::web::connections`] allows.
const PER_ADDRESS: usize = tokenhouse::web::connections::MAX_CONNECTIONS_PER_ADDRESS;

fn host(server: &Server) -> String {
    server.address("").trim_start_matches("http://").to_owned()
}

#[test]
fn connection_beyond_the_limit_of_its_address_is_closed_at_once() {
    const MORE: usize = 40;
    let server = Server::with(&["--trusted-proxies", "10.0.0.0/8"], &[]);
    let host = host(&server);
    let mut streams: Vec<TcpStream> =
        (0..PER_ADDRESS + MORE).map(|_| TcpStream::connect(&host).expect("the listener accepts")).collect();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut refused = 0;
    for stream in &mut streams {
        let mut start = [0; 15];
        match stream.write_all(request.as_bytes()).and_then(|()| stream.read_exact(&mut start)) {
            Ok(()) => assert_eq!(&start, b"HTTP/1.1 200 OK"),
            Err(error) => {
                let closed = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                assert!(closed.contains(&error.kind()), "{error}");
                refused += 1;
            }
        }
    }
    assert!((1..=MORE).contains(&refused), "{refused}");
    drop(streams);
    while ask(&server.address(""), "/healthz", None).is_err() {}
}

#[test]
fn clients_that_never_read_fill_no_memory_and_what_they_took_is_returned() {
    const CLIENTS: usize = 300;
    let server = Server::start();
    let host = host(&server);
    assert_eq!(ask(&server.address(""), "/api/v1/openapi.json", None).expect("it answers").status, 200);
    let before = resident_kilobytes(&server);
    let requests = format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: {host}\r\n\r\n").repeat(400);
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(&host).expect("the listener accepts");
        stream.set_nonblocking(true).expect("a socket");
        // As much as fits.
        let _ = stream.write(requests.as_bytes());
        streams.push(stream);
    }
    for _ in 0..30 {
        assert_eq!(ask(&server.address(""), "/healthz", None).expect("it answers others").status, 200);
        for stream in &mut streams {
            let _ = stream.write(requests.as_bytes());
        }
    }
    let full = resident_kilobytes(&server);
    println!("{} MiB with {CLIENTS} clients", full / 1024);
    assert!(full < 150 * 1024, "{full} kB");
    drop(streams);
    // The program returns the memory within seconds of the end of the connections.
    let deadline = Instant::now() + Duration::from_secs(60);
    while resident_kilobytes(&server) > before + 12 * 1024 {
        assert!(
            Instant::now() < deadline,
            "{} kB before, {full} with them, {} after",
            before,
            resident_kilobytes(&server)
        );
        thread::yield_now();
    }
}

/// The memory that the program occupies now, in kB.
fn resident_kilobytes(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
}

#[test]
fn malformed_request_is_logged_at_debug_without_its_bytes() {
    let server = Server::with(&["--log-level", "debug"], &[]);
    let host = host(&server);
    for request in [
        "thp_0123456789 HTTP\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nthp_0123456789\r\n\r\n".to_owned(),
        format!("GET /thp_0123456789\u{7f} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: thp_0123456789\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(&host).expect("the listener accepts");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
    }
    server.log_line("a malformed HTTP request was refused");
    let log = server.log();
    assert!(!log.contains("thp_0123456789"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}
