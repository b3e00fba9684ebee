//! Grants: a user's read or write access to one repository.

use super::permission::Permission;

/// What `stored` in the database means; `None` for anything that is no grant.
pub fn from_stored(stored: &str) -> Option<Permission> {
    match Permission::from_name(stored)? {
        Permission::None => None,
        permission => Some(permission),
    }
}
