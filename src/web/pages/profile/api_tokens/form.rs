//! The form for a new token as it is shown.

use std::collections::HashSet;

use serde::Deserialize;

use super::wish::Wish;
use crate::domain::expiry::{PRESETS, earliest, iso, latest, offers_preset};
use crate::domain::permission::{Area, Permission};
use crate::domain::policy::Policy;
use crate::domain::repository::Repository;
use crate::domain::timestamp::{DAY, Timestamp};
use crate::web::form::{Choice, Field, FieldError, FormValue, SecretField, errors};

/// The form as it was sent. The names of its fields are a contract, because prefilled links use them.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiTokenInput {
    pub name: Field,
    pub expiry: FormValue,
    pub expires_on: FormValue,
    pub repositories_permission: FormValue,
    pub account_permission: FormValue,
    pub administration_permission: FormValue,
    pub repository_selection: FormValue,
    pub repositories: Vec<FormValue>,
    pub nonce: FormValue,
    /// The id of the token to recreate, or empty.
    pub recreates: FormValue,
    pub password: SecretField,
}

/// What the form depends on beside what was typed.
pub struct Terms {
    pub now: Timestamp,
    pub policy: Policy,
    /// What the user may select, or, where that is too much to be offered, what the request or another token names of it.
    /// Empty where nothing is selected and the form is not shown.
    pub repositories: Vec<Repository>,
    /// Whether there is too much to be offered: names are typed then.
    pub names_are_typed: bool,
    /// Whether the area Administration is offered.
    pub administers: bool,
}

/// The form as it is shown.
pub struct ApiTokenForm {
    pub name: Field,
    pub expiries: Vec<Choice>,
    pub expiry_error: Option<String>,
    pub expires_on: Field,
    pub earliest: String,
    pub latest: String,
    pub areas: Vec<AreaField>,
    pub selection: Vec<Choice>,
    pub selection_error: Option<String>,
    pub repositories: Vec<Choice>,
    /// In the place of the choices, where there are too many.
    pub repository_names: Option<Field>,
    pub repositories_error: Option<String>,
    pub password: SecretField,
}

/// The permission in one area.
pub struct AreaField {
    pub field: &'static str,
    pub label: String,
    pub hint: String,
    pub choices: Vec<Choice>,
    pub error: Option<String>,
}

pub(super) const fn field_of(area: Area) -> &'static str {
    match area {
        Area::Repositories => "repositories_permission",
        Area::Account => "account_permission",
        Area::Administration => "administration_permission",
    }
}

const fn hint_of(area: Area) -> &'static str {
    match area {
        Area::Repositories => "Look at repositories, or change them.",
        Area::Account => "List your tokens; or rename and revoke them, and rotate this one.",
        Area::Administration => "Users, roles, services, policies and the audit log, as far as your privileges reach.",
    }
}

impl Wish {
    /// The form that shows this wish.
    pub fn form(&self, terms: &Terms) -> ApiTokenForm {
        let choice = |value: &str, label: String, hint: String, chosen: &str| Choice {
            value: value.to_owned(),
            label,
            hint,
            checked: value == chosen,
        };
        let mut expiries: Vec<Choice> = PRESETS
            .into_iter()
            .filter(|&days| offers_preset(days, &terms.policy))
            .map(|days| {
                let end = terms.now.plus(i64::from(days) * DAY).for_people().to_string();
                choice(&days.to_string(), format!("{days} days"), end, &self.expiry)
            })
            .collect();
        expiries.push(choice("custom", "Custom date".into(), String::new(), &self.expiry));
        if terms.policy.offers_no_expiry() {
            let hint = "It works until you revoke it.".to_owned();
            expiries.push(choice("never", "No expiry".into(), hint, &self.expiry));
        }
        let areas = Area::ALL.into_iter().zip(&self.permissions).filter(|(area, _)| terms.offers(*area)).map(
            |(area, chosen)| {
                let choices = Permission::ALL
                    .into_iter()
                    .map(|one| choice(one.name(), one.label().into(), String::new(), chosen))
                    .collect();
                AreaField {
                    field: field_of(area),
                    label: area.label().into(),
                    hint: hint_of(area).into(),
                    choices,
                    error: None,
                }
            },
        );
        let mut form = ApiTokenForm {
            name: Field::of(&self.name),
            expiries,
            expiry_error: None,
            expires_on: Field::of(&self.expires_on),
            earliest: iso(earliest(terms.now)),
            latest: iso(latest(terms.now, &terms.policy)),
            areas: areas.collect(),
            selection: vec![
                choice("all", "All repositories I can access".into(), "Later ones included.".into(), &self.selection),
                choice("selected", "Only selected repositories".into(), String::new(), &self.selection),
            ],
            selection_error: None,
            repositories: Vec::new(),
            repository_names: None,
            repositories_error: None,
            password: SecretField::default(),
        };
        self.offer_repositories(&mut form, terms);
        form
    }

    /// Puts the repositories that there are to choose from into the form.
    pub fn offer_repositories(&self, form: &mut ApiTokenForm, terms: &Terms) {
        let chosen: HashSet<&str> = self.repositories.iter().map(String::as_str).collect();
        let choice = |repository: &Repository| Choice {
            value: repository.name.to_string(),
            label: repository.name.to_string(),
            hint: String::new(),
            checked: chosen.contains(repository.name.as_str()),
        };
        form.repositories = terms.repositories.iter().map(choice).collect();
        form.repository_names = terms.names_are_typed.then(|| Field::of(self.repositories.join(" ")));
    }
}

impl Terms {
    pub(super) const fn offers(&self, area: Area) -> bool {
        self.administers || !matches!(area, Area::Administration)
    }
}

impl ApiTokenForm {
    pub(super) fn refuse(&mut self, area: Area) {
        let sentence = "Choose no access, read, or read and write.".to_owned();
        match self.areas.iter_mut().find(|shown| shown.field == field_of(area)) {
            Some(shown) => shown.error = Some(sentence),
            // Not offered, so there is no field to put it at.
            None => {
                self.areas[0].error =
                    Some("You hold no privilege in Administration, so a token cannot have one. Leave it out.".into());
            }
        }
    }

    pub(super) fn refuse_repositories(&mut self, sentence: String) {
        if let Some(names) = &mut self.repository_names {
            names.error = Some(sentence.clone());
        }
        self.repositories_error = Some(sentence);
    }

    pub fn errors(&self) -> Vec<FieldError> {
        let areas = self.areas.iter().map(|area| (area.field, &area.error));
        errors(
            [("name", &self.name.error), ("expiry", &self.expiry_error), ("expires_on", &self.expires_on.error)]
                .into_iter()
                .chain(areas)
                .chain([
                    ("repository_selection", &self.selection_error),
                    ("repositories", &self.repositories_error),
                    ("password", &self.password.error),
                ]),
        )
    }
}
