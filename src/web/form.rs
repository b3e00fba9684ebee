//! Forms as they arrive: read strictly, field by field, so that nothing unknown or doubled slips in.

mod field;

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::error::Failure;
use crate::domain::password::Password;

pub use field::{Choice, Field, FieldError, SecretField, errors};

/// Largest body in bytes.
pub const LARGEST: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
/// Parameters of an OAuth request, of which it needs three.
const MOST_PARAMETERS: usize = 50;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// The fields of a form as they were typed.
pub struct Typed(Vec<(String, Zeroizing<String>)>);

impl Typed {
    /// The query of a request, which may have these parameters, each at most once.
    pub fn of_query(request: &HttpRequest, single: &[&str]) -> Result<Self, Failure> {
        let query = Self::of_any_query(request)?;
        query.check(single, &[])?;
        Ok(query)
    }

    /// The query of a request, whatever it holds: links may come from anywhere, and what is unknown is passed over.
    pub fn of_any_query(request: &HttpRequest) -> Result<Self, Failure> {
        Self::parse(request.query_string().as_bytes())
    }

    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let decode = |part: &[u8]| {
            let spaced: Zeroizing<Vec<u8>> =
                Zeroizing::new(part.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect());
            let decoded = percent_decode(&spaced).decode_utf8();
            decoded
                .map(|text| Zeroizing::new(text.into_owned()))
                .map_err(|_| Failure::BadRequest("The request is not valid UTF-8.".into()))
        };
        body.split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let split = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
                let value = pair.get(split + 1..).unwrap_or_default();
                Ok((decode(&pair[..split])?.to_string(), decode(value)?))
            })
            .collect::<Result<_, Failure>>()
            .map(Self)
    }

    fn check(&self, single: &[&str], repeated: &[&str]) -> Result<(), Failure> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if repeated.contains(&name.as_str()) {
                continue;
            }
            if !single.contains(&name.as_str()) {
                return Err(Failure::BadRequest(
                    "There is a field that is not known here. Load the page again, or look the fields up.".into(),
                ));
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                return Err(Failure::BadRequest(format!("The field “{name}” is there more than once.")));
            }
        }
        Ok(())
    }

    /// What was typed into a field; empty if it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// The same, ready to be shown again.
    pub fn field(&self, name: &str) -> Field {
        Field::of(self.text(name))
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.to_string()).collect()
    }

    pub fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.text(name).to_owned())
    }

    /// A password that was typed to prove who one is.
    pub fn password(&self) -> Password {
        Password::typed(self.secret("password"))
    }
}

/// The nonce of a form, which makes pressing twice the same as pressing once.
pub fn nonce(typed: &Typed) -> Result<String, Failure> {
    let nonce = typed.text("nonce");
    if nonce.len() == 22 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(nonce.to_owned());
    }
    Err(Failure::BadRequest("The form is incomplete. Load the page again and fill it in once more.".into()))
}

#[cfg(test)]
mod tests;
