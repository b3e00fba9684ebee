//! What a caller may do: the token's permission, the token's repositories and what its owner may do now, all at once.

use super::authenticate::{ApiCaller, Caller, Right};
use crate::domain::id::UserId;
use crate::domain::permission::{Area, Permission, Permissions, owner_may};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::{Repository, RepositoryName};
use crate::storage::repositories::{Among, Visible, find, find_with_grant, list, search_key};
use crate::storage::{Connection, Result as Stored, api_tokens, grants};

/// The token lacks a permission that the request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token needs the permission {}: {}", .area.label(), .needed.label())]
pub struct InsufficientScope {
    pub area: Area,
    pub needed: Permission,
}

impl Caller {
    /// Passes if the token has at least `needed` in `area`. A repository's token reads and writes its repository, and nothing else.
    pub fn require(&self, area: Area, needed: Permission) -> Result<(), InsufficientScope> {
        if self.permissions().of(area) >= needed { Ok(()) } else { Err(InsufficientScope { area, needed }) }
    }

    pub fn permissions(&self) -> Permissions {
        match self {
            Self::ApiToken(caller) => caller.permissions,
            Self::Repository(_) => Permissions { repositories: Permission::Write, ..Permissions::default() },
            Self::Service(_) => Permissions::default(),
        }
    }
}

/// Whether a user sees every repository, whatever the grants.
pub const fn sees_all(privileges: Privileges) -> bool {
    privileges.contains(Privilege::ViewRepositories) || privileges.contains(Privilege::RepositoryManagement)
}

/// The repository of that name and the caller's right on it, or `None` if it is not there for this caller.
pub fn repository_for(
    connection: &mut Connection,
    caller: &Caller,
    name: &RepositoryName,
) -> Stored<Option<(Repository, Permission)>> {
    let caller = match caller {
        Caller::ApiToken(caller) => caller,
        Caller::Repository(caller) => {
            let own = if caller.name == *name { find(connection, caller.repository)? } else { None };
            return Ok(own.map(|repository| (repository, Permission::Write)));
        }
        Caller::Service(_) => return Ok(None),
    };
    let Some((repository, grant)) = find_with_grant(connection, caller.owner, name)? else { return Ok(None) };
    if caller.selected_only && !api_tokens::selected_repositories(connection, caller.token)?.contains(&repository.id) {
        return Ok(None);
    }
    let right = caller.permissions.repositories.min(owner_may(caller.owner_privileges, grant));
    Ok((right > Permission::None).then_some((repository, right)))
}

/// The caller's right on each of these repositories that it reaches. For one moment, call it in a transaction.
pub fn rights(
    connection: &mut Connection,
    caller: &Caller,
    names: &[RepositoryName],
) -> Stored<Vec<(RepositoryName, Right)>> {
    let caller = match caller {
        Caller::ApiToken(caller) => caller,
        Caller::Repository(caller) => {
            let own = Right { repository: caller.repository, permission: Permission::Write };
            let asked = names.contains(&caller.name) && find(connection, caller.repository)?.is_some();
            return Ok(asked.then(|| (caller.name.clone(), own)).into_iter().collect());
        }
        Caller::Service(_) => return Ok(Vec::new()),
    };
    let among = Among::Names(names.iter().map(ToString::to_string).collect());
    let wanted =
        Visible { user: caller.owner, all: sees_all(caller.owner_privileges), among, search: Vec::new(), after: None };
    let mut seen = list(connection, &wanted, i64::try_from(names.len()).unwrap_or(i64::MAX))?;
    if caller.selected_only {
        let selected = api_tokens::selected_repositories(connection, caller.token)?;
        seen.retain(|(repository, _)| selected.contains(&repository.id));
    }
    let most = caller.permissions.repositories;
    let rights = seen.into_iter().map(|(repository, grant)| {
        let permission = most.min(owner_may(caller.owner_privileges, grant));
        (repository.name, Right { repository: repository.id, permission })
    });
    Ok(rights.filter(|(_, right)| right.permission > Permission::None).collect())
}

/// The most that an API token can do on any repository now: its permission, its repositories and its owner combined.
/// Where the token is not limited to repositories, the owner's privileges count before there is a repository.
pub fn strongest_permission(connection: &mut Connection, token: &ApiCaller) -> Stored<Permission> {
    let most = token.permissions.repositories;
    let by_privilege = owner_may(token.owner_privileges, None);
    let selected = if token.selected_only && most > Permission::None {
        Some(api_tokens::selected_repositories(connection, token.token)?)
    } else {
        None
    };
    if most == Permission::None || selected.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Permission::None);
    }
    if by_privilege >= most {
        return Ok(most);
    }
    let granted = grants::strongest(connection, token.owner, selected.as_deref())?;
    Ok(most.min(owner_may(token.owner_privileges, granted)))
}

/// Whether the caller may read the names of all repositories of a registry: a token with Administration: read, not
/// limited to some repositories, whose owner holds an administrative privilege and sees every repository here.
pub fn may_list_registry(caller: &Caller) -> bool {
    let Caller::ApiToken(caller) = caller else { return false };
    let privileges = caller.owner_privileges;
    caller.permissions.administration >= Permission::Read
        && !caller.selected_only
        && privileges.administers()
        && sees_all(privileges)
}

/// At most `limit` repositories that the caller reaches, by name, from after `after` on.
pub fn repositories_for(
    connection: &mut Connection,
    caller: &Caller,
    after: Option<String>,
    limit: i64,
) -> Stored<Vec<(Repository, Permission)>> {
    repositories_matching(connection, caller, Vec::new(), after, limit)
}

/// The same, of those whose name or description holds all words of `search`.
pub fn repositories_matching(
    connection: &mut Connection,
    caller: &Caller,
    search: Vec<String>,
    after: Option<String>,
    limit: i64,
) -> Stored<Vec<(Repository, Permission)>> {
    let caller = match caller {
        Caller::ApiToken(caller) => caller,
        Caller::Repository(caller) => {
            let passed = after.is_some_and(|after| caller.name.as_str() <= after.as_str());
            let own = if passed { None } else { find(connection, caller.repository)? };
            let holds = |key: &str| search.iter().all(|word| key.contains(word.as_str()));
            let own = own.filter(|own| holds(&search_key(&own.name, &own.description)));
            return Ok(own.map(|repository| (repository, Permission::Write)).into_iter().collect());
        }
        Caller::Service(_) => return Ok(Vec::new()),
    };
    let among = if caller.selected_only {
        Among::Ids(api_tokens::selected_repositories(connection, caller.token)?)
    } else {
        Among::All
    };
    let wanted = Visible { user: caller.owner, all: sees_all(caller.owner_privileges), among, search, after };
    let most = caller.permissions.repositories;
    Ok(list(connection, &wanted, limit)?
        .into_iter()
        .map(|(repository, grant)| (repository, most.min(owner_may(caller.owner_privileges, grant))))
        .filter(|(_, right)| *right > Permission::None)
        .collect())
}

/// At most `limit` repositories that a user sees, by name.
pub fn repositories_seen_by(
    connection: &mut Connection,
    user: UserId,
    privileges: Privileges,
    among: Among,
    limit: i64,
) -> Stored<Vec<Repository>> {
    let wanted = Visible { user, all: sees_all(privileges), among, search: Vec::new(), after: None };
    Ok(list(connection, &wanted, limit)?.into_iter().map(|(repository, _)| repository).collect())
}
