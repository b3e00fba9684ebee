//! A client that hides nothing: one connection a request, every answer as it came over the wire, and a person's cookies.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A person at a browser that knows cookies and nothing else. What it is told comes back as an error when the server
/// goes away before it has answered in full.
#[derive(Debug, Clone)]
pub struct Browser {
    host: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// `address` is what the server says it listens on.
    pub fn new(address: &str) -> Self {
        Self { host: host(address).to_owned(), cookies: BTreeMap::new() }
    }

    /// The same cookies at another address, under the names that a server there gives them: they contain its port.
    pub fn move_to(&mut self, address: &str) {
        let port = |host: &str| format!("_{}", host.rsplit(':').next().unwrap_or_default());
        let (former, next) = (port(&self.host), port(host(address)));
        let renamed =
            |name: String| name.strip_suffix(&former).map_or_else(|| name.clone(), |stem| format!("{stem}{next}"));
        let cookies = std::mem::take(&mut self.cookies);
        self.cookies = cookies.into_iter().map(|(name, value)| (renamed(name), value)).collect();
        host(address).clone_into(&mut self.host);
    }

    /// The value of the session cookie.
    pub fn session(&self) -> Option<&str> {
        self.cookies.iter().find(|(name, _)| name.contains("th_session")).map(|(_, value)| value.as_str())
    }

    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        let request = self.head("GET", path) + "\r\n";
        self.send(&request)
    }

    /// Submits a form.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let (head, body) = self.form(path, fields);
        self.send(&format!("{head}\r\n{body}"))
    }

    /// Head and body of a form that is to be submitted, for whoever sends them one by one.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let body = encode(fields);
        let mut head = self.head("POST", path);
        write!(head, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len())
            .expect("a text takes everything");
        (head, body)
    }

    /// For whoever sends byte by byte.
    pub fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(&self.host)
    }

    fn head(&self, method: &str, path: &str) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n{cookies}",
            self.host
        )
    }

    fn send(&mut self, request: &str) -> io::Result<Answer> {
        let answer = send(&self.host, request)?;
        for (_, cookie) in answer.headers().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// What a program asks a door, with its whole Authorization header or none.
pub fn ask(address: &str, path: &str, authorization: Option<&str>) -> io::Result<Answer> {
    let host = host(address);
    let authorization = authorization.map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
    send(host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{authorization}\r\n"))
}

/// Sends text as it is and reads until the server closes.
pub fn send(host: &str, request: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(request.as_bytes())?;
    Answer::read(stream)
}

fn host(address: &str) -> &str {
    address.strip_prefix("http://").unwrap_or(address)
}

fn encode(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

/// An answer that came in full.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Reads the answer to a request that asked for the connection to be closed.
    pub fn read(mut stream: TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
        let answer = Self { status: head.get(9..12)?.parse().ok()?, head, body };
        let length: usize = answer.header("content-length").unwrap_or("0").parse().ok()?;
        (bytes.len() == end + length).then_some(answer)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().filter_map(|line| line.split_once(": "))
    }

    /// Where a redirection leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}{}", self.head, self.body);
        self.header("location").expect("a redirection leads somewhere")
    }

    /// The value of the input whose tag has `mark` in it.
    pub fn value_of(&self, mark: &str) -> Option<&str> {
        let tag = self.body.split("<input ").find(|tag| tag.split('>').next().is_some_and(|tag| tag.contains(mark)))?;
        tag.split_once("value=\"")?.1.split('"').next()
    }

    /// The token that a page shows once.
    pub fn secret(&self) -> Option<&str> {
        self.value_of("id=\"token\"").filter(|value| !value.contains('•'))
    }
}
