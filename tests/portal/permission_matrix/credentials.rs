//! The credentials of the matrix, and what a request with each of them names.

use std::cell::OnceCell;

use serde_json::json;
use tokenhouse::domain::api_token::{NewApiToken, RepositorySelection};
use tokenhouse::domain::id::RepositoryId;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;
use tokenhouse::web::assets;
use tokenhouse::web::routes::Route;

use super::with_api;
use crate::api_tokens::send;
use crate::support::{Browser, Portal, Token, User};

use Permission::{Read, Write};

/// What comes with a request.
pub enum Credential {
    None,
    Cookie(String),
    Secret(String),
}

type Make = fn(&Cell<'_>) -> Credential;

/// *Developer* may use the API and view repositories; what comes after the colon is the token's permission.
pub const CREDENTIALS: [(&str, Make); 36] = [
    ("no credentials", |_| Credential::None),
    ("unknown token", |_| secret(Secret::generate(SecretKind::ApiToken, &mut randomness::system()).reveal())),
    ("session cookie", |cell| cell.cookie()),
    ("Developer: none", |cell| cell.api_token("developer", none())),
    ("Developer: repositories read", |cell| cell.api_token("developer", repositories(Read))),
    ("Developer: repositories write", |cell| cell.api_token("developer", repositories(Write))),
    ("Developer: account read", |cell| cell.api_token("developer", account(Read))),
    ("Developer: account write", |cell| cell.api_token("developer", account(Write))),
    ("Developer: administration read", |cell| cell.api_token("developer", administration(Read))),
    ("Developer: administration write", |cell| cell.api_token("developer", administration(Write))),
    ("Developer: another repository write", |cell| cell.limited()),
    ("no grant: repositories write", |cell| cell.api_token("api", repositories(Write))),
    ("read grant: repositories write", |cell| cell.granted(Read, Write)),
    ("write grant: repositories read", |cell| cell.granted(Write, Read)),
    ("write grant: repositories write", |cell| cell.granted(Write, Write)),
    ("only Repository Management: repositories write", |cell| {
        cell.api_token(&with_api(Privilege::RepositoryManagement), repositories(Write))
    }),
    ("Repository Manager: repositories read", |cell| cell.api_token("repository-manager", repositories(Read))),
    ("Repository Manager: repositories write", |cell| cell.api_token("repository-manager", repositories(Write))),
    ("User Management: administration read", |cell| {
        cell.api_token(&with_api(Privilege::UserManagement), administration(Read))
    }),
    ("User Management: administration write", |cell| {
        cell.api_token(&with_api(Privilege::UserManagement), administration(Write))
    }),
    ("System Management: administration read", |cell| {
        cell.api_token(&with_api(Privilege::SystemManagement), administration(Read))
    }),
    ("System Management: administration write", |cell| {
        cell.api_token(&with_api(Privilege::SystemManagement), administration(Write))
    }),
    ("View Audit Log: administration read", |cell| {
        cell.api_token(&with_api(Privilege::ViewAuditLog), administration(Read))
    }),
    ("Administrator: repositories write", |cell| cell.api_token("administrator", repositories(Write))),
    ("Administrator: administration read", |cell| cell.api_token("administrator", administration(Read))),
    ("Administrator: administration write", |cell| cell.api_token("administrator", administration(Write))),
    ("Administrator: everything", |cell| cell.api_token("administrator", everything())),
    ("replaced secret within its grace", |cell| cell.replaced("1h")),
    ("replaced secret after its grace", |cell| cell.replaced("now")),
    ("expired token", |cell| cell.ended(|_, _| {}, true)),
    ("disabled token", |cell| cell.ended(|portal, token| portal.disable(token), false)),
    ("revoked token", |cell| cell.ended(|portal, token| portal.revoke(token), false)),
    ("token of a disabled user", |cell| cell.of_disabled_user()),
    ("token of an owner without API Access", |cell| cell.api_token("viewer", everything())),
    ("repository token", |cell| secret(&cell.repository_token)),
    ("service token", |cell| secret(&cell.service_token)),
];

fn secret(text: &str) -> Credential {
    Credential::Secret(text.to_owned())
}

fn none() -> Permissions {
    Permissions::default()
}

fn repositories(permission: Permission) -> Permissions {
    Permissions { repositories: permission, ..none() }
}

fn account(permission: Permission) -> Permissions {
    Permissions { account: permission, ..none() }
}

fn administration(permission: Permission) -> Permissions {
    Permissions { administration: permission, ..none() }
}

fn everything() -> Permissions {
    Permissions { repositories: Write, account: Write, administration: Write }
}

/// One request, and what it names: nothing is shared with another cell.
pub struct Cell<'p> {
    pub portal: &'p Portal,
    pub number: usize,
    root: &'p Browser<'p>,
    repository: RepositoryId,
    pub repository_token: String,
    pub service_token: String,
    owner: OnceCell<User<'p>>,
    /// The user that the route names.
    about: User<'p>,
    target: OnceCell<Token>,
}

impl<'p> Cell<'p> {
    pub fn new(portal: &'p Portal, route: &Route, number: usize, root: &'p Browser<'p>) -> Self {
        let (repository, repository_token) = portal.repository_with_token(&format!("repository{number}"));
        let (_, service_token) = portal.service(&format!("service{number}"));
        if route.path.contains("{role}") {
            portal.role(&format!("role{number}"), &[]);
        }
        let about = portal.user_with(String::leak(format!("about{number}")), "none");
        // Who manages users may not change one that has access to a repository.
        if !route.path.starts_with("/api/v1/users") {
            about.grant(repository, Write);
        }
        let (owner, target) = (OnceCell::new(), OnceCell::new());
        Self { portal, number, root, repository, repository_token, service_token, owner, about, target }
    }

    pub fn path(&self, route: &str) -> String {
        let file = assets::PORTAL_CSS.path.strip_prefix("/static/").expect("an asset");
        let kind = if route.contains("/services/") { "service" } else { "repository" };
        let path = route.replace("{name}", &format!("{kind}{}", self.number)).replace("{file}", file);
        let path = path.replace("{username}", self.about.username).replace("{role}", &format!("role{}", self.number));
        let path = if path.contains("{id}") { path.replace("{id}", &self.target().id.to_string()) } else { path };
        assert!(!path.contains('{'), "{route} has a parameter that the matrix does not know");
        path
    }

    pub fn oci_scope(&self) -> String {
        format!("repository:repository{}:pull,push", self.number)
    }

    /// Another API token of the owner of the credential; of nobody known, where there is no such owner.
    pub fn target(&self) -> &Token {
        let owner = self.owner.get().copied().unwrap_or(self.about);
        self.target.get_or_init(|| self.portal.token_named(&owner, "target"))
    }

    fn owner(&self, role: &str) -> User<'p> {
        *self.owner.get_or_init(|| self.portal.user_with(String::leak(format!("owner{}", self.number)), role))
    }

    fn cookie(&self) -> Credential {
        let session = self.root.session().expect("a session");
        Credential::Cookie(format!("{}={session}", self.portal.cookies().session))
    }

    fn token(&self, role: &str, change: impl FnOnce(&mut NewApiToken)) -> Token {
        self.portal.token(&self.owner(role), change)
    }

    fn api_token(&self, role: &str, permissions: Permissions) -> Credential {
        secret(&self.token(role, |token| token.permissions = permissions).secret)
    }

    fn limited(&self) -> Credential {
        let other = self.portal.repository(&format!("other{}", self.number));
        let token = self.token("developer", |token| {
            token.permissions = repositories(Write);
            token.repositories = RepositorySelection::Selected(vec![other]);
        });
        secret(&token.secret)
    }

    /// Of a user with nothing but *API Access* and this grant.
    fn granted(&self, grant: Permission, permission: Permission) -> Credential {
        self.owner("api").grant(self.repository, grant);
        self.api_token("api", repositories(permission))
    }

    fn replaced(&self, grace: &str) -> Credential {
        let token = self.token("administrator", |token| token.permissions = everything());
        let path = "/api/v1/tokens/current/rotation";
        send(self.portal, "POST", path, &token.secret, json!({ "grace": grace })).with(201);
        secret(&token.secret)
    }

    fn ended(&self, end: fn(&Portal, &Token), expires_now: bool) -> Credential {
        let token = self.token("administrator", |token| {
            token.permissions = everything();
            if expires_now {
                token.expires_at = Some(self.portal.later(0));
            }
        });
        end(self.portal, &token);
        secret(&token.secret)
    }

    fn of_disabled_user(&self) -> Credential {
        let token = self.token("administrator", |token| token.permissions = everything());
        // The target belongs to the same user, who can be given none afterwards.
        self.target();
        self.owner("administrator").disable();
        secret(&token.secret)
    }
}
