//! Permissions of tokens, per area, and what they amount to on a repository.

use super::privilege::{Privilege, Privileges};

/// What a token may do in an area. Ordered: write implies read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Permission {
    #[default]
    None,
    Read,
    Write,
}

impl Permission {
    pub const ALL: [Self; 3] = [Self::None, Self::Read, Self::Write];

    /// The name in forms, in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The name on pages.
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "No access",
            Self::Read => "Read",
            Self::Write => "Read and write",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

/// A part of what tokens can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Repositories,
    Account,
    Administration,
}

impl Area {
    pub const ALL: [Self; 3] = [Self::Repositories, Self::Account, Self::Administration];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Repositories => "Repositories",
            Self::Account => "Account",
            Self::Administration => "Administration",
        }
    }

    /// What a permission in this area is called as a scope of OAuth: `repositories:read`.
    pub fn scope(self, permission: Permission) -> String {
        format!("{}:{}", self.label().to_lowercase(), permission.name())
    }
}

/// A token's permission in each area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    pub repositories: Permission,
    pub account: Permission,
    pub administration: Permission,
}

impl Permissions {
    pub const fn of(&self, area: Area) -> Permission {
        match area {
            Area::Repositories => self.repositories,
            Area::Account => self.account,
            Area::Administration => self.administration,
        }
    }

    /// "Repositories: Read", "Account: Read and write": the areas with access, in order.
    pub fn lines(&self) -> Vec<String> {
        Area::ALL
            .into_iter()
            .filter(|&area| self.of(area) != Permission::None)
            .map(|area| format!("{}: {}", area.label(), self.of(area).label()))
            .collect()
    }
}

/// What the owner of a token may do on a repository now, given the grant on it.
/// Write with *Repository Management* or a write grant, read with *View Repositories* or any grant.
pub fn owner_may(privileges: Privileges, grant: Option<Permission>) -> Permission {
    let by_privilege = if privileges.contains(Privilege::RepositoryManagement) {
        Permission::Write
    } else if privileges.contains(Privilege::ViewRepositories) {
        Permission::Read
    } else {
        Permission::None
    };
    by_privilege.max(grant.unwrap_or_default())
}

/// What the owner of a token can do in Administration now. Write with *User Management* or *System Management*, read
/// with *View Audit Log*.
pub fn owner_may_administer(privileges: Privileges) -> Permission {
    if privileges.contains(Privilege::UserManagement) || privileges.contains(Privilege::SystemManagement) {
        Permission::Write
    } else if privileges.contains(Privilege::ViewAuditLog) {
        Permission::Read
    } else {
        Permission::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_implies_read_and_none_is_least() {
        assert!(Permission::Write > Permission::Read && Permission::Read > Permission::None);
    }

    #[test]
    fn owner_may_administer_with_audit_log_alone_returns_read() {
        for (privilege, expected) in [
            (Privilege::UserManagement, Permission::Write),
            (Privilege::SystemManagement, Permission::Write),
            (Privilege::ViewAuditLog, Permission::Read),
            (Privilege::RepositoryManagement, Permission::None),
            (Privilege::ApiAccess, Permission::None),
        ] {
            assert_eq!(owner_may_administer(Privileges::NONE.with(privilege)), expected, "{privilege:?}");
        }
    }

    #[test]
    fn the_owners_right_is_the_greater_of_privilege_and_grant() {
        let view = Privileges::NONE.with(Privilege::ViewRepositories);
        let manage = Privileges::NONE.with(Privilege::RepositoryManagement);
        for (privileges, grant, right) in [
            (Privileges::NONE, None, Permission::None),
            (Privileges::NONE, Some(Permission::Read), Permission::Read),
            (Privileges::NONE, Some(Permission::Write), Permission::Write),
            (view, None, Permission::Read),
            (view, Some(Permission::Write), Permission::Write),
            (manage, None, Permission::Write),
            (manage, Some(Permission::Read), Permission::Write),
        ] {
            assert_eq!(owner_may(privileges, grant), right);
        }
    }
}
