//! Lists come in pages: `?limit=1..100&after=<cursor>`, and each page names the next by its whole address.

use actix_web::HttpRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa::IntoParams;

use crate::web::error::Failure;
use crate::web::form::Typed;
use crate::web::listing::{searched, words};
use crate::web::portal::Portal;

const PAGE: usize = 25;
const LARGEST_PAGE: usize = 100;

/// The part of a list that is asked for.
pub struct Paging {
    limit: usize,
    query: Typed,
    /// Names of the parameters that the list has besides.
    others: &'static [&'static str],
}

/// `limit`, as the OpenAPI document tells it. Each list tells its own `after`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LimitQuery {
    /// How many to show at most.
    #[param(minimum = 1, maximum = 100, default = 25, required = false)]
    #[allow(dead_code, reason = "only its description is used")]
    limit: u32,
}

impl Paging {
    /// Reads `limit`, `after` and `others`; any other parameter is refused.
    pub fn of(request: &HttpRequest, others: &'static [&'static str]) -> Result<Self, Failure> {
        let query = Typed::of_query(request, &[&["limit", "after"], others].concat())?;
        let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = match query.text("limit") {
            "" => PAGE,
            typed => typed
                .parse()
                .ok()
                .filter(|limit| whole(typed) && (1..=LARGEST_PAGE).contains(limit))
                .ok_or_else(|| refused("limit", &format!("a whole number from 1 to {LARGEST_PAGE}")))?,
        };
        Ok(Self { limit, query, others })
    }

    /// What another parameter holds; empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.query.text(name)
    }

    /// The words that are searched for in `q`.
    pub fn search(&self) -> Vec<String> {
        words(&searched(&self.query))
    }

    /// The cursor; `what` says in a refusal what it must be: "the name of a repository".
    pub fn after<T>(&self, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        match self.query.text("after") {
            "" => Ok(None),
            typed => parse(typed).map(Some).ok_or_else(|| refused("after", what)),
        }
    }

    /// How many rows to ask for: one more than is shown, which tells whether there is another page.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// Takes the row too many away; then the address of the next page, where `cursor` of the last row leads.
    pub fn next<T>(
        &self,
        portal: &Portal,
        path: &str,
        rows: &mut Vec<T>,
        cursor: impl FnOnce(&T) -> String,
    ) -> Option<String> {
        if rows.len() <= self.limit {
            return None;
        }
        rows.truncate(self.limit);
        let cursor = cursor(rows.last()?);
        let mut address = format!("{path}?limit={}&after={}", self.limit, encoded(&cursor));
        for name in self.others {
            match self.query.text(name) {
                "" => {}
                value => address.push_str(&format!("&{name}={}", encoded(value))),
            }
        }
        Some(portal.settings.public_url.join(&address))
    }
}

fn encoded(value: &str) -> impl std::fmt::Display {
    const KEPT: percent_encoding::AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, &KEPT).to_string()
}

/// A parameter that is not what it must be.
pub fn refused(name: &str, what: &str) -> Failure {
    Failure::BadRequest(format!("“{name}” must be {what}."))
}
