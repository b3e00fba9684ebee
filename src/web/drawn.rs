//! What stands in a page as it is, because there is nothing left in it to escape.

use std::fmt;

use askama::filters::HtmlSafe;
use askama::{FastWritable, Template, Values};

use super::error::Failure;
use crate::domain::timestamp::Text;

/// A part of a page that a template of its own drew, to stand there many times: what had to be escaped was.
pub struct Drawn(String);

impl Drawn {
    pub fn of(part: &impl Template) -> Result<Self, Failure> {
        Ok(Self(part.render()?))
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Drawn {}

/// Nothing in it needs to be escaped.
impl HtmlSafe for Text {}

impl FastWritable for Text {
    fn write_into(&self, page: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(page.write_str(self.as_str())?)
    }
}
