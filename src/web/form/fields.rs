//! The types of a form's fields. Each takes any text, so that a form can be read whole; what is wrong with a text is found
//! when it is parsed, and stays with its field until the form is shown again.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::domain::Invalid;
use crate::domain::password::Password;
use crate::domain::policy::{Grace, Policy};
use crate::domain::secret::{LOOKS_LIKE_TOKEN, contains_token};

/// What [`Body::form`](super::Body::form) makes of a field that is there twice.
pub(super) const REPEATED: &str = "repeated";

/// A text field that is shown again: what was typed, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// A token is refused and forgotten, so that no page shows it again.
    fn typed(text: &str) -> Self {
        if contains_token(text) {
            return Self { value: String::new(), error: Some(LOOKS_LIKE_TOKEN.into()) };
        }
        Self::of(text)
    }

    /// Parses what was typed; on refusal the sentence stays with the field.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        if self.error.is_some() {
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

/// A password field. Its value is never shown again and wiped on drop.
#[derive(Default)]
pub struct SecretField {
    value: Zeroizing<String>,
    pub error: Option<String>,
}

impl SecretField {
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    pub fn text(&self) -> &str {
        &self.value
    }

    /// The value as a password to be verified.
    pub fn password(&self) -> Password {
        Password::typed(self.value.clone())
    }
}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretField").field("error", &self.error).finish_non_exhaustive()
    }
}

/// A value that the page chose: of a hidden field, a radio button, a checkbox or a `select`. A token in it is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormValue(String);

impl Deref for FormValue {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for FormValue {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FormValue {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for FormValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text of a field that may be there once.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field once")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
        Ok(Text(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Text, A::Error> {
        Err(A::Error::custom(REPEATED))
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self::typed(&text.0))
    }
}

impl<'de> Deserialize<'de> for SecretField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self { value: text.0, error: None })
    }
}

impl<'de> Deserialize<'de> for FormValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        if contains_token(&text) {
            return Err(D::Error::custom(LOOKS_LIKE_TOKEN));
        }
        Ok(Self(text.as_str().to_owned()))
    }
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
