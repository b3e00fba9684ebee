//! Forms and queries as they arrive. A form is a struct, read by [`Body::form`]; nothing unknown or repeated slips in.

mod body;
mod fields;

use actix_web::HttpRequest;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::error::Failure;
use crate::domain::secret::contains_token;

/// Parameters in which a token is meant to authenticate.
const MEANT_TO_AUTHENTICATE: [&str; 2] = ["access_token", "token"];

pub use body::{Body, DeletionForm, EmptyForm, LARGEST, PasswordForm};
pub use fields::{Choice, Field, FieldError, FormValue, SecretField, errors};

/// Most fields of a form. Reading more takes milliseconds, in which no other request is answered.
const MAX_FIELDS: usize = 2_000;

/// The parameters of a query, or of an OAuth request, as they were typed.
pub struct Typed(Vec<(String, Zeroizing<String>)>);

impl Typed {
    /// The query of a request, which may have these parameters, each at most once.
    pub fn of_query(request: &HttpRequest, single: &[&str]) -> Result<Self, Failure> {
        let query = Self::parse(request.query_string().as_bytes())?;
        query.check(single)?;
        Ok(query)
    }

    /// The query of a request, whatever it holds: links may come from anywhere, and what is unknown or not UTF-8 is
    /// ignored.
    pub fn of_any_query(request: &HttpRequest) -> Result<Self, Failure> {
        Ok(Self(Self::pairs(request.query_string().as_bytes()).filter_map(Result::ok).collect()))
    }

    fn parse(body: &[u8]) -> Result<Self, Failure> {
        check_encoding(body)?;
        Self::pairs(body).collect::<Result<_, Failure>>().map(Self)
    }

    fn pairs(body: &[u8]) -> impl Iterator<Item = Result<(String, Zeroizing<String>), Failure>> {
        let decode = move |part: &[u8]| {
            let spaced: Zeroizing<Vec<u8>> =
                Zeroizing::new(part.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect());
            let decoded = percent_decode(&spaced).decode_utf8();
            decoded
                .map(|text| Zeroizing::new(text.into_owned()))
                .map_err(|_| Failure::BadRequest("The request is not valid UTF-8.".into()))
        };
        pairs(body).map(move |pair| {
            let split = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            let value = pair.get(split + 1..).unwrap_or_default();
            Ok((decode(&pair[..split])?.to_string(), decode(value)?))
        })
    }

    fn check(&self, known: &[&str]) -> Result<(), Failure> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
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

    /// Refuses a valid token in every parameter but those named in `except`.
    fn refuse_tokens(&self, except: &[&str]) -> Result<(), Failure> {
        let mut others = self.0.iter().filter(|(name, _)| !except.contains(&name.as_str()));
        let found = others.find(|(_, value)| contains_token(value));
        found.map_or(Ok(()), |(name, _)| Err(Failure::token_typed(name)))
    }

    /// What is wrong with a query that has a valid token in the value of a parameter, as when one is searched for.
    /// `None` where the token is elsewhere, or where its parameter says that it was meant to authenticate (RFC 6750,
    /// section 2.3).
    pub fn token_in_query(query: &str) -> Option<Failure> {
        Self::parse(query.as_bytes()).ok()?.refuse_tokens(&MEANT_TO_AUTHENTICATE).err()
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
}

fn pairs(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty())
}

/// Refuses too many fields, and what is not UTF-8: both before anything is decoded.
fn check_encoding(body: &[u8]) -> Result<(), Failure> {
    if pairs(body).nth(MAX_FIELDS).is_some() {
        return Err(Failure::BadRequest(format!("There are too many fields. Send at most {MAX_FIELDS}.")));
    }
    let is_text = percent_decode(body).decode_utf8().is_ok();
    is_text.then_some(()).ok_or_else(|| Failure::BadRequest("The request is not valid UTF-8.".into()))
}

/// Checks the nonce of a form, which makes pressing twice the same as pressing once.
pub fn nonce(nonce: &str) -> Result<String, Failure> {
    let is_nonce = nonce.len() == 22 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_nonce.then(|| nonce.to_owned()).ok_or_else(Failure::incomplete_form)
}

#[cfg(test)]
mod tests;
