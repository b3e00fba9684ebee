//! What was changed on one node holds at the very next check on every other, at each door. SQLite has one node, which
//! keeps in memory what its checks found.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege::{self, ApiAccess, RepositoryManagement};

use crate::api_tokens::send;
use crate::oci_token::claims;
use crate::support::{PASSWORD, Portal, Token, on_both};

on_both![the_very_next_check_of_a_token_says_no_at_every_door, the_very_next_check_of_a_services_token_says_no,];

/// In the order of [`GOOD`] and the others.
const DOORS: [&str; 6] = [
    "/api/v1/me",
    "/api/v1/repositories/{name}",
    "/auth/nginx/{name}",
    "/auth/forward/{name}",
    "/oauth/introspect",
    "/oci/token?service=registry&scope=repository:{name}:pull",
];
const GOOD: [&str; 6] = ["200", "200", "200", "200", "active, opens it", "200, pull"];
/// Of a token that ended.
const DEAD: [&str; 6] = ["401", "401", "401", "401", "not active", "401"];
/// Of a good token that no longer reaches the repository.
const APART: [&str; 6] = ["200", "404", "403", "403", "active", "200"];

/// Why the owner reaches the repository.
#[derive(Clone, Copy)]
enum Way {
    Grant,
    Role,
}

/// A repository, a user, a role and a token of that user, each scene with its own.
struct Scene<'p> {
    portal: &'p Portal,
    root: &'p Token,
    /// Of the repository, the user and the role.
    name: String,
    own: Token,
    of_repository: String,
}

impl<'p> Scene<'p> {
    fn new(portal: &'p Portal, root: &'p Token, name: String, way: Way) -> Self {
        let held: &[Privilege] = match way {
            Way::Grant => &[ApiAccess],
            Way::Role => &[ApiAccess, RepositoryManagement],
        };
        portal.role(&name, held);
        let own = portal.token(&portal.user_with(String::leak(name.clone()), &name), |wish| {
            wish.permissions.account = Permission::Write;
            wish.expires_at = Some(portal.later(60));
        });
        let made = send(portal, "POST", "/api/v1/repositories", &root.secret, json!({"name": name})).with(201).json();
        let of_repository = made["token"].as_str().expect("the token").to_owned();
        let scene = Self { portal, root, name, own, of_repository };
        if matches!(way, Way::Grant) {
            scene.by_root("PUT", "/repositories/{name}/grants/{name}", json!({"permission": "read"}));
        }
        scene
    }

    /// A change over the API by an administrator.
    fn by_root(&self, method: &str, route: &str, body: Value) {
        self.by(self.root, method, route, body);
    }

    fn by(&self, token: &Token, method: &str, route: &str, body: Value) {
        let path = format!("/api/v1{}", route.replace("{name}", &self.name));
        let answer = send(self.portal, method, &path, &token.secret, body);
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
}

/// A change of a scene, and what the doors say afterwards of the user's token and of the repository's.
struct Change {
    what: &'static str,
    way: Way,
    make: fn(&Scene<'_>),
    own: [&'static str; 6],
    of_repository: [&'static str; 6],
}

const fn ends_own(way: Way, what: &'static str, make: fn(&Scene<'_>)) -> Change {
    Change { what, way, make, own: DEAD, of_repository: GOOD }
}

const fn parts(way: Way, what: &'static str, make: fn(&Scene<'_>)) -> Change {
    Change { what, way, make, own: APART, of_repository: GOOD }
}

const fn ends_of_repository(what: &'static str, make: fn(&Scene<'_>)) -> Change {
    Change { what, way: Way::Grant, make, own: GOOD, of_repository: DEAD }
}

const CHANGES: [Change; 14] = [
    ends_own(Way::Grant, "the token is revoked", |scene| {
        scene.by(&scene.own, "DELETE", "/tokens/current", Value::Null);
    }),
    ends_own(Way::Grant, "whoever holds the token revokes it", |scene| scene.portal.revoke_held(&scene.own.secret)),
    ends_own(Way::Grant, "the token is disabled", |scene| scene.portal.disable(&scene.own)),
    ends_own(Way::Grant, "the token is replaced at once", |scene| {
        scene.by(&scene.own, "POST", "/tokens/current/rotation", json!({"grace": "now"}));
    }),
    ends_own(Way::Grant, "the token expires", |scene| scene.portal.advance(60)),
    ends_own(Way::Role, "its owner is disabled", |scene| {
        scene.by_root("POST", "/users/{name}/disablement", Value::Null);
    }),
    ends_own(Way::Grant, "its owner loses every role", |scene| {
        scene.by_root("PATCH", "/users/{name}", json!({"roles": []}));
    }),
    ends_own(Way::Role, "the role loses API Access", |scene| {
        scene.by_root("PATCH", "/roles/{name}", json!({"privileges": ["repository_management"]}));
    }),
    parts(Way::Role, "the role loses Repository Management", |scene| {
        scene.by_root("PATCH", "/roles/{name}", json!({"privileges": ["api_access"]}));
    }),
    parts(Way::Role, "its owner gets another role", |scene| {
        scene.by_root("PATCH", "/users/{name}", json!({"roles": ["bare"]}));
    }),
    parts(Way::Grant, "the grant is taken away", |scene| {
        scene.by_root("DELETE", "/repositories/{name}/grants/{name}", Value::Null);
    }),
    ends_of_repository("the repository's token is replaced at once", |scene| {
        scene.by_root("POST", "/repositories/{name}/token", json!({"grace": "now"}));
    }),
    ends_of_repository("whoever holds the repository's token revokes it", |scene| {
        scene.portal.revoke_held(&scene.of_repository);
    }),
    Change {
        what: "the repository is deleted",
        way: Way::Role,
        make: |scene| scene.by_root("DELETE", "/repositories/{name}", Value::Null),
        own: APART,
        of_repository: DEAD,
    },
];

/// What a door of this node says of a token.
fn ask(portal: &Portal, door: &str, service: &str, name: &str, token: &str) -> String {
    if door == "/oauth/introspect" {
        let fields = [("token", token), ("repository", name)];
        let told = portal.request("POST", door).bearer(service).form(&fields).send().with(200).json();
        return match (told["active"] == true, told["repositories"] == json!([name])) {
            (true, true) => "active, opens it",
            (true, false) => "active",
            (false, _) => "not active",
        }
        .to_owned();
    }
    let request = portal.request("GET", &door.replace("{name}", name)).bearer(token);
    let answer = request.header("x-original-method", "GET").header("x-forwarded-method", "GET").send();
    let signed = (door.starts_with("/oci") && answer.status == 200).then(|| answer.json()["token"].clone());
    let pulls =
        signed.is_some_and(|token| claims(token.as_str().expect("a token"))["access"][0]["actions"][0] == "pull");
    format!("{}{}", answer.status, if pulls { ", pull" } else { "" })
}

/// An administrator's token that lasts.
fn root(portal: &Portal) -> Token {
    portal.token(&portal.user_with("root", "administrator"), |wish| {
        wish.permissions.repositories = Permission::Write;
        wish.permissions.administration = Permission::Write;
        wish.expires_at = None;
    })
}

/// Another node of the same portal, where there can be one.
fn other_node(portal: &Portal) -> Option<Portal> {
    (!portal.database.is_sqlite()).then(|| portal.beside())
}

fn the_very_next_check_of_a_token_says_no_at_every_door(portal: Portal) {
    let other = other_node(&portal);
    let nodes = [other.as_ref().unwrap_or(&portal), &portal];
    let (root, (_, service)) = (root(&portal), portal.service("wiki"));
    portal.role("bare", &[ApiAccess]);
    for (line, change) in CHANGES.iter().enumerate() {
        // At each door anew: what is the next check at one of them is not the next at another.
        for (number, door) in DOORS.iter().enumerate() {
            let scene = Scene::new(&portal, &root, format!("x{line}-{number}"), change.way);
            let ask = |node: &Portal| {
                [&scene.own.secret, &scene.of_repository].map(|token| ask(node, door, &service, &scene.name, token))
            };
            for node in nodes {
                assert_eq!(ask(node), [GOOD[number]; 2], "{door} before {}", change.what);
            }
            (change.make)(&scene);
            for node in nodes {
                assert_eq!(
                    ask(node),
                    [change.own[number], change.of_repository[number]],
                    "{door} after {}",
                    change.what
                );
            }
        }
    }
}

fn the_very_next_check_of_a_services_token_says_no(portal: Portal) {
    let other = other_node(&portal);
    let nodes = [other.as_ref().unwrap_or(&portal), &portal];
    let root = root(&portal);
    let browser = portal.visitor();
    browser.try_sign_in("root", PASSWORD).with(303);
    for (line, change) in ["rotated", "deleted", "revoked"].iter().enumerate() {
        for (number, door) in ["/api/v1/me", "/oauth/introspect"].iter().enumerate() {
            let name = format!("x{line}-{number}");
            let (id, service) = portal.service(&name);
            let ask = |node: &Portal| match *door {
                "/oauth/introspect" => node.introspect(&service, &root.secret).status,
                door => node.api(&service, door).status,
            };
            assert_eq!(nodes.map(ask), [200, 200], "{door} before it is {change}");
            match *change {
                "rotated" => {
                    let form = browser.page(&format!("/admin/services/{id}/rotation")).form("Rotate token");
                    browser.submit(&form).with(303);
                }
                "deleted" => {
                    let path = format!("/api/v1/services/{name}");
                    send(&portal, "DELETE", &path, &root.secret, Value::Null).with(204);
                }
                _ => portal.revoke_held(&service),
            }
            assert_eq!(nodes.map(ask), [401, 401], "{door} after it is {change}");
        }
    }
}
