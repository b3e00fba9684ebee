//! Everything a user can do: privileges, and access to repositories by grants. The only comparison of two users.

use std::collections::HashMap;

use super::id::RepositoryId;
use super::permission::{Permission, owner_may};
use super::privilege::Privileges;

/// Everything that one user, or several users together, can do.
#[derive(Debug, Clone, Default)]
pub struct UserAccess {
    privileges: Privileges,
    /// The strongest grant on each repository. Grants that the privileges of a compared user include may be left out.
    grants: HashMap<RepositoryId, Permission>,
}

impl UserAccess {
    pub fn new(privileges: Privileges, grants: impl IntoIterator<Item = (RepositoryId, Permission)>) -> Self {
        let mut strongest = HashMap::new();
        for (repository, permission) in grants {
            let known = strongest.entry(repository).or_insert(permission);
            *known = (*known).max(permission);
        }
        Self { privileges, grants: strongest }
    }

    pub const fn privileges(&self) -> Privileges {
        self.privileges
    }

    /// Whether a user with this access can do everything that a user with `other` can do. Only then may the first
    /// change the second.
    pub fn covers(&self, other: &Self) -> bool {
        self.privileges.contains_all(other.privileges) && self.covers_grants(other)
    }

    /// Whether the privileges or grants include every grant of `other`.
    pub fn covers_grants(&self, other: &Self) -> bool {
        other
            .grants
            .iter()
            .all(|(repository, granted)| owner_may(self.privileges, self.grants.get(repository).copied()) >= *granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::privilege::Privilege;

    fn access(privileges: &[Privilege], grants: &[(u8, Permission)]) -> UserAccess {
        let all = privileges.iter().fold(Privileges::NONE, |all, privilege| all.with(*privilege));
        let id = |number: u8| format!("{number}").parse().unwrap();
        UserAccess::new(all, grants.iter().map(|(number, permission)| (id(*number), *permission)))
    }

    #[test]
    fn covers_with_equal_or_more_access_returns_true() {
        use Permission::{Read, Write};
        use Privilege::{RepositoryManagement, UserManagement, ViewRepositories};
        let writer = access(&[], &[(1, Write)]);
        for larger in [
            access(&[], &[(1, Write)]),
            access(&[UserManagement], &[(1, Read), (2, Read), (1, Write)]),
            access(&[RepositoryManagement], &[]),
        ] {
            assert!(larger.covers(&writer), "{larger:?}");
        }
        let reader = access(&[], &[(1, Read)]);
        for larger in [writer, access(&[ViewRepositories], &[]), access(&[RepositoryManagement], &[])] {
            assert!(larger.covers(&reader), "{larger:?}");
        }
        assert!(access(&[], &[]).covers(&access(&[], &[])));
    }

    #[test]
    fn covers_with_less_access_returns_false() {
        use Permission::{Read, Write};
        use Privilege::{RepositoryManagement, UserManagement, ViewRepositories};
        let writer = access(&[], &[(1, Write)]);
        for smaller in [
            access(&[], &[]),
            access(&[], &[(2, Write)]),
            access(&[], &[(1, Read)]),
            access(&[UserManagement, ViewRepositories], &[]),
            access(&[ViewRepositories], &[(1, Read), (2, Write)]),
        ] {
            assert!(!smaller.covers(&writer), "{smaller:?}");
        }
        assert!(!access(&[RepositoryManagement], &[]).covers(&access(&[ViewRepositories], &[])));
        assert!(!access(&[], &[(1, Write)]).covers(&access(&[ViewRepositories], &[])));
    }
}
