//! The fields of a form: what was typed is also what is shown again.

use crate::domain::Invalid;
use crate::domain::policy::{Grace, Policy};

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

    /// Parses what was typed; on refusal the sentence stays with the field.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
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
