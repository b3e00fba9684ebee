//! The API's area Administration: the token's permission and the owner's privilege, both of them, at every address.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::api_tokens::{detail, send};
use crate::support::{Portal, Token, User, on_both};

on_both![
    a_token_without_the_area_is_told_which_permission_it_needs,
    reading_is_not_writing,
    whoever_lacks_the_privilege_is_told_which,
    the_tokens_of_repositories_and_services_get_nowhere,
    a_privilege_taken_away_counts_at_the_next_request,
    looking_changes_nothing_and_is_not_counted_as_a_change,
];

/// An address, with a body that would do, and what the owner must hold.
struct Door {
    method: &'static str,
    route: &'static str,
    body: Value,
    needs: Privilege,
}

fn doors() -> Vec<Door> {
    let user = json!({"username": "eve", "display_name": "Eve", "email": "eve@example.org"});
    let doors = [
        (Privilege::UserManagement, "GET", "/users", Value::Null),
        (Privilege::UserManagement, "POST", "/users", user),
        (Privilege::UserManagement, "GET", "/users/{username}", Value::Null),
        (Privilege::UserManagement, "PATCH", "/users/{username}", json!({"display_name": "x"})),
        (Privilege::UserManagement, "POST", "/users/{username}/disablement", Value::Null),
        (Privilege::UserManagement, "POST", "/users/{username}/enablement", Value::Null),
        (Privilege::UserManagement, "POST", "/users/{username}/sign-out", Value::Null),
        (Privilege::UserManagement, "GET", "/roles", Value::Null),
        (Privilege::UserManagement, "POST", "/roles", json!({"name": "other", "title": "Other"})),
        (Privilege::UserManagement, "GET", "/roles/{role}", Value::Null),
        (Privilege::UserManagement, "PATCH", "/roles/{role}", json!({"title": "x"})),
        (Privilege::UserManagement, "DELETE", "/roles/{role}", Value::Null),
        (Privilege::SystemManagement, "GET", "/services", Value::Null),
        (Privilege::SystemManagement, "GET", "/services/{name}", Value::Null),
        (Privilege::SystemManagement, "DELETE", "/services/{name}", Value::Null),
        (Privilege::SystemManagement, "GET", "/policies", Value::Null),
        (Privilege::SystemManagement, "PATCH", "/policies", json!({"max_api_tokens": 7})),
        (Privilege::ViewAuditLog, "GET", "/audit", Value::Null),
    ];
    doors.into_iter().map(|(needs, method, route, body)| Door { method, route, body, needs }).collect()
}

impl Door {
    fn path(&self) -> String {
        let route = self.route.replace("{username}", "grace").replace("{role}", "desk").replace("{name}", "wiki");
        format!("/api/v1{route}")
    }

    fn needed(&self) -> Permission {
        if self.method == "GET" { Permission::Read } else { Permission::Write }
    }
}

/// What the addresses name.
fn furnish(portal: &Portal) {
    portal.role("desk", &[]);
    portal.service("wiki");
    let grace = portal.user("grace");
    grace.strip();
    grace.sign_in();
}

/// A token with this permission in the area.
pub fn administering<'p>(portal: &'p Portal, owner: &User<'p>, permission: Permission) -> Token {
    portal.token(owner, |wish| {
        wish.permissions = Permissions { administration: permission, ..Permissions::default() };
    })
}

#[test]
fn every_address_of_the_area_is_in_the_table() {
    let others = ["/me", "/openapi.json", "/tokens", "/repositories"];
    let routes = ROUTES.iter().filter(|route| route.scope == Scope::Api);
    let routes = routes.map(|route| (route.method, route.path.strip_prefix("/api/v1").expect("the version")));
    let routes = routes.filter(|(_, path)| !others.iter().any(|other| path.starts_with(other)));
    let table: Vec<_> = doors();
    let table: BTreeSet<_> = table.iter().map(|door| (door.method, door.route)).collect();
    assert_eq!(routes.collect::<BTreeSet<_>>(), table);
}

fn a_token_without_the_area_is_told_which_permission_it_needs(portal: Portal) {
    furnish(&portal);
    let token = portal.token(&portal.user_with("root", "administrator"), |wish| {
        wish.permissions = Permissions {
            repositories: Permission::Write,
            account: Permission::Write,
            administration: Permission::None,
        };
    });
    portal.unchanged("a token without the area", || {
        for door in doors() {
            let sentence = format!("The token needs the permission Administration: {}.", door.needed().label());
            let answer = send(&portal, door.method, &door.path(), &token.secret, door.body.clone());
            let scope = format!("error=\"insufficient_scope\", scope=\"administration:{}\"", door.needed().name());
            assert!(answer.header("www-authenticate").is_some_and(|value| value.ends_with(&scope)), "{answer:?}");
            assert_eq!(detail(answer, 403), sentence, "{} {}", door.method, door.route);
        }
    });
}

fn reading_is_not_writing(portal: Portal) {
    furnish(&portal);
    let token = administering(&portal, &portal.user_with("root", "administrator"), Permission::Read);
    portal.unchanged("a token that only reads", || {
        for door in doors() {
            let answer = send(&portal, door.method, &door.path(), &token.secret, door.body.clone());
            if door.needed() == Permission::Read {
                answer.with(200);
                continue;
            }
            let sentence = "The token needs the permission Administration: Read and write.";
            assert_eq!(detail(answer, 403), sentence, "{} {}", door.method, door.route);
        }
    });
}

fn whoever_lacks_the_privilege_is_told_which(portal: Portal) {
    furnish(&portal);
    for needs in [Privilege::UserManagement, Privilege::SystemManagement, Privilege::ViewAuditLog] {
        let name = format!("without-{}", needs.name().replace('_', "-"));
        let held: Vec<_> = Privilege::ALL.into_iter().filter(|privilege| *privilege != needs).collect();
        portal.role(&name, &held);
        let owner = portal.user_with(String::leak(name.clone()), &name);
        let token = administering(&portal, &owner, Permission::Write);
        let sentence = format!(
            "This needs the privilege {}, which the owner of the token does not hold. Ask an administrator for it.",
            needs.label()
        );
        portal.unchanged("an owner without the privilege", || {
            for door in doors().iter().filter(|door| door.needs == needs) {
                let answer = send(&portal, door.method, &door.path(), &token.secret, door.body.clone());
                assert_eq!(detail(answer, 403), sentence, "{} {}", door.method, door.route);
            }
        });
    }
}

fn the_tokens_of_repositories_and_services_get_nowhere(portal: Portal) {
    furnish(&portal);
    let repository = portal.user_with("root", "administrator").sign_in().create_repository("alpha");
    let (_, service) = portal.service("asks");
    portal.unchanged("tokens of another kind", || {
        for door in doors() {
            for secret in [&repository, &service] {
                let answer = send(&portal, door.method, &door.path(), secret, door.body.clone());
                let sentence = format!("The token needs the permission Administration: {}.", door.needed().label());
                assert_eq!(detail(answer, 403), sentence, "{} {}", door.method, door.route);
            }
        }
    });
}

fn a_privilege_taken_away_counts_at_the_next_request(portal: Portal) {
    furnish(&portal);
    let root = portal.user_with("root", "administrator");
    let token = administering(&portal, &root, Permission::Write);
    portal.api(&token.secret, "/api/v1/users").with(200);
    root.strip();
    root.add_role("developer");
    for door in doors() {
        send(&portal, door.method, &door.path(), &token.secret, door.body.clone()).with(403);
    }
    root.disable();
    for door in doors() {
        send(&portal, door.method, &door.path(), &token.secret, door.body.clone()).with(401);
    }
}

fn looking_changes_nothing_and_is_not_counted_as_a_change(portal: Portal) {
    furnish(&portal);
    let token = administering(&portal, &portal.user_with("root", "administrator"), Permission::Write);
    for door in doors().iter().filter(|door| door.method == "GET") {
        portal.unchanged(door.route, || {
            let got = portal.api(&token.secret, &door.path()).with(200);
            assert_eq!(got.header("cache-control"), Some("no-store"));
            assert!(!got.text().contains("thp_") && !got.text().contains("argon2"), "{got:?}");
            let head = portal.request("HEAD", &door.path()).bearer(&token.secret).send().with(200);
            assert!(head.body.is_empty());
        });
    }
}
