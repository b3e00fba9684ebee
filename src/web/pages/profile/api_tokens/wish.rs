//! What was wished for in the form for a new token, and what it means.

use std::collections::{HashMap, HashSet};

use super::form::{ApiTokenForm, ApiTokenInput, Terms, field_of};
use crate::domain::Invalid;
use crate::domain::api_token::{ApiToken, NewApiToken, RepositorySelection};
use crate::domain::expiry::{DEFAULT_PRESET, Expiry, PRESETS, earliest, iso, latest, offers_preset, parse_date};
use crate::domain::id::{ApiTokenId, RepositoryId};
use crate::domain::name::TokenName;
use crate::domain::permission::{Area, Permission, Permissions};
use crate::domain::timestamp::{DAY, Timestamp};
use crate::web::form::Typed;

/// The same as text, from wherever it comes: a blank form, a prefilled link, another token, or what was typed.
#[derive(Debug, Clone)]
pub struct Wish {
    pub(super) name: String,
    pub(super) expiry: String,
    pub(super) expires_on: String,
    pub(super) permissions: [String; 3],
    pub(super) selection: String,
    pub(super) repositories: Vec<String>,
}

impl Wish {
    /// What the form starts with.
    pub fn blank(name: String, terms: &Terms) -> Self {
        let longest =
            PRESETS.into_iter().rev().find(|&days| days <= DEFAULT_PRESET && offers_preset(days, &terms.policy));
        Self {
            name,
            expiry: longest.map_or_else(|| "custom".into(), |days| days.to_string()),
            expires_on: String::new(),
            permissions: [Permission::Read, Permission::None, Permission::None].map(|one| one.name().to_owned()),
            selection: "all".into(),
            repositories: Vec::new(),
        }
    }

    /// The settings of another token. A lifetime that is no preset becomes a date as far away.
    pub fn like(token: &ApiToken, terms: &Terms) -> Self {
        let mut wish = Self::blank(token.name.as_str().to_owned(), terms);
        match token.lifetime {
            None if terms.policy.offers_no_expiry() => wish.expiry = "never".into(),
            None => {}
            Some(lifetime) => match PRESETS.into_iter().find(|&days| i64::from(days) * DAY == lifetime) {
                Some(days) if offers_preset(days, &terms.policy) => wish.expiry = days.to_string(),
                Some(_) => {}
                None => {
                    let date = terms.now.plus(lifetime).date();
                    wish.expiry = "custom".into();
                    wish.expires_on = iso(date.clamp(earliest(terms.now), latest(terms.now, &terms.policy)));
                }
            },
        }
        wish.permissions = Area::ALL.map(|area| token.permissions.of(area).name().to_owned());
        if let RepositorySelection::Selected(ids) = &token.repositories {
            wish.selection = "selected".into();
            let ids: HashSet<&RepositoryId> = ids.iter().collect();
            let kept = terms.repositories.iter().filter(|repository| ids.contains(&repository.id));
            wish.repositories = kept.map(|repository| repository.name.to_string()).collect();
        }
        wish
    }

    /// Lets a prefilled link change what it names.
    pub fn prefilled(mut self, query: &Typed) -> Self {
        let take = |name: &str, slot: &mut String| {
            if !query.text(name).is_empty() {
                query.text(name).clone_into(slot);
            }
        };
        take("name", &mut self.name);
        take("expiry", &mut self.expiry);
        take("expires_on", &mut self.expires_on);
        for (area, slot) in Area::ALL.into_iter().zip(&mut self.permissions) {
            take(field_of(area), slot);
        }
        take("repository_selection", &mut self.selection);
        let repositories = names(&query.all("repositories"));
        if !repositories.is_empty() {
            self.repositories = repositories;
        }
        self
    }

    pub fn typed(input: &ApiTokenInput) -> Self {
        let permissions = [&input.repositories_permission, &input.account_permission, &input.administration_permission];
        Self {
            name: input.name.value.clone(),
            expiry: input.expiry.to_string(),
            expires_on: input.expires_on.to_string(),
            permissions: permissions.map(ToString::to_string),
            selection: input.repository_selection.to_string(),
            repositories: names(&input.repositories),
        }
    }

    /// Whether it names repositories, which have to be looked up.
    pub fn selects(&self) -> bool {
        !matches!(self.selection.as_str(), "all" | "")
    }

    /// What the wish means, or the errors in the fields of `form`.
    pub fn parse(&self, terms: &Terms, recreates: Option<ApiTokenId>, form: &mut ApiTokenForm) -> Option<NewApiToken> {
        let name = form.name.parse(TokenName::parse);
        let expires_at = self.parse_expiry(terms, form);
        let permissions = self.parse_permissions(terms, form);
        let repositories = self.parse_repositories(terms, form);
        Some(NewApiToken {
            note: None,
            name: name?,
            expires_at: expires_at?,
            permissions: permissions?,
            repositories: repositories?,
            recreates,
        })
    }

    fn parse_expiry(&self, terms: &Terms, form: &mut ApiTokenForm) -> Option<Option<Timestamp>> {
        let resolve = |expiry: Expiry| expiry.resolve(terms.now, &terms.policy);
        if self.expiry == "custom" {
            return form.expires_on.parse(|text| parse_date(text).and_then(|date| resolve(Expiry::On(date))));
        }
        let chosen = match self.expiry.as_str() {
            "never" => Some(Expiry::Never),
            text => PRESETS.into_iter().find(|days| days.to_string() == text).map(Expiry::Preset),
        };
        let resolved = chosen.ok_or_else(|| Invalid::new("Choose when the token expires.")).and_then(resolve);
        resolved.map_err(|refusal| form.expiry_error = Some(refusal.0)).ok()
    }

    fn parse_permissions(&self, terms: &Terms, form: &mut ApiTokenForm) -> Option<Permissions> {
        let mut parsed = [Permission::None; 3];
        let mut good = true;
        for ((area, typed), slot) in Area::ALL.into_iter().zip(&self.permissions).zip(&mut parsed) {
            let permission = if typed.is_empty() { Some(Permission::None) } else { Permission::from_name(typed) };
            match permission {
                Some(permission) if permission == Permission::None || terms.offers(area) => *slot = permission,
                _ => {
                    good = false;
                    form.refuse(area);
                }
            }
        }
        let [repositories, account, administration] = parsed;
        good.then_some(Permissions { repositories, account, administration })
    }

    fn parse_repositories(&self, terms: &Terms, form: &mut ApiTokenForm) -> Option<RepositorySelection> {
        if !self.selects() {
            return Some(RepositorySelection::All);
        }
        if self.selection != "selected" {
            form.selection_error = Some("Choose all repositories or only selected ones.".into());
            return None;
        }
        let known: HashMap<&str, RepositoryId> =
            terms.repositories.iter().map(|repository| (repository.name.as_str(), repository.id)).collect();
        let (mut ids, mut seen) = (Vec::with_capacity(self.repositories.len()), HashSet::new());
        for name in &self.repositories {
            match known.get(name.as_str()) {
                Some(&id) if seen.insert(id) => ids.push(id),
                Some(_) => {}
                None => {
                    let shown: String = name.chars().take(100).collect();
                    let sentence = if terms.names_are_typed {
                        format!("There is no repository “{shown}” that you can access. Check its name.")
                    } else {
                        format!("There is no repository “{shown}” that you can access. Choose from the list.")
                    };
                    form.refuse_repositories(sentence);
                    return None;
                }
            }
        }
        if ids.is_empty() {
            form.refuse_repositories("Select at least one repository, or choose all of them.".into());
            return None;
        }
        Some(RepositorySelection::Selected(ids))
    }
}

/// The names of repositories that were chosen or typed: a name holds neither blanks nor commas.
pub fn names(texts: &[impl AsRef<str>]) -> Vec<String> {
    let names = texts.iter().flat_map(|text| text.as_ref().split([' ', '\t', '\r', '\n', ',']));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
