//! `/admin/policies`: the limits for all tokens. *System Management* guards it.

use actix_web::HttpResponse;
use askama::Template;
use serde::Deserialize;

use crate::domain::policy::{Grace, Policy};
use crate::domain::privilege::{Privilege, Privileges};
use crate::randomness;
use crate::storage::Connection;
use crate::storage::policies::{current, set};
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::{Holding, SignedIn, SystemManagement};
use crate::web::form::{Body, Choice, Field, FieldError, FormValue, SecretField, errors};
use crate::web::page::{Shell, form_page};
use crate::web::{notice, urls};

#[derive(Template)]
#[template(path = "pages/admin/policies.html")]
struct PoliciesPage {
    shell: Shell,
    form: PoliciesForm,
    /// Says what holds where nothing is typed.
    limit_hint: String,
    ask_password: bool,
    errors: Vec<FieldError>,
}

/// What was typed, and is shown again.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PoliciesForm {
    max_lifetime_days: Field,
    no_expiry_allowed: Field,
    max_api_tokens: Field,
    /// Names of graces.
    graces: Vec<FormValue>,
    #[serde(skip)]
    graces_error: Option<String>,
    repository_tokens: Field,
    password: SecretField,
}

/// `GET /admin/policies`
pub async fn edit(who: Holding<SystemManagement>) -> Result<HttpResponse, PageFailure> {
    let form = PoliciesForm::of(&who.portal.db.look_up(current).await?);
    Ok(page(&who, form)?)
}

/// `POST /admin/policies`
pub async fn update(who: Holding<SystemManagement>, body: Body) -> Result<HttpResponse, PageFailure> {
    let mut form: PoliciesForm = body.form().await?;
    let Some(policy) = form.parse() else { return Ok(page(&who, form)?) };
    if !who.reauthenticate(&mut form.password).await? {
        return Ok(page(&who, form)?);
    }
    let acting = who.acting(Privileges::NONE.with(Privilege::SystemManagement));
    let changed = who
        .portal
        .db
        .write(move |connection: &mut Connection| set(connection, &mut randomness::system(), &acting, &policy))
        .await?;
    let text =
        if changed { "The policies were saved." } else { "The policies were like this already; nothing was changed." };
    Ok(notice::see_other(&who.portal, urls::ADMIN_POLICIES, text))
}

impl PoliciesForm {
    fn of(policy: &Policy) -> Self {
        let number = |number: Option<u32>| Field::of(number.map(|number| number.to_string()).unwrap_or_default());
        Self {
            max_lifetime_days: number(policy.max_lifetime_days),
            no_expiry_allowed: Field::of(if policy.no_expiry_allowed { "yes" } else { "no" }),
            max_api_tokens: number(policy.max_api_tokens),
            graces: policy.graces.iter().map(|grace| grace.name().into()).collect(),
            graces_error: None,
            repository_tokens: Field::of(if policy.repository_tokens_shown_once { "once" } else { "again" }),
            password: SecretField::default(),
        }
    }

    fn parse(&mut self) -> Option<Policy> {
        let max_lifetime_days = self.max_lifetime_days.parse(Policy::parse_max_lifetime);
        let no_expiry_allowed = one_of(&mut self.no_expiry_allowed, ["no", "yes"]);
        let max_api_tokens = self.max_api_tokens.parse(Policy::parse_max_api_tokens);
        let known = self.graces.iter().all(|name| Grace::from_name(name).is_some());
        if !known || self.graces.is_empty() {
            self.graces_error = Some("Choose at least one moment at which an old token may stop working.".into());
        }
        let shown_once = one_of(&mut self.repository_tokens, ["again", "once"]);
        if self.graces_error.is_some() {
            return None;
        }
        Some(Policy {
            max_lifetime_days: max_lifetime_days?,
            no_expiry_allowed: no_expiry_allowed?,
            max_api_tokens: max_api_tokens?,
            graces: Grace::ALL.into_iter().filter(|grace| self.offers(*grace)).collect(),
            repository_tokens_shown_once: shown_once?,
        })
    }

    fn offers(&self, grace: Grace) -> bool {
        self.graces.iter().any(|name| **name == *grace.name())
    }

    fn no_expiry_choices(&self) -> [Choice; 2] {
        let allowed = &self.no_expiry_allowed.value;
        [
            choice("yes", "Allowed", "A maximum lifetime switches it off.", allowed),
            choice("no", "Not allowed", "", allowed),
        ]
    }

    fn grace_choices(&self) -> Vec<Choice> {
        let choice = |grace: Grace| Choice {
            value: grace.name().into(),
            label: grace.label().into(),
            hint: String::new(),
            checked: self.offers(grace),
        };
        Grace::ALL.into_iter().map(choice).collect()
    }

    fn repository_token_choices(&self) -> [Choice; 2] {
        let shown = &self.repository_tokens.value;
        [
            choice("again", "Can be shown again", "To those who may manage the repository.", shown),
            choice("once", "Are shown only once", "Holds at once, for those that exist too.", shown),
        ]
    }
}

fn choice(value: &str, label: &str, hint: &str, chosen: &str) -> Choice {
    Choice { value: value.into(), label: label.into(), hint: hint.into(), checked: value == chosen }
}

/// Whether the second of the two was chosen.
fn one_of(field: &mut Field, [first, second]: [&str; 2]) -> Option<bool> {
    let chosen = match field.value.as_str() {
        value if value == first => Some(false),
        value if value == second => Some(true),
        _ => None,
    };
    if chosen.is_none() {
        field.error = Some("Choose one of the two.".into());
    }
    chosen
}

fn page(who: &SignedIn, form: PoliciesForm) -> Result<HttpResponse, Failure> {
    let errors = errors([
        ("max_lifetime_days", &form.max_lifetime_days.error),
        ("no_expiry_allowed", &form.no_expiry_allowed.error),
        ("max_api_tokens", &form.max_api_tokens.error),
        ("graces", &form.graces_error),
        ("repository_tokens", &form.repository_tokens.error),
        ("password", &form.password.error),
    ]);
    let limit_hint = format!(
        "From 1 to 100 (optional). Without it the program's own limit holds, which is {}.",
        who.portal.settings.max_api_tokens
    );
    let ask_password = !who.authenticated_recently();
    form_page(who, errors, |shell, errors| PoliciesPage { shell, form, limit_hint, ask_password, errors })
}
