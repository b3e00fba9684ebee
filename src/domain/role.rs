//! Roles: named sets of privileges.

use super::id::RoleId;
use super::privilege::Privileges;

/// Name of the built-in role that holds every privilege.
pub const ADMINISTRATOR: &str = "administrator";

#[derive(Debug, Clone)]
pub struct Role {
    pub id: RoleId,
    /// As typed in a shell: `repository-manager`.
    pub name: String,
    /// As shown on pages: "Repository Manager".
    pub title: String,
    pub privileges: Privileges,
}
