//! A relay in front of PostgreSQL that loses what it is told to lose.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use url::Url;

pub struct Relay {
    url: Url,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Whether the next COMMIT is the last thing that a connection does.
    lose_commit: AtomicBool,
    frozen: Mutex<bool>,
    thawed: Condvar,
}

impl Relay {
    /// Relays to the server at this address, without TLS.
    pub fn start(url: &str) -> Self {
        let mut url = Url::parse(url).expect("an address");
        let host = url.host_str().expect("it names a host").trim_matches(['[', ']']).to_owned();
        let server = (host, url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        url.set_host(Some("127.0.0.1")).expect("it takes a host");
        url.set_port(Some(port)).expect("it takes a port");
        url.query_pairs_mut().append_pair("sslmode", "disable");
        // libpq knows no plus sign for a space.
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query));
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect((server.0.as_str(), server.1)) else { continue };
                let lost = Arc::new(AtomicBool::new(false));
                for (from, to, is_client) in [(&client, &server, true), (&server, &client, false)] {
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    let (state, lost) = (shared.clone(), lost.clone());
                    thread::spawn(move || state.pass(from, to, is_client, &lost));
                }
            }
        });
        Self { url, state }
    }

    /// The address to use in the place of the server's.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// The next COMMIT reaches the server, and its answer reaches nobody: the connection breaks.
    pub fn lose_the_next_commit_answer(&self) {
        self.state.lose_commit.store(true, Ordering::SeqCst);
    }

    /// From now on nothing passes, and no connection breaks.
    pub fn freeze(&self) {
        *self.state.frozen.lock().expect("nobody panics") = true;
    }

    pub fn thaw(&self) {
        *self.state.frozen.lock().expect("nobody panics") = false;
        self.state.thawed.notify_all();
    }
}

impl State {
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_client: bool, lost: &AtomicBool) {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let bytes = &bytes[..length];
            if is_client && bytes.windows(6).any(|word| word == b"COMMIT") {
                let lose = self.lose_commit.swap(false, Ordering::SeqCst);
                lost.store(lose, Ordering::SeqCst);
            }
            if !is_client && lost.load(Ordering::SeqCst) {
                break;
            }
            let frozen = self.frozen.lock().expect("nobody panics");
            drop(self.thawed.wait_while(frozen, |frozen| *frozen).expect("nobody panics"));
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        // Both may be closed already.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
