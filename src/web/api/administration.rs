//! What everything in the area Administration asks first: the token's permission, and the owner's privilege.

use crate::domain::permission::{Area, Permission};
use crate::domain::privilege::{Privilege, Privileges};
use crate::storage::acting::Acting;
use crate::web::error::Failure;
use crate::web::extract::api_caller::ApiCaller;

/// The owner of an API token with this permission, who holds the privilege that what is asked for needs.
pub fn administering(caller: &ApiCaller, needed: Permission, privilege: Privilege) -> Result<Acting, Failure> {
    caller.require(Area::Administration, needed)?;
    caller.acting(Privileges::NONE.with(privilege))
}
