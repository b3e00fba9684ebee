//! A load generator on one thread: so many connections, each asking again as soon as it was answered.
//! HTTP/1.1 with keep-alive and nothing more: a status line, and a body of the length that the head tells.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as BlockingStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokenhouse::domain::secret::LENGTH;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::creation::Forms;
use crate::data::{Data, PASSWORD, USERNAME};

/// However fast a server is, a run ends after so many requests.
const MOST: usize = 5_000_000;

/// What is asked for again and again.
pub struct Requests<'a> {
    /// Text of the request, where `{host}` stands for host and port, and `#` for the last digit of the connection's number.
    text: String,
    /// What differs from one request to the next.
    each: Each<'a>,
    /// The status that every answer must have.
    status: u16,
}

#[derive(Clone, Copy)]
enum Each<'a> {
    Same,
    /// Put in the place of [`TOKEN`].
    Token(Tokens<'a>),
    /// The whole request is another.
    Form(&'a Forms),
}

/// Tokens to choose from at random.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    data: &'a Data,
    /// So many of all, evenly spread.
    in_use: usize,
}

impl Tokens<'_> {
    fn any(&self, rng: &mut StdRng) -> &[u8] {
        self.number(rng.random_range(0..self.in_use))
    }

    fn number(&self, number: usize) -> &[u8] {
        self.data.secret(number % self.in_use * (self.data.len() / self.in_use))
    }
}

const TOKEN: &str = "{a token of forty-two characters is here!}";

impl<'a> Requests<'a> {
    pub fn get(path: &str) -> Self {
        Self::with(path, "Accept-Encoding: gzip\r\n")
    }

    pub fn bearer(path: &str, token: &str) -> Self {
        Self::with(path, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// The same, which must not open anything.
    pub fn refused(path: &str, token: &str) -> Self {
        Self { status: 401, ..Self::bearer(path, token) }
    }

    /// Each with another of all tokens, at random.
    pub fn tokens(path: &str, data: &'a Data) -> Self {
        Self::tokens_in_use(path, data, data.len())
    }

    /// Each with another of `in_use` tokens, which lie evenly among all.
    pub fn tokens_in_use(path: &str, data: &'a Data, in_use: usize) -> Self {
        let tokens = Tokens { data, in_use: in_use.min(data.len()) };
        Self { each: Each::Token(tokens), ..Self::bearer(path, TOKEN) }
    }

    /// A service asks about one of `in_use` tokens.
    pub fn introspections(data: &'a Data, in_use: usize) -> Self {
        let head = format!(
            "Authorization: Bearer {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            data.service_token,
            "token=".len() + TOKEN.len()
        );
        let mut asked = Self::tokens_in_use("/oauth/introspect", data, in_use);
        asked.text = Self::with("/oauth/introspect", &head).text.replacen("GET", "POST", 1) + "token=" + TOKEN;
        asked
    }

    /// As nginx asks on behalf of a GET.
    pub fn by_nginx(self) -> Self {
        self.on_behalf("X-Original-Method: GET\r\nX-Original-URI: /v1/invoices?page=2\r\n")
    }

    /// The same in the dialect of Caddy and Traefik.
    pub fn by_caddy(self) -> Self {
        self.on_behalf("X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /v1/invoices?page=2\r\n")
    }

    fn on_behalf(mut self, headers: &str) -> Self {
        let place = self.text.find("\r\n").unwrap_or_default() + 2;
        self.text.insert_str(place, headers);
        self
    }

    /// A page as a signed-in browser asks for it.
    pub fn page(path: &str, session: &str) -> Self {
        Self::with(path, &format!("Cookie: {session}\r\nAccept-Encoding: gzip\r\n"))
    }

    /// Of another user on each connection: nobody signs in dozens of times a second.
    pub fn sign_ins() -> Self {
        Self::sign_in("user#")
    }

    /// Each is a form of its own, which makes a token.
    pub fn creations(forms: &'a Forms) -> Self {
        Self { text: String::new(), each: Each::Form(forms), status: 303 }
    }

    /// What the bare server inserts a row for.
    pub fn insertions() -> Self {
        let mut asked = Self::with("/", "Content-Length: 0\r\n");
        asked.text.replace_range(..3, "POST");
        asked
    }

    /// How many requests it takes to show each token in use once; none where there are no such tokens.
    pub fn in_use(&self) -> usize {
        if let Each::Token(tokens) = self.each { tokens.in_use } else { 0 }
    }

    fn sign_in(username: &str) -> Self {
        let body = format!("username={username}&password={}", PASSWORD.replace(' ', "+"));
        let head = format!(
            "POST /login HTTP/1.1\r\nHost: {{host}}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { text: head + &body, each: Each::Same, status: 303 }
    }

    fn with(path: &str, headers: &str) -> Self {
        let text = format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nUser-Agent: doors/1\r\n{headers}\r\n");
        Self { text, each: Each::Same, status: 200 }
    }

    fn on(&self, address: &str, connection: u64) -> (Vec<u8>, usize) {
        let text = self.text.replace("{host}", address).replace('#', &(connection % 10).to_string());
        let place = text.find(TOKEN).unwrap_or_default();
        (text.into_bytes(), place)
    }
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Asked {
    /// Microseconds from request to answer, of each request.
    pub latencies: Vec<u32>,
    pub time: Duration,
    /// Answers with another status than wanted.
    pub unwanted: usize,
}

impl Asked {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    pub fn wanted_per_second(&self) -> f64 {
        (self.latencies.len() - self.unwanted) as f64 / self.time.as_secs_f64()
    }
}

/// Loads a server for some time.
pub fn run(address: &str, requests: &Requests<'_>, connections: usize, time: Duration) -> Asked {
    load(address, requests, connections, time, None)
}

/// Sends so many requests; tokens come one after the other.
pub fn count(address: &str, requests: &Requests<'_>, connections: usize, count: usize) -> Asked {
    load(address, requests, connections, Duration::from_secs(120), Some(count))
}

fn load(address: &str, requests: &Requests<'_>, connections: usize, time: Duration, count: Option<usize>) -> Asked {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    // Other tokens in every run.
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    runtime.block_on(async {
        let start = Instant::now();
        let end = start + time;
        let share = count.unwrap_or(MOST).div_ceil(connections);
        let all = (0..connections as u64).map(|number| {
            let in_order = count.map(|_| share * number as usize);
            let one = One { address, requests, number, seed: run << 32 | number, in_order };
            one.run(end, share)
        });
        let mut asked = Asked::default();
        for one in futures_util::future::join_all(all).await {
            asked.latencies.extend(one.latencies);
            asked.unwanted += one.unwanted;
        }
        asked.time = start.elapsed();
        asked
    })
}

/// One connection.
struct One<'a> {
    address: &'a str,
    requests: &'a Requests<'a>,
    number: u64,
    seed: u64,
    /// The first of its tokens where they come in order.
    in_order: Option<usize>,
}

impl One<'_> {
    async fn run(self, end: Instant, most: usize) -> Asked {
        let Self { address, requests, number, seed, in_order } = self;
        let (mut request, place) = requests.on(address, number);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut stream = connect(address).await;
        let mut answer = vec![0; 64 * 1024];
        let mut asked = Asked::default();
        let mut before = Instant::now();
        while before < end && asked.latencies.len() < most {
            match (requests.each, in_order) {
                (Each::Same, _) => {}
                (Each::Token(tokens), None) => request[place..place + LENGTH].copy_from_slice(tokens.any(&mut rng)),
                (Each::Token(tokens), Some(first)) => {
                    let token = tokens.number(first + asked.latencies.len());
                    request[place..place + LENGTH].copy_from_slice(token);
                }
                (Each::Form(forms), _) => match forms.next(address) {
                    Some(form) => request = form,
                    None => break,
                },
            }
            stream.write_all(&request).await.expect("the server reads");
            let head = read(&mut stream, &mut answer).await;
            asked.unwanted += usize::from(head.status != requests.status);
            if head.closes {
                stream = connect(address).await;
            }
            let now = Instant::now();
            asked.latencies.push(u32::try_from((now - before).as_micros()).unwrap_or(u32::MAX));
            before = now;
        }
        asked
    }
}

async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("it is a TCP socket");
    stream
}

/// Reads one answer and returns its head.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Head {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let count = stream.read(&mut buffer[filled..]).await.expect("the server answers");
        assert!(count > 0, "the server closed a connection");
        filled += count;
        if let Some(head) = Head::read(&buffer[..filled])
            && filled >= head.end + head.length
        {
            return head;
        }
    }
}

/// What must be known of an answer's head.
struct Head {
    status: u16,
    end: usize,
    length: usize,
    /// Whether the server closes the connection afterwards.
    closes: bool,
}

impl Head {
    /// `None` while it is not whole. One pass over the lines, since it is done for every answer.
    fn read(answer: &[u8]) -> Option<Self> {
        let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
        let mut head = Self { status, end: 0, length: 0, closes: false };
        loop {
            let line = &answer[head.end..];
            let line = &line[..=line.iter().position(|&byte| byte == b'\n')?];
            head.end += line.len();
            if line == b"\r\n" {
                return Some(head);
            }
            if let Some(value) = value(line, b"content-length: ") {
                head.length = value.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            } else if let Some(value) = value(line, b"connection: ") {
                head.closes = value.eq_ignore_ascii_case(b"close");
            }
        }
    }
}

/// The value in a line of a head, if it begins with `name`.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (own, value) = line.strip_suffix(b"\r\n")?.split_at_checked(name.len())?;
    own.eq_ignore_ascii_case(name).then_some(value)
}

/// One answer, whole.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Bytes over the wire.
    pub fn size(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

/// Asks once; `headers` are whole lines.
pub fn get(address: &str, path: &str, headers: &str) -> Answer {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"))
}

/// Signs in as the user whose pages are opened, and returns the session's cookie.
pub fn sign_in(address: &str) -> String {
    sign_in_as(address, USERNAME)
}

pub fn sign_in_as(address: &str, username: &str) -> String {
    let text = Requests::sign_in(username).text.replace("{host}", address);
    let answer = exchange(address, &text.replacen("\r\n", "\r\nConnection: close\r\n", 1));
    assert_eq!(answer.status, 303, "the user may sign in: {}", answer.head);
    let cookie = answer.head.lines().find(|line| line.contains("th_session"));
    let value = cookie.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value);
    value.split(';').next().unwrap_or_default().to_owned()
}

fn exchange(address: &str, request: &str) -> Answer {
    let mut stream = BlockingStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server answers");
    let head = Head::read(&bytes).expect("the server speaks HTTP");
    let body = bytes.split_off(head.end);
    Answer { status: head.status, head: String::from_utf8_lossy(&bytes).into_owned(), body }
}
