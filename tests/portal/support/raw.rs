//! Bytes on a socket, for what no client would send.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::portal::Portal;

/// Sends the bytes and returns all that comes back until the server closes. The first answer is waited for before this end
/// is closed, since a client that closes is given up.
pub fn send(portal: &Portal, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(portal.address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout can be set");
    // The server may refuse, and close, before it has read everything.
    let _ = stream.write_all(bytes);
    let server_closes = String::from_utf8_lossy(bytes).contains("Connection: close");
    let (mut answer, mut piece) = (Vec::new(), [0; 4_096]);
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..length]);
        if !server_closes && is_whole(&String::from_utf8_lossy(&answer)) {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends the bytes, closes this end without waiting, and returns all that comes back until the server closes.
pub fn send_and_close(portal: &Portal, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(portal.address).expect("it listens");
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether an answer has arrived with its body.
fn is_whole(answer: &str) -> bool {
    let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let head = head.to_lowercase();
    let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// The status of the first answer, 0 if there is none.
pub fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(0)
}
