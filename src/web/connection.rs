//! One connection, around its socket: closes it when it makes no progress, reads nothing while its client does not read, and
//! ends it between two requests when the program stops. actix-http has none of this: its timers cover the first head and
//! the pause between two requests.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::connections::Admission;

/// How long a connection may make no progress: neither receives a byte, nor sends one of those that wait to be sent.
const STALL_TIMEOUT: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(30) };
/// How long a connection that has sent nothing yet is waited for when the program stops.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes that are read before the answers to them are written. All requests in them are in memory at the same time, and
/// each takes many times the memory of its text.
const READ_AT_ONCE: usize = 1_024;

/// How many requests came over a connection, and how many of them have their answer.
#[derive(Debug, Default)]
pub struct Exchange {
    requests: Cell<u32>,
    answers: Cell<u32>,
}

impl Exchange {
    /// Counts a request. Its answer counts when the returned value is dropped.
    pub fn begin(self: &Rc<Self>) -> UnderWay {
        self.requests.set(self.requests.get().saturating_add(1));
        UnderWay(self.clone())
    }
}

/// A request whose answer is being made.
#[derive(Debug)]
pub struct UnderWay(Rc<Exchange>);

impl UnderWay {
    /// Among the requests of its connection, from 1.
    pub fn number(&self) -> u32 {
        self.0.requests.get()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answers.set(self.0.answers.get().saturating_add(1));
    }
}

pub struct Connection {
    stream: TcpStream,
    exchange: Rc<Exchange>,
    admission: Admission,
    /// `None` once it has resolved.
    closing: Option<Pin<Box<dyn Future<Output = ()>>>>,
    closing_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    last_progress: Instant,
    /// Since when something waits to be sent.
    blocked_since: Option<Instant>,
    /// Whether a read was put off until something is sent.
    read_postponed: bool,
    /// Whether the last read took all that it might.
    read_full: bool,
    activity: Activity,
    /// The number of the last request whose answer was sent in full.
    answered: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    /// Nothing was received yet.
    New,
    /// A request is under way, or a part of one was received.
    Busy,
    /// All that was received is answered.
    Idle,
}

impl Connection {
    pub fn new(stream: TcpStream, admission: Admission) -> Self {
        let now = Instant::now();
        Self {
            stream,
            exchange: Rc::default(),
            closing: Some(Box::pin(admission.closing())),
            admission,
            closing_since: None,
            timer: Box::pin(tokio::time::sleep_until(now + STALL_TIMEOUT)),
            last_progress: now,
            blocked_since: None,
            read_postponed: false,
            read_full: false,
            activity: Activity::New,
            answered: 0,
        }
    }

    pub fn exchange(&self) -> Rc<Exchange> {
        self.exchange.clone()
    }

    /// Whether the connection ends here: the program stops, and no request is under way.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(closing) = &mut self.closing {
            if closing.as_mut().poll(context).is_pending() {
                return false;
            }
            self.closing = None;
        }
        let since = *self.closing_since.get_or_insert_with(Instant::now);
        match self.activity {
            Activity::New => since.elapsed() >= FIRST_REQUEST_TIMEOUT,
            Activity::Busy => false,
            Activity::Idle => true,
        }
    }

    /// An error once the connection has made no progress for too long.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let limit = self.blocked_since.unwrap_or(self.last_progress) + STALL_TIMEOUT;
            if Instant::now() >= limit {
                // Else the kernel would go on keeping what the client does not read.
                let _ = self.stream.set_zero_linger();
                return Poll::Ready(ErrorKind::TimedOut.into());
            }
            let due = match self.closing_since {
                Some(since) if self.activity == Activity::New => limit.min(since + FIRST_REQUEST_TIMEOUT),
                _ => limit,
            };
            // It may be due earlier than necessary, which saves setting it at every request.
            if self.timer.is_elapsed() || self.timer.deadline() > due {
                self.timer.as_mut().reset(due);
            }
            ready!(self.timer.as_mut().poll(context));
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.blocked_since.is_some() {
            this.read_postponed = true;
            return this.poll_stalled(context).map(Err);
        }
        if std::mem::take(&mut this.read_full) {
            // Answer what was read first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut memory = [MaybeUninit::uninit(); READ_AT_ONCE];
        let length = buffer.remaining().min(READ_AT_ONCE);
        let mut piece = ReadBuf::uninit(&mut memory[..length]);
        match Pin::new(&mut this.stream).poll_read(context, &mut piece) {
            Poll::Ready(Ok(())) => {
                let read = piece.filled();
                buffer.put_slice(read);
                if !read.is_empty() {
                    this.last_progress = Instant::now();
                    this.read_full = read.len() == READ_AT_ONCE;
                    this.activity = Activity::Busy;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if this.is_over(context) => Poll::Ready(Ok(())),
            Poll::Pending => this.poll_stalled(context).map(Err),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                this.last_progress = Instant::now();
                this.blocked_since = None;
                if std::mem::take(&mut this.read_postponed) {
                    context.waker().wake_by_ref();
                }
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.blocked_since.get_or_insert_with(Instant::now);
                this.poll_stalled(context).map(Err)
            }
        }
    }

    /// actix-http calls this when all that it has was written.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let number = this.exchange.requests.get();
        if this.answered < number && this.exchange.answers.get() == number {
            this.answered = number;
            this.activity = Activity::Idle;
            if this.admission.is_closing() {
                context.waker().wake_by_ref();
            }
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
