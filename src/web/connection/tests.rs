//! What a connection does that its client leaves alone.

use super::*;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::web::connections::Connections;

/// Both ends of a connection.
fn pair(connections: &Arc<Connections>) -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, peer) = listener.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_nonblocking(true).unwrap();
    }
    let admission = connections.admit(peer.ip()).unwrap();
    (Connection::new(TcpStream::from_std(server).unwrap(), admission), TcpStream::from_std(client).unwrap())
}

fn connections() -> Arc<Connections> {
    Arc::new(Connections::new(Vec::new()))
}

#[actix_web::test]
async fn write_to_a_client_that_never_reads_times_out_and_resets() {
    let (mut server, mut client) = pair(&connections());
    let error = server.write_all(&vec![b'x'; 64 << 20]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    drop(server);
    let error = client.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[actix_web::test]
async fn read_from_a_client_that_sends_nothing_times_out() {
    let (mut server, _client) = pair(&connections());
    assert_eq!(server.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[actix_web::test]
async fn read_while_answers_wait_to_be_sent_is_postponed() {
    let (mut server, mut client) = pair(&connections());
    client.write_all(b"a request").await.unwrap();
    let mut context = Context::from_waker(std::task::Waker::noop());
    let answer = vec![b'x'; 1 << 20];
    while Pin::new(&mut server).poll_write(&mut context, &answer).is_ready() {}
    let mut memory = [0; 64];
    let mut buffer = ReadBuf::new(&mut memory);
    assert!(Pin::new(&mut server).poll_read(&mut context, &mut buffer).is_pending());
    assert!(server.read_postponed && buffer.filled().is_empty());
}

#[actix_web::test]
async fn close_between_two_requests_ends_the_connection_and_not_before() {
    let connections = connections();
    let (mut server, mut client) = pair(&connections);
    client.write_all(b"a request").await.unwrap();
    let mut memory = [0; 9];
    server.read_exact(&mut memory).await.unwrap();
    let request = server.exchange().begin();
    let closing = connections.clone();
    let closed = actix_web::rt::spawn(async move { closing.close().await });
    tokio::task::yield_now().await;
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut more = [0; 9];
    let mut buffer = ReadBuf::new(&mut more);
    assert!(Pin::new(&mut server).poll_read(&mut context, &mut buffer).is_pending(), "a request is under way");
    drop(request);
    server.flush().await.unwrap();
    assert_eq!(server.read(&mut memory).await.unwrap(), 0, "it ends");
    drop(server);
    closed.await.unwrap();
}
