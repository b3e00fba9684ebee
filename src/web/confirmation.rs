//! The page that asks before an action that destroys something or makes a secret: what happens, who is affected, and one
//! form. All of these pages are rendered by one template.

use actix_web::HttpResponse;
use askama::Template;

use super::error::Failure;
use super::extract::signed_in::SignedIn;
use super::form::{Choice, Field, FieldError, SecretField};
use super::page::{Badge, CallerRow, LastUse, Moment, Shell, form_page};

/// What a confirmation page says and asks. [`Confirmation::page`] renders it.
#[derive(Debug, Default)]
pub struct Confirmation {
    /// Of the document.
    pub title: String,
    pub section: Section,
    /// The way back: address and label.
    pub crumbs: Vec<(String, String)>,
    pub heading: String,
    pub consequence: Consequence,
    pub details: Vec<Detail>,
    /// Where the form is sent.
    pub action: String,
    pub inputs: Vec<Input>,
    /// Whether the password is asked for where it was not entered recently.
    pub needs_password: bool,
    /// On the button that does it.
    pub verb: &'static str,
    pub is_destructive: bool,
    /// Where *Cancel* leads.
    pub cancel: String,
}

/// What happens.
#[derive(Debug)]
pub enum Consequence {
    Text(String),
    /// In a notice; its first sentence stands out.
    Warning {
        first: &'static str,
        rest: &'static str,
    },
}

/// What the consequence is about.
#[derive(Debug)]
pub enum Detail {
    LastUse(Option<LastUse>),
    /// The expiry of the token that will be made.
    NewExpiry(Option<Moment>),
    Note(&'static str),
    Clients {
        caption: &'static str,
        none: &'static str,
        rows: Vec<CallerRow>,
    },
    /// API tokens that will be refused.
    Tokens(Vec<TokenRow>),
}

#[derive(Debug)]
pub struct TokenRow {
    pub name: String,
    pub hint: String,
    pub last_used: Option<LastUse>,
    pub badge: Badge,
}

/// A field of the form, without the password.
#[derive(Debug)]
pub enum Input {
    Hidden { name: &'static str, value: String },
    Text { name: &'static str, label: &'static str, hint: String, field: Field, is_selected: bool },
    Radios { name: &'static str, legend: &'static str, choices: Vec<Choice>, error: Option<String> },
    Checkbox { name: &'static str, legend: &'static str, choice: Choice },
}

/// The entry of the main navigation that the page belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Section {
    #[default]
    Profile,
    Repositories,
    Administration,
}

impl Default for Consequence {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<&str> for Consequence {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Consequence {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

#[derive(Template)]
#[template(path = "components/confirmation.html")]
struct ConfirmationPage {
    shell: Shell,
    errors: Vec<FieldError>,
    confirmation: Confirmation,
    asks_password: bool,
    password: SecretField,
    no_error: Option<String>,
}

impl Confirmation {
    /// The page: 200, or 422 where an input or the password has an error.
    pub fn page(self, who: &SignedIn, password: SecretField) -> Result<HttpResponse, Failure> {
        let errors = self.inputs.iter().filter_map(Input::error);
        let password_error = password.error.clone().map(|message| FieldError { field: "password", message });
        let errors = errors.chain(password_error).collect();
        let asks_password = self.needs_password && !who.authenticated_recently();
        form_page(who, errors, |shell, errors| ConfirmationPage {
            shell,
            errors,
            confirmation: self,
            asks_password,
            password,
            no_error: None,
        })
    }

    fn is_in_repositories(&self) -> bool {
        self.section == Section::Repositories
    }

    fn is_in_administration(&self) -> bool {
        self.section == Section::Administration
    }
}

impl Input {
    fn error(&self) -> Option<FieldError> {
        let (field, error) = match self {
            Self::Text { name, field, .. } => (name, &field.error),
            Self::Radios { name, error, .. } => (name, error),
            Self::Hidden { .. } | Self::Checkbox { .. } => return None,
        };
        error.clone().map(|message| FieldError { field, message })
    }
}
