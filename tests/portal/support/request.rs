//! A request, built piece by piece.

use ureq::http;

use super::answer::Answer;
use super::portal::Portal;

#[derive(Clone)]
#[must_use = "it has to be sent"]
pub struct Request<'p> {
    portal: &'p Portal,
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

impl<'p> Request<'p> {
    pub fn new(portal: &'p Portal, method: &str, path: &str) -> Self {
        Self { portal, method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    /// Adds a header; one of the same name stays.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().into()));
        self
    }

    /// As a proxy with TLS passes on what comes from `address`.
    pub fn at(self, address: &str) -> Self {
        self.header("x-forwarded-for", address).header("x-forwarded-proto", "https")
    }

    /// Says that a page of the portal itself made it.
    pub fn by_own_page(self) -> Self {
        self.header("sec-fetch-site", "same-origin")
    }

    pub fn bearer(self, secret: &str) -> Self {
        self.header("authorization", format!("Bearer {secret}"))
    }

    pub fn basic(self, username: &str, secret: &str) -> Self {
        self.header("authorization", basic(username, secret))
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The body that a form makes of these fields.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: &[(N, V)]) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields))
    }

    #[track_caller]
    pub fn send(self) -> Answer {
        let question = format!("{} {}", self.method, self.path);
        let host = self.portal.host();
        let mut builder = http::Request::builder()
            .method(self.method.as_str())
            .uri(format!("http://{}{}", self.portal.address, self.path));
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            builder = builder.header("host", host);
        }
        for (name, value) in self.headers {
            builder = builder.header(name, http::HeaderValue::from_bytes(&value).expect("a header that can be sent"));
        }
        let agent = &self.portal.agent;
        // Without a body, this client would announce one in pieces.
        let sends = !["GET", "HEAD"].contains(&self.method.as_str());
        let answered = match self.body.or(sends.then(Vec::new)) {
            Some(body) => agent.run(builder.body(body).expect("a request")),
            None => agent.run(builder.body(()).expect("a request")),
        };
        let response = answered.unwrap_or_else(|error| panic!("{question}: {error}"));
        let (head, mut body) = response.into_parts();
        let body = body.read_to_vec().unwrap_or_else(|error| panic!("{question}: {error}"));
        Answer { question, status: head.status.as_u16(), headers: head.headers, body }
    }
}

pub fn basic(username: &str, secret: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{secret}"));
    format!("Basic {encoded}")
}

pub fn encoded<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
