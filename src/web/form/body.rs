//! The body of a request, taken in only when its sender is known, and no larger than it may be.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use zeroize::Zeroizing;

use super::Typed;
use crate::web::error::Failure;

/// Largest body in bytes.
pub const LARGEST: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";
/// Parameters of an OAuth request, of which it needs three.
const MOST_PARAMETERS: usize = 50;

/// The body of a request that has not been looked at yet: who may send it is decided first.
pub struct Body {
    payload: Payload,
    content_type: Option<String>,
    length: Option<usize>,
}

impl FromRequest for Body {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request, payload)))
    }
}

impl Body {
    pub fn of(request: &HttpRequest, payload: &mut Payload) -> Self {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            payload: payload.take(),
            content_type: text(header::CONTENT_TYPE).map(str::to_ascii_lowercase),
            length: text(header::CONTENT_LENGTH).and_then(|value| value.parse().ok()),
        }
    }

    /// Whether the headers speak of a body.
    pub fn is_announced(&self) -> bool {
        self.content_type.is_some() || self.length.is_some_and(|length| length > 0)
    }

    /// Reads a form that may have these fields: `single` ones at most once, `repeated` ones as often as wanted.
    pub async fn form(self, single: &[&str], repeated: &[&str]) -> Result<Typed, Failure> {
        let typed = Typed::parse(&self.of_type(FORM).await?)?;
        typed.check(single, repeated)?;
        Ok(typed)
    }

    /// Reads a form as OAuth has it: what is unknown is passed over, and nothing may be there twice (RFC 6749, section 3.2).
    pub async fn parameters(self) -> Result<Typed, Failure> {
        let typed = Typed::parse(&self.of_type(FORM).await?)?;
        let twice = |index: usize| typed.0[..index].iter().any(|(name, _)| *name == typed.0[index].0);
        if (0..typed.0.len().min(MOST_PARAMETERS + 1)).any(|index| index == MOST_PARAMETERS || twice(index)) {
            return Err(Failure::BadRequest("A parameter is there more than once, or there are too many.".into()));
        }
        Ok(typed)
    }

    /// Reads a body of this media type.
    pub async fn of_type(self, expected: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let media_type = self.content_type.as_deref().map(|value| value.split(';').next().unwrap_or_default().trim());
        if media_type != Some(expected) {
            return Err(Failure::UnsupportedMediaType);
        }
        self.bytes().await
    }

    async fn bytes(mut self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if self.length.is_some_and(|length| length > LARGEST) {
            return Err(Failure::TooLarge);
        }
        let read = async {
            let mut bytes = Zeroizing::new(Vec::with_capacity(self.length.unwrap_or(1_024)));
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk.map_err(|_| Failure::BadRequest("The request ended before its body did.".into()))?;
                if bytes.len() + chunk.len() > LARGEST {
                    return Err(Failure::TooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        tokio::time::timeout(PATIENCE, read).await.map_err(|_| Failure::Timeout)?
    }
}
