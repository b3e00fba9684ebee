//! Every route, and who gets what there. A route that is not in this table fails the tests, and so does a line that is
//! no route.

use std::collections::BTreeSet;

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::id::UserId;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::dump::assert_same;
use crate::support::request::basic;
use crate::support::routes::Place;
use crate::support::{Browser, Portal, Token, User, on_both};

on_both![
    every_page_answers_everybody_as_the_table_says,
    every_page_of_a_repository_answers_everybody_as_the_table_says,
    every_page_of_users_answers_everybody_as_the_table_says,
    every_door_answers_every_token_as_the_table_says,
    what_is_open_is_open_to_all,
    the_set_up_is_there_for_a_visitor_while_there_is_no_user,
    looking_changes_nothing,
];

/// What somebody gets at a page.
struct Page {
    method: &'static str,
    path: &'static str,
    /// Without a session, and with a token in the place of one.
    visitor: u16,
    /// What this needs; where that is nothing, every user gets the same.
    needs: Privilege,
    /// With any privileges but that one.
    without: u16,
    /// With that one; where the route names a token or a session, it is somebody else's.
    other: u16,
    /// A developer, whose token and session the route names.
    owner: u16,
}

/// A page that needs *API Access*, or nothing.
const fn page(method: &'static str, path: &'static str, outcomes: [u16; 4]) -> Page {
    page_for(Privilege::ApiAccess, method, path, outcomes)
}

const fn page_for(needs: Privilege, method: &'static str, path: &'static str, outcomes: [u16; 4]) -> Page {
    let [visitor, without, other, owner] = outcomes;
    Page { method, path, visitor, needs, without, other, owner }
}

const PAGES: [Page; 41] = [
    page("GET", "/", [303, 303, 303, 303]),
    page("GET", "/setup", [404, 404, 404, 404]),
    page("POST", "/setup", [404, 404, 404, 404]),
    page("GET", "/login", [200, 200, 200, 200]),
    page("POST", "/login", [303, 303, 303, 303]),
    page("POST", "/logout", [401, 303, 303, 303]),
    page("GET", "/reauthenticate", [303, 200, 200, 200]),
    page("POST", "/reauthenticate", [401, 303, 303, 303]),
    page("GET", "/api", [200, 200, 200, 200]),
    page("GET", "/set-password", [404, 404, 404, 404]),
    page("POST", "/set-password", [404, 404, 404, 404]),
    page("GET", "/profile", [303, 200, 200, 200]),
    page("GET", "/profile/api-tokens", [303, 403, 200, 200]),
    page("POST", "/profile/api-tokens", [401, 403, 303, 303]),
    page("GET", "/profile/api-tokens/new", [303, 403, 200, 200]),
    page("GET", "/profile/api-tokens/{id}", [303, 403, 404, 200]),
    page("GET", "/profile/api-tokens/{id}/name", [303, 403, 404, 200]),
    page("POST", "/profile/api-tokens/{id}/name", [401, 403, 404, 303]),
    page("GET", "/profile/api-tokens/{id}/rotation", [303, 403, 404, 200]),
    page("POST", "/profile/api-tokens/{id}/rotation", [401, 403, 404, 303]),
    page("GET", "/profile/api-tokens/{id}/disablement", [303, 403, 404, 200]),
    page("POST", "/profile/api-tokens/{id}/disablement", [401, 403, 404, 303]),
    page("GET", "/profile/api-tokens/{id}/enablement", [303, 403, 404, 409]),
    page("POST", "/profile/api-tokens/{id}/enablement", [401, 403, 404, 303]),
    page("POST", "/profile/api-tokens/{id}/notice-dismissal", [401, 403, 404, 303]),
    page("GET", "/profile/api-tokens/{id}/revocation", [303, 403, 404, 200]),
    page("POST", "/profile/api-tokens/{id}/revocation", [401, 403, 404, 303]),
    page("GET", "/profile/security", [303, 200, 200, 200]),
    // Without a password in the form: everybody here must be able to sign in once more.
    page("POST", "/profile/security/password", [401, 422, 422, 422]),
    page("POST", "/profile/security/sessions/{id}/end", [401, 404, 404, 303]),
    page("POST", "/profile/security/other-sessions/end", [401, 303, 303, 303]),
    page_for(Privilege::SystemManagement, "GET", "/admin/services", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "POST", "/admin/services", [401, 403, 303, 403]),
    page_for(Privilege::SystemManagement, "GET", "/admin/services/new", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "GET", "/admin/services/{service}", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "GET", "/admin/services/{service}/rotation", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "POST", "/admin/services/{service}/rotation", [401, 403, 303, 403]),
    page_for(Privilege::SystemManagement, "GET", "/admin/services/{service}/deletion", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "POST", "/admin/services/{service}/deletion", [401, 403, 303, 403]),
    page_for(Privilege::SystemManagement, "GET", "/admin/policies", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "POST", "/admin/policies", [401, 403, 303, 403]),
];

/// What somebody gets at a page of the repository `alpha`.
struct RepositoryPage {
    method: &'static str,
    path: &'static str,
    visitor: u16,
    /// With any privileges but the two of repositories, and without a grant.
    nobody: u16,
    /// With a grant to read or write and no privilege, or with *View Repositories*.
    reader: u16,
    /// With *Repository Management* alone.
    manager: u16,
    /// With both.
    both: u16,
}

const fn repository(method: &'static str, path: &'static str, outcomes: [u16; 5]) -> RepositoryPage {
    let [visitor, nobody, reader, manager, both] = outcomes;
    RepositoryPage { method, path, visitor, nobody, reader, manager, both }
}

const REPOSITORY_PAGES: [RepositoryPage; 18] = [
    repository("GET", "/repositories", [303, 403, 200, 200, 200]),
    repository("POST", "/repositories", [401, 403, 403, 303, 303]),
    repository("GET", "/repositories/new", [303, 403, 403, 200, 200]),
    repository("GET", "/repositories/{name}", [303, 404, 200, 200, 200]),
    repository("GET", "/repositories/{name}/configure", [303, 404, 403, 403, 200]),
    repository("POST", "/repositories/{name}/token", [401, 404, 403, 403, 303]),
    repository("GET", "/repositories/{name}/token/new", [303, 404, 403, 403, 200]),
    repository("POST", "/repositories/{name}/token/reveal", [401, 404, 403, 403, 303]),
    repository("GET", "/repositories/{name}/description", [303, 404, 403, 200, 200]),
    repository("POST", "/repositories/{name}/description", [401, 404, 403, 303, 303]),
    repository("POST", "/repositories/{name}/notice-dismissal", [401, 404, 403, 403, 303]),
    repository("GET", "/repositories/{name}/access", [303, 404, 403, 200, 200]),
    repository("POST", "/repositories/{name}/access", [401, 404, 403, 303, 303]),
    repository("POST", "/repositories/{name}/access/{user}", [401, 404, 403, 303, 303]),
    repository("POST", "/repositories/{name}/access/{user}/removal", [401, 404, 403, 303, 303]),
    repository("GET", "/repositories/{name}/activity", [303, 404, 403, 200, 200]),
    repository("GET", "/repositories/{name}/deletion", [303, 404, 403, 403, 200]),
    repository("POST", "/repositories/{name}/deletion", [401, 404, 403, 403, 303]),
];

/// What somebody gets at a page of Administration that is about users.
struct UsersPage {
    method: &'static str,
    path: &'static str,
    /// Without a session, and with a token in the place of one.
    visitor: u16,
    /// With any privilege but these two.
    others: u16,
    system_management: u16,
    /// Where the route names a user, it is one who holds no more.
    user_management: u16,
}

const fn users_page(method: &'static str, path: &'static str, outcomes: [u16; 4]) -> UsersPage {
    let [visitor, others, system_management, user_management] = outcomes;
    UsersPage { method, path, visitor, others, system_management, user_management }
}

const USERS_PAGES: [UsersPage; 15] = [
    users_page("GET", "/admin", [303, 403, 303, 303]),
    users_page("GET", "/admin/users", [303, 403, 403, 200]),
    users_page("POST", "/admin/users", [401, 403, 403, 303]),
    users_page("GET", "/admin/users/new", [303, 403, 403, 200]),
    users_page("GET", "/admin/users/{user}", [303, 403, 403, 200]),
    users_page("GET", "/admin/users/{user}/edit", [303, 403, 403, 200]),
    users_page("POST", "/admin/users/{user}/edit", [401, 403, 403, 303]),
    users_page("GET", "/admin/users/{user}/disablement", [303, 403, 403, 200]),
    users_page("POST", "/admin/users/{user}/disablement", [401, 403, 403, 303]),
    users_page("GET", "/admin/users/{user}/enablement", [303, 403, 403, 409]),
    users_page("POST", "/admin/users/{user}/enablement", [401, 403, 403, 303]),
    users_page("GET", "/admin/users/{user}/password-link", [303, 403, 403, 200]),
    users_page("POST", "/admin/users/{user}/password-link", [401, 403, 403, 303]),
    users_page("GET", "/admin/users/{user}/sign-out", [303, 403, 403, 200]),
    users_page("POST", "/admin/users/{user}/sign-out", [401, 403, 403, 303]),
];

/// What a token gets at a door.
struct Door {
    method: &'static str,
    path: &'static str,
    nothing: u16,
    reads: u16,
    /// Without a privilege to manage, as all but the last are.
    writes: u16,
    /// Limited to another repository than the one that the route names.
    selected: u16,
    /// Without a permission for repositories; where the route names a token, it is another one of its owner.
    account_only: u16,
    /// Good, but its owner sees no repository.
    sees_nothing: u16,
    /// Expired, disabled, revoked, replaced, or its owner is disabled or without *API Access*.
    bad: u16,
    /// Of an administrator, with every permission.
    all: u16,
}

const fn door(method: &'static str, path: &'static str, outcomes: [u16; 8]) -> Door {
    let [nothing, reads, writes, selected, account_only, sees_nothing, bad, all] = outcomes;
    Door { method, path, nothing, reads, writes, selected, account_only, sees_nothing, bad, all }
}

const DOORS: [Door; 39] = [
    door("GET", "/api/v1/me", [401, 200, 200, 200, 200, 200, 401, 200]),
    door("GET", "/api/v1/openapi.json", [200; 8]),
    door("GET", "/api/v1/tokens", [401, 403, 403, 403, 200, 403, 401, 200]),
    door("GET", "/api/v1/tokens/current", [401, 403, 403, 403, 200, 403, 401, 200]),
    door("DELETE", "/api/v1/tokens/current", [401, 403, 403, 403, 204, 403, 401, 204]),
    door("POST", "/api/v1/tokens/current/rotation", [401, 403, 403, 403, 201, 403, 401, 201]),
    door("GET", "/api/v1/tokens/{id}", [401, 403, 403, 403, 200, 403, 401, 404]),
    door("PATCH", "/api/v1/tokens/{id}", [401, 403, 403, 403, 200, 403, 401, 404]),
    door("DELETE", "/api/v1/tokens/{id}", [401, 403, 403, 403, 204, 403, 401, 404]),
    door("GET", "/api/v1/repositories", [401, 200, 200, 200, 403, 200, 401, 200]),
    door("POST", "/api/v1/repositories", [401, 403, 403, 403, 403, 403, 401, 201]),
    door("GET", "/api/v1/repositories/{name}", [401, 200, 200, 404, 403, 404, 401, 200]),
    door("PATCH", "/api/v1/repositories/{name}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("GET", "/api/v1/repositories/{name}/token", [401, 403, 403, 404, 403, 404, 401, 200]),
    door("POST", "/api/v1/repositories/{name}/token", [401, 403, 403, 403, 403, 403, 401, 201]),
    door("GET", "/api/v1/repositories/{name}/callers", [401, 200, 200, 404, 403, 404, 401, 200]),
    door("GET", "/api/v1/repositories/{name}/grants", [401, 403, 403, 404, 403, 404, 401, 200]),
    door("PUT", "/api/v1/repositories/{name}/grants/{username}", [401, 403, 403, 403, 403, 403, 401, 201]),
    door("DELETE", "/api/v1/repositories/{name}/grants/{username}", [401, 403, 403, 403, 403, 403, 401, 204]),
    door("DELETE", "/api/v1/repositories/{name}", [401, 403, 403, 403, 403, 403, 401, 204]),
    door("GET", "/api/v1/users", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("POST", "/api/v1/users", [401, 403, 403, 403, 403, 403, 401, 201]),
    door("GET", "/api/v1/users/{username}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("PATCH", "/api/v1/users/{username}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("POST", "/api/v1/users/{username}/disablement", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("POST", "/api/v1/users/{username}/enablement", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("POST", "/api/v1/users/{username}/sign-out", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("GET", "/api/v1/roles", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("POST", "/api/v1/roles", [401, 403, 403, 403, 403, 403, 401, 201]),
    door("GET", "/api/v1/roles/{role}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("PATCH", "/api/v1/roles/{role}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("DELETE", "/api/v1/roles/{role}", [401, 403, 403, 403, 403, 403, 401, 204]),
    door("GET", "/api/v1/services", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("GET", "/api/v1/services/{name}", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("DELETE", "/api/v1/services/{name}", [401, 403, 403, 403, 403, 403, 401, 204]),
    door("GET", "/api/v1/policies", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("PATCH", "/api/v1/policies", [401, 403, 403, 403, 403, 403, 401, 200]),
    door("GET", "/api/v1/audit", [401, 403, 403, 403, 403, 403, 401, 200]),
    // Without a scope.
    door("GET", "/oci/token", [401, 200, 200, 200, 200, 200, 401, 200]),
];

/// By any method, about a GET.
const FORWARD_DOORS: [Door; 4] = [
    door("ANY", "/auth/nginx", [401, 200, 200, 200, 200, 200, 401, 200]),
    door("ANY", "/auth/nginx/{name}", [401, 200, 200, 403, 403, 403, 401, 200]),
    door("ANY", "/auth/forward", [401, 200, 200, 200, 200, 200, 401, 200]),
    door("ANY", "/auth/forward/{name}", [401, 200, 200, 403, 403, 403, 401, 200]),
];

/// GET, for everybody.
const OPEN: [&str; 5] =
    ["/healthz", "/readyz", "/static/{file}", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"];

/// POST, each with its own tests: `introspection` and `oauth_revocation`.
const OAUTH: [&str; 2] = ["/oauth/introspect", "/oauth/revoke"];

#[test]
fn every_route_is_in_the_table_and_every_line_of_it_is_a_route() {
    let routes: BTreeSet<_> =
        ROUTES.iter().map(|route| (format!("{:?}", route.scope), route.method, route.path)).collect();
    assert_eq!(routes.len(), ROUTES.len(), "no route is there twice");
    let pages = PAGES.iter().map(|page| ("Pages".to_owned(), page.method, page.path));
    let repositories = REPOSITORY_PAGES.iter().map(|page| ("Pages".to_owned(), page.method, page.path));
    let pages = pages.chain(repositories);
    let users = USERS_PAGES.iter().map(|page| ("Pages".to_owned(), page.method, page.path));
    let scope = |path: &str| if path.starts_with("/oci") { "Oci" } else { "Api" };
    let doors = DOORS.iter().map(|door| (scope(door.path).to_owned(), door.method, door.path));
    let open = OPEN.iter().map(|path| ("Open".to_owned(), "GET", *path));
    let forward = FORWARD_DOORS.iter().map(|door| ("Forward".to_owned(), "ANY", door.path));
    let oauth = OAUTH.iter().map(|path| ("OAuth".to_owned(), "POST", *path));
    // The token is in the body; `oci_token` tests it.
    let oauth = oauth.chain([("Oci".to_owned(), "POST", "/oci/token")]);
    let table: BTreeSet<_> = pages.chain(users).chain(doors).chain(forward).chain(open).chain(oauth).collect();
    assert_eq!(routes, table);
}

/// A user with one privilege and no other.
fn with_only(portal: &Portal, privilege: Privilege) -> User<'_> {
    let name = privilege.name().replace('_', "-");
    portal.role(&name, &[privilege]);
    portal.user_with(String::leak(name.clone()), &name)
}

/// Asks as a browser, with a form that would be good in the hands of the owner.
#[track_caller]
fn ask(browser: &Browser<'_>, (method, route): (&str, &str), place: &Place, form: &[(String, String)]) -> u16 {
    let path = place.path(route);
    let request = browser.request(method, &path);
    if method == "GET" {
        let got = browser.send(request).status;
        let head = browser.send(browser.request("HEAD", &path));
        assert!(head.body.is_empty() && head.status == got, "HEAD {path} is the head of GET: {head:?}");
        return got;
    }
    let answer = browser.send(request.form(form));
    assert!(answer.status < 500, "{answer:?}");
    answer.status
}

/// The form of a route as the owner of `token` would send it.
fn form_of(
    (number, page): (usize, &Page),
    owner: &Browser<'_>,
    user: &User<'_>,
    token: &Token,
) -> Vec<(String, String)> {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let last = page.path.rsplit('/').next().unwrap_or_default();
    match last {
        "login" => vec![field("username", user.username), field("password", crate::support::PASSWORD)],
        "reauthenticate" => vec![field("password", crate::support::PASSWORD)],
        "api-tokens" => {
            let nonce = tokenhouse::domain::secret::random_code(&mut tokenhouse::randomness::system());
            vec![field("nonce", &nonce), field("name", &nonce), field("expiry", "7")]
        }
        "name" => vec![field("name", "another")],
        "policies" => {
            let fields = [
                ("no_expiry_allowed", "yes"),
                ("max_api_tokens", "100"),
                ("graces", "now"),
                ("repository_tokens", "again"),
            ];
            fields.map(|(name, value)| field(name, value)).into()
        }
        "services" => {
            let nonce = tokenhouse::domain::secret::random_code(&mut tokenhouse::randomness::system());
            vec![field("nonce", &nonce), field("name", &nonce.to_lowercase())]
        }
        "rotation" if page.path.contains("{service}") => {
            vec![field("nonce", "1111111111111111111111"), field("replaces", "1")]
        }
        "deletion" => vec![field("name", &format!("wiki{number}"))],
        "rotation" => owner.page(&token.page("rotation")).form("Rotate token").fields(),
        _ => Vec::new(),
    }
}

fn every_page_answers_everybody_as_the_table_says(portal: Portal) {
    portal.set_policy("max_api_tokens", "1000");
    let owner = portal.user("ada");
    let others = Privilege::ALL.map(|privilege| (privilege, with_only(&portal, privilege)));
    for (number, page) in PAGES.iter().enumerate() {
        let token = portal.token_named(&owner, &format!("{} {}", page.method, page.path));
        let browser = owner.sign_in();
        let service = portal.service(&format!("wiki{number}")).0.to_string();
        let place = Place { service, ..Place::of(&token).and_session(owner.session()) };
        let form = || form_of((number, page), &browser, &owner, &token);
        let what = format!("{} {}", page.method, page.path);
        let route = (page.method, page.path);

        let visitor = portal.visitor();
        assert_eq!(ask(&visitor, route, &place, &form()), page.visitor, "{what} by a visitor");
        for header in [format!("Bearer {}", token.secret), basic("ada", &token.secret)] {
            let request = portal.request(page.method, &place.path(page.path)).by_own_page();
            let request = request.header("authorization", header);
            let request = if page.method == "POST" { request.form(&form()) } else { request };
            assert_eq!(request.send().status, page.visitor, "{what} by a token");
        }
        for (privilege, user) in &others {
            let expected = if *privilege == page.needs { page.other } else { page.without };
            assert_eq!(ask(&user.sign_in(), route, &place, &form()), expected, "{what} by {}", privilege.name());
        }
        assert!(portal.accepts(&token.secret), "{what}: nobody else did anything to the token");
        assert_eq!(ask(&browser, route, &place, &form()), page.owner, "{what} by its owner");
    }
}

/// The form of a route as a user with *User Management* would send it.
fn form_about_users(page: &UsersPage) -> Vec<(String, String)> {
    let rng = &mut tokenhouse::randomness::system();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let known = [field("display_name", "Grace"), field("email", "grace@example.org")];
    match page.path.rsplit('/').next().unwrap_or_default() {
        "edit" => known.to_vec(),
        "users" => {
            let name = tokenhouse::domain::secret::random_code(rng);
            let nonce = UserId::new(Timestamp::from_unix(1), rng).to_string();
            [&known[..], &[field("nonce", &nonce), field("username", &name)]].concat()
        }
        _ => Vec::new(),
    }
}

fn every_page_of_users_answers_everybody_as_the_table_says(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    let all = Privilege::ALL.map(|privilege| (privilege, with_only(&portal, privilege)));
    for (number, page) in USERS_PAGES.iter().enumerate() {
        let about = portal.user(String::leak(format!("grace{number}")));
        about.strip();
        let place = Place { user: about.id.to_string(), ..Place::of(&token) };
        let what = format!("{} {}", page.method, page.path);
        let (route, form) = ((page.method, page.path), || form_about_users(page));

        assert_eq!(ask(&portal.visitor(), route, &place, &form()), page.visitor, "{what} by a visitor");
        let request = portal.request(page.method, &place.path(page.path)).by_own_page().bearer(&token.secret);
        let request = if page.method == "POST" { request.form(&form()) } else { request };
        assert_eq!(request.send().status, page.visitor, "{what} by a token");
        for (privilege, user) in &all {
            let expected = match privilege {
                Privilege::UserManagement => page.user_management,
                Privilege::SystemManagement => page.system_management,
                _ => page.others,
            };
            assert_eq!(ask(&user.sign_in(), route, &place, &form()), expected, "{what} by {}", privilege.name());
        }
    }
}

fn every_page_of_a_repository_answers_everybody_as_the_table_says(portal: Portal) {
    let alpha = portal.repository("alpha");
    portal.role("none", &[]);
    portal.role("both", &[Privilege::ViewRepositories, Privilege::RepositoryManagement]);
    let ada = portal.user_with("ada", "administrator");
    let (token, administrator) = (portal.token(&ada, |_| {}), portal.user_with("root", "administrator").sign_in());
    let both = portal.user_with("both", "both");
    let others = Privilege::ALL.map(|privilege| (privilege, with_only(&portal, privilege)));
    let (reads, writes) = (portal.user_with("reads", "none"), portal.user_with("writes", "none"));
    reads.grant(alpha, Permission::Read);
    writes.grant(alpha, Permission::Write);
    for page in &REPOSITORY_PAGES {
        let place = Place::of(&token);
        let nobody = |privilege: &Privilege| match privilege {
            Privilege::ViewRepositories => page.reader,
            Privilege::RepositoryManagement => page.manager,
            _ => page.nobody,
        };
        let mut people = vec![(portal.visitor(), page.visitor, "a visitor")];
        people.extend(others.iter().map(|(privilege, user)| (user.sign_in(), nobody(privilege), privilege.name())));
        people.push((reads.sign_in(), page.reader, "a read grant"));
        people.push((writes.sign_in(), page.reader, "a write grant"));
        people.push((both.sign_in(), page.both, "both"));
        for (browser, expected, who) in people {
            let got = ask_at_repository(&portal, &browser, page, &place, &administrator);
            assert_eq!(got, expected, "{} {} by {who}", page.method, page.path);
        }
    }
}

/// Asks as a browser, with the form that an administrator would send.
fn ask_at_repository(
    portal: &Portal,
    browser: &Browser<'_>,
    page: &RepositoryPage,
    place: &Place,
    administrator: &Browser<'_>,
) -> u16 {
    let path = place.path(page.path);
    if page.method == "GET" {
        let got = browser.open(&path).status;
        assert_eq!(browser.send(browser.request("HEAD", &path)).status, got, "HEAD {path}");
        return got;
    }
    let nonce = tokenhouse::domain::secret::random_code(&mut tokenhouse::randomness::system());
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let name = format!("r{}", portal.count("repositories"));
    let fields = match page.path.rsplit('/').next().unwrap_or_default() {
        "repositories" => vec![field("nonce", &nonce), field("name", &name)],
        "token" => administrator.page("/repositories/alpha/token/new").form("OK").fields(),
        "access" => vec![field("username", "ada"), field("permission", "read")],
        "{user}" => {
            administrator.post("/repositories/alpha/access", &[("username", "ada"), ("permission", "write")]).with(303);
            vec![field("permission", "read")]
        }
        "description" => vec![field("description", &nonce)],
        "deletion" => vec![field("name", "alpha")],
        _ => Vec::new(),
    };
    let answer = browser.post(&path, &fields);
    assert!(answer.status < 500, "{answer:?}");
    answer.status
}

fn every_door_answers_every_token_as_the_table_says(portal: Portal) {
    portal.repository("alpha");
    let beta = portal.repository("beta");
    portal.service("alpha");
    portal.role("desk", &[]);
    portal.user("grace");
    let ada = portal.user("ada");
    portal.role("api", &[Privilege::ApiAccess]);
    let blind = portal.user_with("blind", "api");
    let reads = portal.token_named(&ada, "reads");
    let writes = portal.token(&ada, |wish| wish.permissions.repositories = Permission::Write);
    let named = |name: &'static str| tokenhouse::domain::name::TokenName::parse(name).expect("a name");
    let selected = portal.token(&ada, |wish| {
        wish.name = named("selected");
        wish.repositories = RepositorySelection::Selected(vec![beta]);
    });
    let account_only = Permissions { account: Permission::Write, ..Permissions::default() };
    let sees_nothing = portal.token(&blind, |_| {});
    let expired = portal.token(&ada, |wish| {
        wish.name = named("expired");
        wish.expires_at = Some(portal.later(0));
    });
    let (disabled, revoked) = (portal.token_named(&ada, "disabled"), portal.token_named(&ada, "revoked"));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    let gone = portal.user("gone");
    let of_gone = portal.token(&gone, |_| {});
    gone.disable();
    let stripped = portal.user("stripped");
    let of_stripped = portal.token(&stripped, |_| {});
    stripped.strip();
    stripped.add_role("viewer");
    portal.set_policy("max_api_tokens", "1000");
    let administrator = portal.user_with("root", "administrator");
    let (_, service) = portal.service("billing");
    for (number, door) in FORWARD_DOORS.iter().chain(&DOORS).enumerate() {
        // What these two may do, they do to themselves as well.
        let everything = |wish: &mut tokenhouse::domain::api_token::NewApiToken| {
            wish.name = named(String::leak(format!("fresh {number}")));
            wish.permissions.account = Permission::Write;
            wish.permissions.administration = Permission::Write;
            wish.permissions.repositories = Permission::Write;
        };
        let all = portal.token(&administrator, everything);
        let account_only = portal.token(&ada, |wish| {
            everything(wish);
            wish.permissions = account_only;
        });
        let scrap = portal.token_named(&ada, &format!("scrap {number}"));
        let path = Place::of(&scrap).path(door.path);
        for (token, expected) in [
            (&reads, door.reads),
            (&writes, door.writes),
            (&selected, door.selected),
            (&sees_nothing, door.sees_nothing),
            (&expired, door.bad),
            (&disabled, door.bad),
            (&revoked, door.bad),
            (&of_gone, door.bad),
            (&of_stripped, door.bad),
            (&account_only, door.account_only),
            (&all, door.all),
        ] {
            let got = knock(&portal, door, &path, |request| request.bearer(&token.secret));
            assert_eq!(got, expected, "{} {path} with {token:?}", door.method);
            if expected >= 400 || ["GET", "ANY"].contains(&door.method) {
                let got = knock(&portal, door, &path, |request| request.basic(token.username, &token.secret));
                assert_eq!(got, expected, "{} {path} by Basic with {token:?}", door.method);
            }
        }
        if door.path.starts_with("/api/") {
            let known = ["/api/v1/me", "/api/v1/openapi.json"].contains(&door.path);
            let got = knock(&portal, door, &path, |request| request.bearer(&service));
            assert_eq!(got, if known { 200 } else { 403 }, "{} {path} by a service", door.method);
        }
        assert_eq!(knock(&portal, door, &path, |request| request), door.nothing, "{} {path}", door.method);
        let cookie = ada.sign_in().session().expect("a session");
        let cookie = format!("{}={cookie}", portal.cookies().session);
        let got = knock(&portal, door, &path, |request| request.header("cookie", &cookie));
        assert_eq!(got, door.nothing, "a session is nothing at {path}");
    }
}

/// Asks at a door as the table means it; the credentials are added.
fn knock<'p>(
    portal: &'p Portal,
    door: &Door,
    path: &str,
    with: impl Fn(crate::support::request::Request<'p>) -> crate::support::request::Request<'p>,
) -> u16 {
    let ask = |method: &str| {
        let request = portal.request(method, path);
        with(request.header("x-original-method", "GET").header("x-forwarded-method", "GET"))
    };
    let json = |method: &str| {
        let name = format!("n{}-{}", portal.count("events"), portal.count("repositories"));
        let body = match (door.method, door.path.rsplit('/').next().unwrap_or_default()) {
            ("PATCH", "{id}") | ("POST", "repositories") => format!("{{\"name\":\"{name}\"}}"),
            ("POST", "users") => {
                format!("{{\"username\":\"{name}\",\"display_name\":\"x\",\"email\":\"x@example.org\"}}")
            }
            ("POST", "roles") => format!("{{\"name\":\"{name}\",\"title\":\"{name}\"}}"),
            ("PATCH", "{role}") => "{\"title\":\"x\"}".to_owned(),
            ("PATCH", "policies") => "{}".to_owned(),
            ("PATCH", "{username}") => "{\"display_name\":\"x\"}".to_owned(),
            ("PATCH", "{name}") => "{\"description\":\"x\"}".to_owned(),
            ("PUT", "{username}") => "{\"permission\":\"read\"}".to_owned(),
            _ => return ask(method),
        };
        ask(method).header("content-type", "application/json").body(body)
    };
    match door.method {
        "GET" | "ANY" => {
            let got = ask("GET").send();
            let head = ask("HEAD").send();
            assert!(head.body.is_empty() && head.status == got.status, "HEAD {path} is the head of GET: {head:?}");
            let posts = ROUTES.iter().any(|route| route.path == door.path && route.method == "POST");
            if !posts {
                let posted = ask("POST").form(&[("", ""); 0]).send();
                assert_eq!(posted.status, if door.method == "ANY" { got.status } else { 405 }, "POST {path}");
            }
            got.status
        }
        method => json(method).send().status,
    }
}

fn what_is_open_is_open_to_all(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    for route in OPEN {
        let path = Place::of(&token).path(route);
        for method in ["GET", "HEAD"] {
            portal.request(method, &path).send().with(200);
            portal.request(method, &path).bearer(&token.secret).send().with(200);
            portal.request(method, &path).bearer("nonsense").send().with(200);
            browser.send(browser.request(method, &path)).with(200);
        }
        let answer = portal.request("POST", &path).form(&[("", ""); 0]).send().with(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
}

fn the_set_up_is_there_for_a_visitor_while_there_is_no_user(portal: Portal) {
    let code = portal.setup_code.clone().expect("there is no user yet");
    let visitor = portal.visitor();
    for path in ["/", "/profile", "/profile/api-tokens", "/profile/api-tokens/new", "/reauthenticate"] {
        assert!(visitor.open(path).location().starts_with("/login?next="), "{path}");
    }
    for (method, status) in [("GET", 200), ("HEAD", 200)] {
        visitor.send(visitor.request(method, &format!("/setup?code={code}"))).with(status);
        visitor.send(visitor.request(method, "/setup?code=x")).with(403);
    }
    visitor.post("/setup", &[("code", code.as_str())]).with(422);
    visitor.post("/setup", &[("code", "x")]).with(403);
}

fn looking_changes_nothing(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token_named(&ada, "active");
    let (expired, disabled, revoked) = (
        portal.token(&ada, |wish| wish.expires_at = Some(portal.later(0))),
        portal.token_named(&ada, "disabled"),
        portal.token_named(&ada, "revoked"),
    );
    portal.disable(&disabled);
    portal.revoke(&revoked);
    let (browser, eve, visitor) = (ada.sign_in(), portal.user("eve").sign_in(), portal.visitor());
    let root = portal.user_with("root", "administrator").sign_in();
    // Long after the last page, so that what is put down once a minute would be due.
    portal.advance(10 * 60);
    let before = portal.dump();
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        for token in [&token, &expired, &disabled, &revoked] {
            let path = Place::of(token).path(route.path);
            for method in ["GET", "HEAD"] {
                for someone in [&browser, &eve, &root, &visitor] {
                    for query in ["", "?name=x&expiry=7&next=%2Fprofile&status=revoked"] {
                        let answer = someone.send(someone.request(method, &format!("{path}{query}")));
                        assert!(answer.status < 500, "{answer:?}");
                    }
                }
                if route.scope == Scope::Api {
                    portal.request(method, &path).bearer(&token.secret).send();
                }
            }
            assert_same(&format!("looking at {path}"), &before, &portal.dump());
        }
    }
}
