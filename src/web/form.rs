//! Forms as they arrive: read strictly, field by field, so that nothing unknown or doubled slips in.

mod body;

use actix_web::HttpRequest;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::error::Failure;
use crate::domain::Invalid;
use crate::domain::password::Password;
use crate::domain::policy::{Grace, Policy};
use crate::domain::secret::{LOOKS_LIKE_TOKEN, contains_token};

/// Fields in which a token is a wrong password, and no more.
const PASSWORDS: [&str; 2] = ["password", "current_password"];
const MEANT_TO_AUTHENTICATE: [&str; 2] = ["access_token", "token"];

pub use body::{Body, LARGEST};

/// Most fields of a form. Reading more takes milliseconds, in which no other request is answered.
const MAX_FIELDS: usize = 2_000;

/// What was typed into a field, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// Parses what was typed; on refusal the sentence stays with the field. A token is refused and not shown again.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        if contains_token(&self.value) {
            *self = Self { value: String::new(), error: Some(LOOKS_LIKE_TOKEN.into()) };
            return None;
        }
        match parse(&self.value) {
            Ok(value) => Some(value),
            Err(Invalid(sentence)) => {
                self.error = Some(sentence);
                None
            }
        }
    }
}

/// A field whose value is never shown again.
#[derive(Debug, Clone, Default)]
pub struct SecretField {
    pub error: Option<String>,
}

/// A line of the summary of errors: the id of the field, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

/// The errors of a form's fields, in their order on the page.
pub fn errors<'a>(fields: impl IntoIterator<Item = (&'static str, &'a Option<String>)>) -> Vec<FieldError> {
    fields.into_iter().filter_map(|(field, error)| error.clone().map(|message| FieldError { field, message })).collect()
}

/// One choice of several.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub hint: String,
    pub checked: bool,
}

impl Choice {
    /// The graces that a policy offers, `chosen` among them.
    pub fn graces(policy: &Policy, chosen: &str) -> Vec<Self> {
        let choice = |grace: &Grace| Self {
            value: grace.name().to_owned(),
            label: grace.label().to_owned(),
            hint: String::new(),
            checked: grace.name() == chosen,
        };
        policy.graces.iter().map(choice).collect()
    }
}

/// The fields of a form as they were typed.
pub struct Typed(Vec<(String, Zeroizing<String>)>);

impl Typed {
    /// The query of a request, which may have these parameters, each at most once.
    pub fn of_query(request: &HttpRequest, single: &[&str]) -> Result<Self, Failure> {
        let query = Self::parse(request.query_string().as_bytes())?;
        query.check(single, &[])?;
        Ok(query)
    }

    /// The query of a request, whatever it holds: links may come from anywhere, and what is unknown or not UTF-8 is
    /// ignored.
    pub fn of_any_query(request: &HttpRequest) -> Result<Self, Failure> {
        Ok(Self(Self::pairs(request.query_string().as_bytes()).filter_map(Result::ok).collect()))
    }

    fn parse(body: &[u8]) -> Result<Self, Failure> {
        if body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).nth(MAX_FIELDS).is_some() {
            return Err(Failure::BadRequest(format!("There are too many fields. Send at most {MAX_FIELDS}.")));
        }
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
        body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(move |pair| {
            let split = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            let value = pair.get(split + 1..).unwrap_or_default();
            Ok((decode(&pair[..split])?.to_string(), decode(value)?))
        })
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

    /// Refuses a valid token in every field but those named in `except`.
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
