//! Privileges: what a user may do at all.

use std::fmt;

/// One privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privilege {
    ApiAccess,
    ViewRepositories,
    RepositoryManagement,
    UserManagement,
    SystemManagement,
    ViewAuditLog,
}

impl Privilege {
    pub const ALL: [Self; 6] = [
        Self::ApiAccess,
        Self::ViewRepositories,
        Self::RepositoryManagement,
        Self::UserManagement,
        Self::SystemManagement,
        Self::ViewAuditLog,
    ];

    /// The name on pages.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiAccess => "API Access",
            Self::ViewRepositories => "View Repositories",
            Self::RepositoryManagement => "Repository Management",
            Self::UserManagement => "User Management",
            Self::SystemManagement => "System Management",
            Self::ViewAuditLog => "View Audit Log",
        }
    }

    /// The name in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiAccess => "api_access",
            Self::ViewRepositories => "view_repositories",
            Self::RepositoryManagement => "repository_management",
            Self::UserManagement => "user_management",
            Self::SystemManagement => "system_management",
            Self::ViewAuditLog => "view_audit_log",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|privilege| privilege.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of privileges.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges(u8);

impl Privileges {
    pub const NONE: Self = Self(0);

    pub const fn with(self, privilege: Privilege) -> Self {
        Self(self.0 | privilege.bit())
    }

    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub const fn contains(self, privilege: Privilege) -> bool {
        self.0 & privilege.bit() != 0
    }

    pub const fn contains_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether any of the three that concern Administration is among them.
    pub const fn administers(self) -> bool {
        self.contains(Privilege::UserManagement)
            || self.contains(Privilege::SystemManagement)
            || self.contains(Privilege::ViewAuditLog)
    }

    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::ALL.into_iter().filter(move |&privilege| self.contains(privilege))
    }

    /// From names divided by single spaces; `None` if one is unknown.
    pub fn from_names(names: &str) -> Option<Self> {
        names
            .split(' ')
            .filter(|name| !name.is_empty())
            .try_fold(Self::NONE, |set, name| Privilege::from_name(name).map(|privilege| set.with(privilege)))
    }

    /// Names divided by single spaces.
    pub fn names(self) -> String {
        self.iter().map(Privilege::name).collect::<Vec<_>>().join(" ")
    }

    /// For people: `API Access, View Repositories`.
    pub fn in_words(self) -> String {
        if self == Self::NONE {
            return "no privilege".into();
        }
        self.iter().map(Privilege::label).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_the_same_set() {
        let set = Privileges::from_names("api_access view_audit_log").unwrap();
        assert!(set.contains(Privilege::ApiAccess) && set.contains(Privilege::ViewAuditLog));
        assert!(!set.contains(Privilege::UserManagement) && set.administers());
        assert_eq!(
            (set.names().as_str(), set.in_words().as_str()),
            ("api_access view_audit_log", "API Access, View Audit Log")
        );
        assert_eq!(Privileges::from_names(""), Some(Privileges::NONE));
        assert_eq!(Privileges::from_names("api_access root"), None);
    }

    #[test]
    fn a_larger_set_contains_a_smaller_and_not_the_other_way() {
        let small = Privileges::NONE.with(Privilege::ApiAccess);
        let large = small.with(Privilege::ViewRepositories);
        assert!(large.contains_all(small) && !small.contains_all(large));
    }
}
