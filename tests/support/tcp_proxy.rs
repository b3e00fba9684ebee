//! A TCP proxy in front of PostgreSQL, whose network a test can break.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Connections are closed at once.
    Refuses,
    Works,
    /// Whatever is sent vanishes, and nothing is closed.
    Blackhole,
}

pub struct TcpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    network: Mutex<Network>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    loses_commit: AtomicBool,
}

/// One connection of a client.
#[derive(Default)]
struct Session {
    writes: AtomicBool,
    loses_answer: AtomicBool,
}

impl TcpProxy {
    /// In front of the server of a database URL.
    pub fn start(database_url: &str, network: Network) -> Self {
        let url = Url::parse(database_url).expect("it is an address");
        let upstream = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared {
            upstream,
            network: Mutex::new(network),
            changed: Condvar::new(),
            streams: Mutex::default(),
            loses_commit: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serving.accept(stream);
            }
        });
        Self { address, shared }
    }

    /// The database URL that leads through this proxy.
    pub fn url(&self, database_url: &str) -> String {
        let mut url = Url::parse(database_url).expect("it is an address");
        url.set_port(Some(self.address.port())).expect("it has a port");
        url.into()
    }

    pub fn set(&self, network: Network) {
        *self.shared.network.lock().expect("no thread panics") = network;
        self.shared.changed.notify_all();
    }

    /// Closes all connections.
    pub fn cut(&self) {
        for stream in self.shared.streams.lock().expect("no thread panics").drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
        self.shared.changed.notify_all();
    }

    /// The next change is committed, and its client is cut off instead of answered.
    pub fn lose_next_commit(&self) {
        self.shared.loses_commit.store(true, Ordering::SeqCst);
    }

    pub fn lost_commit(&self) -> bool {
        !self.shared.loses_commit.load(Ordering::SeqCst)
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.set(Network::Refuses);
        self.cut();
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, client: TcpStream) {
        if *self.network.lock().expect("no thread panics") == Network::Refuses {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.upstream) else { return };
        let session = Arc::new(Session::default());
        let clone = |stream: &TcpStream| stream.try_clone().expect("a descriptor is free");
        self.streams.lock().expect("no thread panics").extend([clone(&client), clone(&server)]);
        for (from, to, is_client) in [(clone(&client), clone(&server), true), (server, client, false)] {
            let (shared, session) = (Arc::clone(self), Arc::clone(&session));
            thread::spawn(move || shared.copy(from, to, is_client, &session));
        }
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, is_client: bool, session: &Session) {
        let mut buffer = [0; 1 << 14];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let network = self.network.lock().expect("no thread panics");
            drop(self.changed.wait_while(network, |now| *now == Network::Blackhole).expect("no thread panics"));
            let bytes = &buffer[..count];
            if is_client {
                self.look_at(bytes, session);
            } else if session.loses_answer.load(Ordering::SeqCst) {
                break;
            }
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        from.shutdown(Shutdown::Both).ok();
        to.shutdown(Shutdown::Both).ok();
    }

    /// Finds the COMMIT of a transaction that writes.
    fn look_at(&self, bytes: &[u8], session: &Session) {
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if has("BEGIN") {
            session.writes.store(!has("READ ONLY"), Ordering::SeqCst);
        }
        if has("COMMIT") && session.writes.load(Ordering::SeqCst) && self.loses_commit.swap(false, Ordering::SeqCst) {
            session.loses_answer.store(true, Ordering::SeqCst);
        }
    }
}
