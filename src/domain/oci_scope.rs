//! Scopes that clients of a container registry ask for, and what of them is granted. The grammar is that of the token
//! authentication of the CNCF Distribution registry, and of `*`, which that registry itself asks for to delete.

use std::collections::HashMap;
use std::fmt;

use super::Invalid;
use super::permission::Permission;
use super::repository::RepositoryName;

/// Most bytes of all scopes of one request: as many as fit into an address.
pub const MAX_SCOPES_BYTES: usize = 4 * 1024;
/// Bytes of a name, as registries limit it.
const LONGEST_NAME: usize = 255;

/// Something that can be done. Other actions are never granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OciAction {
    Pull,
    Push,
    Delete,
    /// All of it: what the registry wants to see before it deletes.
    All,
}

impl OciAction {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::All => "*",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Pull, Self::Push, Self::Delete, Self::All].into_iter().find(|action| action.name() == name)
    }

    const fn needs(self) -> Permission {
        match self {
            Self::Pull => Permission::Read,
            Self::Push | Self::Delete | Self::All => Permission::Write,
        }
    }
}

/// What a scope is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OciResource {
    /// A repository of the registry, governed by the repository whose name its first segment is.
    Repository(RepositoryName),
    /// The list of all repositories of the registry.
    Catalog,
    /// Anything else, which nobody gets.
    Other,
}

/// One scope: a resource and the actions on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciScope {
    kind: String,
    /// The class in parentheses behind the type, as in `repository(plugin)`.
    class: Option<String>,
    name: String,
    pub resource: OciResource,
    /// Those that can be granted at all, each once.
    actions: Vec<OciAction>,
}

/// A part of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub kind: String,
    pub class: Option<String>,
    pub name: String,
    pub actions: Vec<OciAction>,
}

/// In the grammar of the request.
impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(class) = &self.class {
            write!(f, "({class})")?;
        }
        let actions: Vec<_> = self.actions.iter().copied().map(OciAction::name).collect();
        write!(f, ":{}:{}", self.name, actions.join(","))
    }
}

impl OciScope {
    /// Reads the values of all parameters `scope`; each may hold several scopes. Those about the same thing become one.
    pub fn parse_all<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<Self>, Invalid> {
        let (mut scopes, mut indices, mut length) = (Vec::<Self>::new(), HashMap::<&str, usize>::new(), 0);
        for value in values {
            length += value.len();
            if length > MAX_SCOPES_BYTES {
                return Err(Invalid::new("The scopes are longer than 4 kB. Request fewer at a time."));
            }
            for text in value.split(' ').filter(|text| !text.is_empty()) {
                let (resource, scope) = Self::parse(text).ok_or_else(|| {
                    Invalid::new("A scope is malformed. A scope looks like repository:payments/api:pull,push.")
                })?;
                match indices.get(resource) {
                    Some(&index) => scopes[index].add(&scope.actions),
                    None => {
                        indices.insert(resource, scopes.len());
                        scopes.push(scope);
                    }
                }
            }
        }
        Ok(scopes)
    }

    /// Reads `type:name:actions` or `type(class):name:actions`. The name may contain a colon if it starts with a host and a
    /// port. Returns the scope and its text before the actions.
    fn parse(text: &str) -> Option<(&str, Self)> {
        let (resource_text, actions) = text.rsplit_once(':')?;
        let (kind, name) = resource_text.split_once(':')?;
        let actions: Vec<&str> = actions.split(',').collect();
        let (kind, class) = parse_kind(kind)?;
        if !is_name(name) || !actions.iter().all(|action| is_action(action)) {
            return None;
        }
        let resource = match kind {
            "repository" => {
                let first = name.split('/').next().unwrap_or_default();
                RepositoryName::parse(first).map_or(OciResource::Other, OciResource::Repository)
            }
            "registry" if name == "catalog" && class.is_none() => OciResource::Catalog,
            _ => OciResource::Other,
        };
        let (kind, class, name) = (kind.to_owned(), class.map(str::to_owned), name.to_owned());
        let mut scope = Self { kind, class, name, resource, actions: Vec::new() };
        scope.add(&actions.into_iter().filter_map(OciAction::from_name).collect::<Vec<_>>());
        Some((resource_text, scope))
    }

    fn add(&mut self, actions: &[OciAction]) {
        for action in actions {
            if !self.actions.contains(action) {
                self.actions.push(*action);
            }
        }
    }

    /// The name of the repository that governs it.
    pub const fn governing(&self) -> Option<&RepositoryName> {
        match &self.resource {
            OciResource::Repository(name) => Some(name),
            OciResource::Catalog | OciResource::Other => None,
        }
    }

    /// What is asked for and allowed: `permission` is the right on the repository, `catalog` tells whether the catalog may
    /// be read. `None` where that is nothing.
    pub fn granted(&self, permission: Permission, catalog: bool) -> Option<Granted> {
        let allowed = |action: &OciAction| match &self.resource {
            OciResource::Repository(_) => permission >= action.needs(),
            OciResource::Catalog => catalog && *action == OciAction::All,
            OciResource::Other => false,
        };
        let actions: Vec<_> = self.actions.iter().copied().filter(allowed).collect();
        (!actions.is_empty()).then(|| Granted {
            kind: self.kind.clone(),
            class: self.class.clone(),
            name: self.name.clone(),
            actions,
        })
    }
}

/// Reads `repository`, or with a class `repository(plugin)`.
fn parse_kind(text: &str) -> Option<(&str, Option<&str>)> {
    let (kind, class) = match text.strip_suffix(')') {
        Some(text) => text.split_once('(').map(|(kind, class)| (kind, Some(class)))?,
        None => (text, None),
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (word(kind) && class.is_none_or(word)).then_some((kind, class))
}

fn is_action(text: &str) -> bool {
    text == "*" || text.bytes().all(|b| b.is_ascii_lowercase())
}

/// Segments divided by slashes; the first one may be a host, if others follow.
fn is_name(text: &str) -> bool {
    let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
    text.len() <= LONGEST_NAME
        && (is_segment(first) || rest.is_some() && is_host(first))
        && rest.is_none_or(|rest| rest.split('/').all(is_segment))
}

/// Lower-case letters and digits, with a dot, one or two underscores, or any number of hyphens between them.
fn is_segment(text: &str) -> bool {
    let mut rest = text;
    loop {
        let word = rest.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        if rest.is_empty() {
            return true;
        }
        let hyphens = rest.bytes().take_while(|&b| b == b'-').count();
        let separator = match rest.as_bytes() {
            [b'_', b'_', ..] => 2,
            [b'.' | b'_', ..] => 1,
            _ if hyphens > 0 => hyphens,
            _ => return false,
        };
        rest = &rest[separator..];
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(part)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
