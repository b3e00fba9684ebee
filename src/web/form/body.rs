//! The body of a request, taken in only when its sender is known, and no larger than it may be.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::fields::REPEATED;
use super::{Field, SecretField, Typed, pairs};
use crate::domain::secret::LOOKS_LIKE_TOKEN;
use crate::web::error::Failure;

/// Largest body in bytes.
pub const LARGEST: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";
/// A field that browsers fill in by themselves (HTML, section 4.10.22.5); ours are UTF-8 in any case.
const CHARSET: &[u8] = b"_charset_=";
/// Parameters of an OAuth request, of which it needs three.
const MOST_PARAMETERS: usize = 50;

/// A form that is only a button.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmptyForm {}

/// A form with nothing but the password where that is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordForm {
    pub password: SecretField,
}

/// A form that deletes what has the typed name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeletionForm {
    pub name: Field,
    pub password: SecretField,
}

/// The body of a request that has not been looked at yet: who may send it is decided first.
pub struct Body {
    payload: Payload,
    content_type: Option<String>,
    length: Option<usize>,
    /// Whether it has no length (RFC 9112, section 7.1).
    chunked: bool,
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
            chunked: request.headers().contains_key(header::TRANSFER_ENCODING),
        }
    }

    /// Reads a body of this media type, if there is one.
    pub async fn of_type_if_any(self, expected: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        match (&self.content_type, self.length) {
            (None, None | Some(0)) if !self.chunked => Ok(None),
            // Clients that do not know whether there will be a body send an empty one.
            (None, _) if self.chunked => {
                if self.bytes().await?.is_empty() {
                    Ok(None)
                } else {
                    Err(Failure::UnsupportedMediaType)
                }
            }
            _ => self.of_type(expected).await.map(Some),
        }
    }

    /// Reads a form into a struct with `#[serde(default, deny_unknown_fields)]` and fields such as [`Field`].
    /// A missing field is empty; an unknown or repeated one is refused.
    pub async fn form<F: DeserializeOwned>(self) -> Result<F, Failure> {
        read(&self.of_type(FORM).await?)
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

    /// Reads all of it, whatever its media type.
    pub async fn bytes(mut self) -> Result<Zeroizing<Vec<u8>>, Failure> {
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

/// Reads the bytes of a form.
pub(super) fn read<F: DeserializeOwned>(body: &[u8]) -> Result<F, Failure> {
    super::check_encoding(body)?;
    let pairs: Vec<&[u8]> = pairs(body).filter(|pair| !pair.starts_with(CHARSET)).collect();
    let body = Zeroizing::new(pairs.join(&b'&'));
    let form = serde_html_form::Deserializer::from_bytes(&body);
    serde_path_to_error::deserialize(form).map_err(|error| {
        let path = error.path().to_string();
        let field = path.split('[').next().unwrap_or_default();
        match error.inner().to_string().as_str() {
            REPEATED => Failure::BadRequest(format!("The field “{field}” is there more than once.")),
            LOOKS_LIKE_TOKEN => Failure::token_typed(field),
            // The fields take any text, so that there is no other error.
            _ => Failure::BadRequest(
                "There is a field that is not known here. Load the page again, or look the fields up.".into(),
            ),
        }
    })
}
