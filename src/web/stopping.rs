//! The end of the program: requests are answered first, then connections close. Nothing that was accepted is cut.

use std::io;
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_server::ServerHandle;
use actix_web::web;
use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::SockRef;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::portal::Portal;
use crate::logging;
use crate::storage::Db;

/// How long requests that were accepted may take after the drain. With the default drain, the queue, the last flush and
/// the checkpoint, a stop takes at most 5 seconds: half of what container runtimes wait before they kill.
const FINISH_TIMEOUT: Duration = Duration::from_millis(1_200);
/// How long the listener's queue must stay empty: connections whose handshake had begun arrive meanwhile.
const QUEUE_EMPTY: Duration = Duration::from_millis(50);
const QUEUE_TIMEOUT: Duration = Duration::from_millis(300);
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(500);

/// SIGTERM and SIGINT.
pub struct StopSignals(Signal, Signal);

impl StopSignals {
    pub fn new() -> io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// What a drain needs to know.
pub struct Draining {
    pub portal: web::Data<Portal>,
    /// The socket that the server listens on.
    pub listener: TcpListener,
    pub workers: usize,
    pub drain: Duration,
}

impl Draining {
    /// Returns when all accepted requests are answered and all connections closed, or after too long.
    pub async fn run(&self, server: &ServerHandle) {
        let Self { portal, listener, workers, drain } = self;
        portal.stopping.store(true, Ordering::SeqCst);
        tracing::info!("stopping: new connections are accepted for {} more seconds", drain.as_secs());
        portal.uses.hurry();
        tokio::time::sleep(*drain).await;
        if let Err(error) = empty_queue(listener).await {
            tracing::warn!(%error, "connections that arrive now may be cut");
        }
        server.pause().await;
        logging::mute_listener();
        // From here on a client is refused at once, and may try elsewhere. Closing the socket is left to the server.
        let _ = SockRef::from(listener).shutdown(Shutdown::Read);
        let finished = tokio::time::timeout(FINISH_TIMEOUT, async {
            portal.connections.seal(*workers).await;
            portal.connections.close().await;
        });
        if finished.await.is_err() {
            tracing::warn!("{} connections are cut: they did not finish in time", portal.connections.open());
        }
    }
}

/// Lets no new connection begin, and waits until those that had begun are accepted: a listener that is closed resets the
/// connections in its queue.
async fn empty_queue(listener: &TcpListener) -> io::Result<()> {
    refuse_syn(listener)?;
    let start = Instant::now();
    let mut empty_since = start;
    while empty_since.elapsed() < QUEUE_EMPTY && start.elapsed() < QUEUE_TIMEOUT {
        let mut queue = [PollFd::new(listener, PollFlags::IN)];
        if rustix::event::poll(&mut queue, Some(&Timespec::default()))? > 0 {
            empty_since = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Drops what opens a connection and lets everything else pass. The client repeats it after a second.
#[cfg(target_os = "linux")]
fn refuse_syn(listener: &TcpListener) -> io::Result<()> {
    use socket2::SockFilter;
    /// Of the flags in the TCP header.
    const FLAGS_OFFSET: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    // Classic BPF: load a byte, mask it, compare, return how many bytes of the packet are kept.
    let program = [
        SockFilter::new(0x30, 0, 0, FLAGS_OFFSET),
        SockFilter::new(0x54, 0, 0, SYN | ACK),
        SockFilter::new(0x15, 0, 1, SYN),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    SockRef::from(listener).attach_filter(&program)
}

#[cfg(not(target_os = "linux"))]
fn refuse_syn(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

/// Empties the write-ahead log into the SQLite file, on a thread of its own, because SQLite blocks while others use it.
pub async fn checkpoint(db: Db) {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(db.checkpoint()));
    match tokio::time::timeout(CHECKPOINT_TIMEOUT, done).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, "the write-ahead log could not be moved into the database file; the next start does it");
        }
        _ => tracing::warn!("the write-ahead log was not moved into the database file; the next start does it"),
    }
}
