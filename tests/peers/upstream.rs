//! The service behind a proxy: it answers with what reached it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Listens until the tests end.
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = Arc::clone(&count);
                thread::spawn(move || answer(stream, &count));
            }
        });
        Self { address, seen }
    }

    /// How many requests came through so far.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// Sends back the head of one request as it came, line for line, and then its body.
fn answer(stream: TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let mut body = Vec::new();
    if text.contains("\r\ntransfer-encoding: chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            reader.read_until(b'\n', &mut body).ok().filter(|read| *read > 0)?;
        }
    } else if let Some((_, rest)) = text.split_once("\r\ncontent-length: ") {
        let length = rest.split("\r\n").next()?.parse().ok()?;
        reader.take(length).read_to_end(&mut body).ok()?;
    }
    let length = head.len() + body.len();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").ok()?;
    stream.write_all(&head).ok()?;
    stream.write_all(&body).ok()
}
