//! What becomes of a request whose client closes its connection.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use tokenhouse::storage::connection::Target;

use crate::support::{Database, Portal};

/// How long the server may take to notice something. Long, since a busy machine is not a broken program.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn waiting_change_of_a_client_that_closes_is_not_made() {
    let portal = Portal::start_patient(Database::sqlite());
    let ada = portal.user("ada");
    let token = portal.token_named(&ada, "before");
    let browser = ada.sign_in();
    let Target::Sqlite(path) = portal.database.target() else { panic!("it is SQLite") };
    let mut other = SqliteConnection::establish(path.to_str().expect("a readable path")).expect("it opens");
    other.batch_execute("PRAGMA busy_timeout=5000; BEGIN IMMEDIATE").expect("it takes the lock");

    let connections = &portal.shared.connections;
    let before = connections.open();
    let mut stream = TcpStream::connect(portal.address).expect("it listens");
    let body = "name=after";
    write!(
        stream,
        "POST {} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {}={}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        token.page("name"),
        portal.host(),
        portal.cookies().session,
        browser.session().expect("it is signed in"),
        body.len(),
    )
    .expect("it is sent");
    wait_until("the connection is open", || connections.open() > before);
    drop(stream);
    wait_until("the connection is closed", || connections.open() <= before);

    other.batch_execute("ROLLBACK").expect("it lets go");
    portal.token_named(&ada, "later");
    browser.page("/profile/api-tokens").says("before").says("later").does_not_say("after");
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::yield_now();
    }
}
