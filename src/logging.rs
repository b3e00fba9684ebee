//! The log: one line an event on standard error. The level holds for Tokenhouse alone, and `RUST_LOG` is not read on
//! purpose: no dependency can ever log a header or a query, however much detail is asked for.

use std::io::{self, IsTerminal as _, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, dynamic_filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::web::listener::{ACCEPT_LOG_TARGET, DISPATCHER_LOG_TARGET};

static LISTENER_CLOSED: AtomicBool = AtomicBool::new(false);

/// Leaves out further errors of the listening socket.
pub fn mute_listener() {
    LISTENER_CLOSED.store(true, Ordering::Relaxed);
}

/// Starts the log, as text or as JSON, and sends panics there. A second call changes nothing.
pub fn start(level: Level, json: bool) {
    let chosen = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_target("tokenhouse", level)
        .with_target(DISPATCHER_LOG_TARGET, LevelFilter::OFF);
    let is_wanted =
        dynamic_filter_fn(|event, _| event.target() != ACCEPT_LOG_TARGET || !LISTENER_CLOSED.load(Ordering::Relaxed));
    let lines = tracing_subscriber::fmt::layer();
    let lines = if json {
        lines.json().with_writer(io::stderr).boxed()
    } else {
        lines.with_ansi(io::stderr().is_terminal()).with_writer(|| OneLine(io::stderr())).boxed()
    };
    if tracing_subscriber::registry().with(lines.with_filter(chosen.and(is_wanted))).try_init().is_ok() {
        panic::set_hook(Box::new(log_panic));
    }
}

/// Tells where, and never what: a message may hold what somebody typed.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let location = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!(%location, "a task panicked");
}

/// Keeps each event on one line, so that no text from outside can look like an event of its own.
/// Every event comes in one call of `write`, with its line feed.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let body = event.strip_suffix(b"\n").unwrap_or(event);
        let mut line = Vec::with_capacity(event.len() + 1);
        for &byte in body {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                other => line.push(other),
            }
        }
        line.push(b'\n');
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_with_line_breaks_in_it_stays_one_line() {
        let mut log = OneLine(Vec::new());
        log.write_all(b"INFO path=/a\r\nERROR forged\n").unwrap();
        assert_eq!(log.0, b"INFO path=/a\\r\\nERROR forged\n");
    }
}
