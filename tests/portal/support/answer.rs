//! What came back.

use std::fmt;

use ureq::http::HeaderMap;

use super::page::Page;

#[derive(Clone)]
pub struct Answer {
    /// What was asked: `GET /profile`.
    pub question: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// Itself, if it has this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The value of a header that is there at most once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers_named(name);
        assert!(values.len() <= 1, "{name} is there {} times: {self:?}", values.len());
        values.first().copied()
    }

    pub fn headers_named(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("a readable header")).collect()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Where a redirection leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").unwrap_or_else(|| panic!("no Location: {self:?}"))
    }

    #[track_caller]
    pub fn page(&self) -> Page {
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"), "{self:?}");
        Page::new(self.clone())
    }

    /// The cookie of this name as it was set, attributes and all.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let start = format!("{name}=");
        let mut set = self.headers_named("set-cookie").into_iter().filter(|cookie| cookie.starts_with(&start));
        let cookie = set.next();
        assert!(set.next().is_none(), "{name} is set twice: {self:?}");
        cookie
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} was answered {}", self.question, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        let text = String::from_utf8_lossy(&self.body);
        write!(f, "{}", text.chars().take(4_000).collect::<String>())
    }
}
