//! Every route, and who gets what there. A route that is not in this table fails the tests, and so does a line that is
//! no route.

use std::collections::BTreeSet;

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::dump::assert_same;
use crate::support::request::basic;
use crate::support::routes::Place;
use crate::support::{Browser, Portal, Token, User, on_both};

on_both![
    every_page_answers_everybody_as_the_table_says,
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

const PAGES: [Page; 29] = [
    page("GET", "/", [303, 303, 303, 303]),
    page("GET", "/setup", [404, 404, 404, 404]),
    page("POST", "/setup", [404, 404, 404, 404]),
    page("GET", "/login", [200, 200, 200, 200]),
    page("POST", "/login", [303, 303, 303, 303]),
    page("POST", "/logout", [401, 303, 303, 303]),
    page("GET", "/reauthenticate", [303, 200, 200, 200]),
    page("POST", "/reauthenticate", [401, 303, 303, 303]),
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
    page("GET", "/profile/api-tokens/{id}/revocation", [303, 403, 404, 200]),
    page("POST", "/profile/api-tokens/{id}/revocation", [401, 403, 404, 303]),
    page("GET", "/profile/security", [303, 200, 200, 200]),
    // Without a password in the form: everybody here must be able to sign in once more.
    page("POST", "/profile/security/password", [401, 422, 422, 422]),
    page("POST", "/profile/security/sessions/{id}/end", [401, 404, 404, 303]),
    page("POST", "/profile/security/other-sessions/end", [401, 303, 303, 303]),
    page_for(Privilege::SystemManagement, "GET", "/admin/policies", [303, 403, 200, 403]),
    page_for(Privilege::SystemManagement, "POST", "/admin/policies", [401, 403, 303, 403]),
];

/// What a token gets at a door.
struct Door {
    path: &'static str,
    nothing: u16,
    reads: u16,
    writes: u16,
    /// Limited to another repository than the one that the route names.
    selected: u16,
    /// Without a permission for repositories.
    account_only: u16,
    /// Good, but its owner sees no repository.
    sees_nothing: u16,
    /// Expired, disabled, revoked, replaced, or its owner is disabled or without *API Access*.
    bad: u16,
}

const fn door(path: &'static str, outcomes: [u16; 7]) -> Door {
    let [nothing, reads, writes, selected, account_only, sees_nothing, bad] = outcomes;
    Door { path, nothing, reads, writes, selected, account_only, sees_nothing, bad }
}

/// All of them are GET.
const DOORS: [Door; 3] = [
    door("/api/v1/me", [401, 200, 200, 200, 200, 200, 401]),
    door("/api/v1/repositories", [401, 200, 200, 200, 403, 200, 401]),
    door("/api/v1/repositories/{name}", [401, 200, 200, 404, 403, 404, 401]),
];

/// GET, for everybody.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/static/{file}"];

#[test]
fn every_route_is_in_the_table_and_every_line_of_it_is_a_route() {
    let routes: BTreeSet<_> =
        ROUTES.iter().map(|route| (format!("{:?}", route.scope), route.method, route.path)).collect();
    assert_eq!(routes.len(), ROUTES.len(), "no route is there twice");
    let pages = PAGES.iter().map(|page| ("Pages".to_owned(), page.method, page.path));
    let doors = DOORS.iter().map(|door| ("Api".to_owned(), "GET", door.path));
    let open = OPEN.iter().map(|path| ("Open".to_owned(), "GET", *path));
    let table: BTreeSet<_> = pages.chain(doors).chain(open).collect();
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
fn ask(browser: &Browser<'_>, page: &Page, place: &Place, form: &[(String, String)]) -> u16 {
    let path = place.path(page.path);
    let request = browser.request(page.method, &path);
    if page.method == "GET" {
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
fn form_of(page: &Page, owner: &Browser<'_>, user: &User<'_>, token: &Token) -> Vec<(String, String)> {
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
        "rotation" => owner.page(&token.page("rotation")).form("Rotate token").fields(),
        _ => Vec::new(),
    }
}

fn every_page_answers_everybody_as_the_table_says(portal: Portal) {
    portal.sql("UPDATE policies SET max_api_tokens = 1000");
    let owner = portal.user("ada");
    let others = Privilege::ALL.map(|privilege| (privilege, with_only(&portal, privilege)));
    for page in &PAGES {
        let token = portal.token_named(&owner, &format!("{} {}", page.method, page.path));
        let browser = owner.sign_in();
        let place = Place::of(&token).and_session(owner.session());
        let form = || form_of(page, &browser, &owner, &token);
        let what = format!("{} {}", page.method, page.path);

        let visitor = portal.visitor();
        assert_eq!(ask(&visitor, page, &place, &form()), page.visitor, "{what} by a visitor");
        for header in [format!("Bearer {}", token.secret), basic("ada", &token.secret)] {
            let request = portal.request(page.method, &place.path(page.path)).by_own_page();
            let request = request.header("authorization", header);
            let request = if page.method == "POST" { request.form(&form()) } else { request };
            assert_eq!(request.send().status, page.visitor, "{what} by a token");
        }
        for (privilege, user) in &others {
            let expected = if *privilege == page.needs { page.other } else { page.without };
            assert_eq!(ask(&user.sign_in(), page, &place, &form()), expected, "{what} by {}", privilege.name());
        }
        assert!(portal.accepts(&token.secret), "{what}: nobody else did anything to the token");
        assert_eq!(ask(&browser, page, &place, &form()), page.owner, "{what} by its owner");
    }
}

fn every_door_answers_every_token_as_the_table_says(portal: Portal) {
    portal.repository("alpha");
    let beta = portal.repository("beta");
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
    let account_only = portal.token(&ada, |wish| {
        wish.name = named("account");
        wish.permissions.repositories = Permission::None;
        wish.permissions.account = Permission::Write;
    });
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
    for door in &DOORS {
        let path = Place::of(&reads).path(door.path);
        for (token, expected) in [
            (&reads, door.reads),
            (&writes, door.writes),
            (&selected, door.selected),
            (&account_only, door.account_only),
            (&sees_nothing, door.sees_nothing),
            (&expired, door.bad),
            (&disabled, door.bad),
            (&revoked, door.bad),
            (&of_gone, door.bad),
            (&of_stripped, door.bad),
        ] {
            for method in ["GET", "HEAD"] {
                let by_bearer = portal.request(method, &path).bearer(&token.secret).send();
                let by_basic = portal.request(method, &path).basic(token.username, &token.secret).send();
                assert_eq!((by_bearer.status, by_basic.status), (expected, expected), "{method} {path} with {token:?}");
                assert!(method == "GET" || by_bearer.body.is_empty());
            }
            let posted = portal.request("POST", &path).bearer(&token.secret).form(&[("", ""); 0]).send();
            assert_eq!(posted.status, 405, "POST {path}");
        }
        assert_eq!(portal.request("GET", &path).send().status, door.nothing);
        assert_eq!(ada.sign_in().open(&path).status, door.nothing, "a session is nothing here");
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
    // Long after the last page, so that what is put down once a minute would be due.
    portal.advance(10 * 60);
    let before = portal.dump();
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        for token in [&token, &expired, &disabled, &revoked] {
            let path = Place::of(token).path(route.path);
            for method in ["GET", "HEAD"] {
                for someone in [&browser, &eve, &visitor] {
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
