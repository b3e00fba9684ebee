//! The service behind a proxy: it answers with what reached it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The opening handshake of RFC 6455, section 1.3: the client's key and the server's answer to it.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Frames of RFC 6455, section 5.7: "Hello", masked and unmasked.
pub const HELLO_OF_CLIENT: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
pub const HELLO_OF_SERVER: [u8; 7] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

/// Listens until the tests end.
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let list = Arc::clone(&list);
                thread::spawn(move || answer(stream, &list));
            }
        });
        Self { address, seen }
    }

    /// How many requests came through so far.
    pub fn seen(&self) -> usize {
        self.targets().len()
    }

    /// What they asked for, as it stood in their first lines.
    pub fn targets(&self) -> Vec<String> {
        self.seen.lock().expect("no answer panics").clone()
    }
}

/// Sends back the head of one request as it came, line for line, and then its body.
fn answer(stream: TcpStream, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head);
    let target = text.split(' ').nth(1)?.to_owned();
    seen.lock().expect("no answer panics").push(target);
    if text.contains(KEY) {
        return open_websocket(stream, reader, &text);
    }
    let text = text.to_lowercase();
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

/// Speaks WebSocket where the request for it arrived whole: says who it is told asks, and answers one frame.
fn open_websocket(mut stream: TcpStream, mut reader: BufReader<TcpStream>, head: &str) -> Option<()> {
    let value = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value).to_owned()
    };
    let asked = value("upgrade") == "websocket" && value("connection").eq_ignore_ascii_case("upgrade");
    if !asked || value("sec-websocket-version") != "13" {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
    }
    let user = value("x-auth-user");
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nX-Seen-User: {user}\r\n\r\n"
    )
    .ok()?;
    let mut frame = [0; HELLO_OF_CLIENT.len()];
    reader.read_exact(&mut frame).ok()?;
    if frame == HELLO_OF_CLIENT { stream.write_all(&HELLO_OF_SERVER).ok() } else { None }
}
