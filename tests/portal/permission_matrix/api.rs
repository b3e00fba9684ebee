//! Endpoints for programs, by credentials.

use tokenhouse::web::routes::{ROUTES, Route, Scope};

use super::credentials::{CREDENTIALS, Cell, Credential};
use super::{block, title};
use crate::oci_token::claims;
use crate::support::request::Request;
use crate::support::{Answer, Portal};

pub fn matrix(portal: &Portal) -> String {
    let root = portal.user_with("root", "administrator").sign_in();
    let mut number = 0;
    let mut blocks = Vec::new();
    for route in ROUTES.iter().filter(|route| route.scope != Scope::Pages) {
        for access in accesses(route) {
            let answers = CREDENTIALS.iter().map(|(label, credential)| {
                number += 1;
                let cell = Cell::new(portal, route, number, &root);
                (*label, described(&send(&cell, route, access, &credential(&cell)), route))
            });
            let note = if access.is_empty() { String::new() } else { format!(" ({access})") };
            let title = format!("{}{note}", title(route.method, route.path));
            blocks.push(block(&title, &answers.collect::<Vec<_>>()));
        }
    }
    blocks.join("\n")
}

/// What a reverse proxy asks about: a read and a write. Other routes have one block each.
fn accesses(route: &Route) -> &'static [&'static str] {
    if route.scope == Scope::Forward { &["read", "write"] } else { &[""] }
}

fn send(cell: &Cell<'_>, route: &Route, access: &str, credential: &Credential) -> Answer {
    let path = cell.path(route.path);
    let (portal, method) = (cell.portal, if route.method == "ANY" { "GET" } else { route.method });
    let form = |fields: &[(&str, &str)]| portal.request(method, &path).form(fields);
    let request = match (route.method, route.path) {
        (_, "/oauth/introspect") => form(&[("token", &cell.repository_token)]),
        (_, "/oauth/revoke") => form(&[("token", &cell.target().secret)]),
        ("POST", "/oci/token") => {
            let secret = match credential {
                Credential::Secret(secret) => secret.as_str(),
                _ => "none",
            };
            let fields = [("grant_type", "refresh_token"), ("refresh_token", secret), ("service", "registry")];
            return form(&[&fields[..], &[("scope", &cell.oci_scope())]].concat()).send();
        }
        ("GET", "/oci/token") => {
            let scope = crate::support::request::encoded(&[("scope", cell.oci_scope())]);
            portal.request(method, &format!("{path}?service=registry&{scope}"))
        }
        (_, path) if path.starts_with("/auth/") => {
            let forwarded = if access == "read" { "GET" } else { "POST" };
            let header = if path.starts_with("/auth/nginx") { "x-original-method" } else { "x-forwarded-method" };
            portal.request(method, &cell.path(path)).header(header, forwarded)
        }
        _ => json(portal.request(method, &path), cell, route),
    };
    match credential {
        Credential::None => request.send(),
        Credential::Cookie(cookie) => request.header("cookie", cookie).send(),
        Credential::Secret(secret) => request.bearer(secret).send(),
    }
}

/// The request with a body that the route accepts.
fn json<'p>(request: Request<'p>, cell: &Cell<'_>, route: &Route) -> Request<'p> {
    let fresh = format!("fresh{}", cell.number);
    let body = match (route.method, route.path.trim_start_matches("/api/v1")) {
        ("PATCH", "/tokens/{id}") | ("POST", "/repositories") => serde_json::json!({ "name": fresh }),
        ("POST", "/users") => {
            serde_json::json!({ "username": fresh, "display_name": "Grace", "email": "grace@example.org" })
        }
        ("POST", "/roles") => serde_json::json!({ "name": fresh, "title": fresh }),
        ("PATCH", "/roles/{role}") => serde_json::json!({ "title": fresh }),
        ("PATCH", "/policies") => serde_json::json!({}),
        ("PATCH", "/users/{username}") => serde_json::json!({ "display_name": "Grace" }),
        ("PATCH", "/repositories/{name}") => serde_json::json!({ "description": "Changed" }),
        ("PUT", _) => serde_json::json!({ "permission": "read" }),
        _ => return request,
    };
    request.header("content-type", "application/json").body(body.to_string())
}

/// The status; for introspection whether the token is active, and for a registry the actions that are granted.
fn described(answer: &Answer, route: &Route) -> String {
    if answer.status == 200 && route.path == "/oauth/introspect" {
        return format!("200 active: {}", answer.json()["active"]);
    }
    if answer.status == 200 && route.path == "/oci/token" {
        let claims = claims(answer.json()["token"].as_str().expect("a token"));
        return format!("200 actions: {}", claims["access"][0]["actions"]);
    }
    answer.status.to_string()
}
