//! Pages, by people.

use percent_encoding::percent_decode_str;
use tokenhouse::domain::id::RepositoryId;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::random_code;
use tokenhouse::randomness;
use tokenhouse::web::routes::{ROUTES, Route, Scope};

use super::{block, only, title};
use crate::support::redact::redact;
use crate::support::routes::Place;
use crate::support::{Browser, PASSWORD, Portal, Token, User};

/// Who opens a page.
#[derive(Clone, Copy)]
enum Actor {
    SignedOut,
    /// Whose account was disabled after the sign-in.
    Disabled,
    /// With *API Access* only; owner of the API token and the session that the route names.
    Owner,
    /// Without a privilege, and with this grant on the repository that the route names.
    Grant(Option<Permission>),
    Only(Privilege),
    RepositoryManager,
    Administrator,
}

const ACTORS: [(&str, Actor); 14] = [
    ("signed out", Actor::SignedOut),
    ("disabled user", Actor::Disabled),
    ("no grant", Actor::Grant(None)),
    ("read grant", Actor::Grant(Some(Permission::Read))),
    ("write grant", Actor::Grant(Some(Permission::Write))),
    ("owner", Actor::Owner),
    ("only API Access", Actor::Only(Privilege::ApiAccess)),
    ("only View Repositories", Actor::Only(Privilege::ViewRepositories)),
    ("only Repository Management", Actor::Only(Privilege::RepositoryManagement)),
    ("Repository Manager", Actor::RepositoryManager),
    ("only User Management", Actor::Only(Privilege::UserManagement)),
    ("only System Management", Actor::Only(Privilege::SystemManagement)),
    ("only View Audit Log", Actor::Only(Privilege::ViewAuditLog)),
    ("Administrator", Actor::Administrator),
];

pub fn matrix(portal: &Portal) -> String {
    let root = portal.user_with("root", "administrator").sign_in();
    let pages = ROUTES.iter().filter(|route| route.scope == Scope::Pages).enumerate();
    let blocks = pages.map(|(row, route)| {
        let answers = ACTORS.iter().enumerate().map(|(column, (label, actor))| {
            let cell = Cell::new(portal, route, row * ACTORS.len() + column, &root);
            (*label, cell.answer(*actor, &root))
        });
        block(&title(route.method, route.path), &answers.collect::<Vec<_>>())
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// One route and one actor, and what the route names.
struct Cell<'p> {
    portal: &'p Portal,
    route: &'static Route,
    number: usize,
    /// Owner of the token and the session.
    owner: User<'p>,
    token: Token,
    session: Browser<'p>,
    /// The user that a page of Administration or a grant is about.
    about: User<'p>,
    repository: RepositoryId,
    place: Place,
}

impl<'p> Cell<'p> {
    fn new(portal: &'p Portal, route: &'static Route, number: usize, root: &Browser<'_>) -> Self {
        let owner = portal.user_with(leaked("owner", number), "api");
        let token = portal.token_named(&owner, "ci");
        let session = owner.sign_in();
        // The route names the second session.
        owner.sign_in();
        let about = portal.user_with(leaked("about", number), "none");
        let name = format!("repository{number}");
        let repository = portal.repository(&name);
        if route.path.starts_with("/repositories") {
            about.grant(repository, Permission::Write);
        }
        if route.path.ends_with("/reveal") {
            root.generate_new(&name, "at once");
        }
        let mut place = Place { name, user: about.id.to_string(), ..Place::of(&token).and_session(owner.session()) };
        if route.path.contains("{service}") {
            place.service = portal.service(&format!("service{number}")).0.to_string();
        }
        if route.path.ends_with("/enablement") {
            portal.disable(&token);
            about.disable();
        }
        Self { portal, route, number, owner, token, session, about, repository, place }
    }

    /// Status, and where a redirection leads.
    fn answer(&self, actor: Actor, root: &Browser<'p>) -> String {
        let (username, browser) = self.browser(actor);
        let path = self.place.path(self.route.path);
        let request = browser.request(self.route.method, &path);
        let request = if self.route.method == "GET" { request } else { request.form(&self.form(username, root)) };
        let answer = browser.send(request);
        if answer.status != 303 {
            return answer.status.to_string();
        }
        let location = percent_decode_str(answer.location()).decode_utf8().expect("an address in UTF-8").into_owned();
        let location = location.replace(&self.place.name, "{name}").replace(&self.fresh(), "{name}");
        format!("303 {}", redact(self.portal, &location))
    }

    fn browser(&self, actor: Actor) -> (&'static str, Browser<'p>) {
        let sign_in = |role: &str| {
            let user = self.portal.user_with(leaked("actor", self.number), role);
            (user, user.sign_in())
        };
        let (user, browser) = match actor {
            Actor::SignedOut => return (self.owner.username, self.portal.visitor()),
            Actor::Owner => return (self.owner.username, self.session.clone()),
            Actor::Disabled => {
                let (user, browser) = sign_in("administrator");
                user.disable();
                (user, browser)
            }
            Actor::Grant(permission) => {
                let (user, browser) = sign_in("none");
                if let Some(permission) = permission {
                    user.grant(self.repository, permission);
                }
                (user, browser)
            }
            Actor::Only(privilege) => sign_in(&only(privilege)),
            Actor::RepositoryManager => sign_in("repository-manager"),
            Actor::Administrator => sign_in("administrator"),
        };
        (user.username, browser)
    }

    /// The name of what the form creates.
    fn fresh(&self) -> String {
        format!("fresh{}", self.number)
    }

    /// The form as somebody sends it who may.
    fn form(&self, username: &str, root: &Browser<'_>) -> Vec<(String, String)> {
        let code = || random_code(&mut randomness::system());
        let (name, fresh) = (self.place.name.as_str(), self.fresh());
        let fields: Vec<(&str, String)> = match self.route.path {
            "/login" => vec![("username", username.into()), ("password", PASSWORD.into())],
            "/reauthenticate" => vec![("password", PASSWORD.into())],
            "/profile/security/password" => {
                vec![("current_password", PASSWORD.into()), ("new_password", "regen acht kamin wolke".into())]
            }
            "/profile/api-tokens" => vec![("nonce", code()), ("name", fresh), ("expiry", "7".into())],
            "/profile/api-tokens/{id}/name" => vec![("name", fresh)],
            "/profile/api-tokens/{id}/rotation" => {
                return self.session.page(&self.token.page("rotation")).form("Rotate token").fields();
            }
            "/repositories" => vec![("nonce", code()), ("name", fresh)],
            "/repositories/{name}/token" => {
                return root.page(&format!("/repositories/{name}/token/new")).form("OK").fields();
            }
            "/repositories/{name}/description" => vec![("description", fresh)],
            "/repositories/{name}/deletion" => vec![("name", name.into())],
            "/repositories/{name}/access" => {
                vec![("username", self.about.username.into()), ("permission", "read".into())]
            }
            "/repositories/{name}/access/{user}" => vec![("permission", "read".into())],
            "/admin/users" | "/admin/users/{user}/edit" => {
                let known = vec![("display_name", "Grace".into()), ("email", "grace@example.org".into())];
                if self.route.path.ends_with("/edit") {
                    known
                } else {
                    let nonce = root.page("/admin/users/new").form("Create User").value("nonce");
                    [known, vec![("nonce", nonce), ("username", fresh)]].concat()
                }
            }
            "/admin/services" => vec![("nonce", code()), ("name", fresh)],
            "/admin/services/{service}/rotation" => vec![("nonce", code()), ("replaces", "1".into())],
            "/admin/services/{service}/deletion" => vec![("name", format!("service{}", self.number))],
            "/admin/policies" => vec![
                ("no_expiry_allowed", "yes".into()),
                ("max_api_tokens", "100".into()),
                ("graces", "now".into()),
                ("repository_tokens", "again".into()),
            ],
            _ => Vec::new(),
        };
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn leaked(stem: &str, number: usize) -> &'static str {
    String::leak(format!("{stem}{number}"))
}
