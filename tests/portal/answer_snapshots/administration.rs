//! Users, roles, services, policies and the audit log of the API.

use serde_json::{Value, json};

use super::{Transcript, full};
use crate::support::Portal;

pub fn users(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("root", "administrator"), "full");
    let secret = token.secret.as_str();
    let list = "/api/v1/users";
    let body =
        json!({ "username": "grace", "display_name": "Grace", "email": "grace@example.org", "roles": ["viewer"] });
    text.send("created", "POST", list, secret, body);
    text.send("created without a role", "POST", list, secret, json!({ "username": "linus", "display_name": "Linus" }));
    for query in ["", "?limit=1", "?q=grace", "?q=zebra"] {
        text.send("the list", "GET", &format!("{list}{query}"), secret, Value::Null);
    }
    let path = format!("{list}/grace");
    text.send("one user", "GET", &path, secret, Value::Null);
    let body = json!({ "display_name": "Grace Hopper", "roles": ["viewer", "developer"] });
    text.send("changed", "PATCH", &path, secret, body);
    for action in ["sign-out", "disablement", "enablement"] {
        text.send(action, "POST", &format!("{path}/{action}"), secret, Value::Null);
    }
    text.finish()
}

pub fn roles(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("ruth", "administrator"), "full");
    let secret = token.secret.as_str();
    let (list, path) = ("/api/v1/roles", "/api/v1/roles/desk");
    text.send("built-in roles", "GET", list, secret, Value::Null);
    let body = json!({ "name": "desk", "title": "Desk", "privileges": ["view_repositories"] });
    text.send("created", "POST", list, secret, body);
    text.send("one role", "GET", path, secret, Value::Null);
    text.send("changed", "PATCH", path, secret, json!({ "title": "Front desk", "privileges": ["api_access"] }));
    text.send("deleted", "DELETE", path, secret, Value::Null);
    text.finish()
}

pub fn services(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("root", "administrator"), "full");
    let secret = token.secret.as_str();
    let (list, path) = ("/api/v1/services", "/api/v1/services/wiki");
    text.send("no service", "GET", list, secret, Value::Null);
    let (_, service) = portal.service("wiki");
    portal.service("build");
    for query in ["", "?limit=1", "?q=wiki"] {
        text.send("the list", "GET", &format!("{list}{query}"), secret, Value::Null);
    }
    text.send("never used", "GET", path, secret, Value::Null);
    portal.request("POST", "/oauth/introspect").bearer(&service).at("203.0.113.7").form(&[("token", "x")]).send();
    portal.flush();
    text.send("used", "GET", path, secret, Value::Null);
    text.send("deleted", "DELETE", path, secret, Value::Null);
    text.finish()
}

pub fn policies(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("ruth", "administrator"), "full");
    let path = "/api/v1/policies";
    text.send("all policies", "GET", path, &token.secret, Value::Null);
    text.send("changed", "PATCH", path, &token.secret, json!({ "max_api_tokens": 7 }));
    text.finish()
}

pub fn audit(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("rita", "administrator"), "full");
    let secret = token.secret.as_str();
    portal.advance(60);
    let body = json!({ "name": "alpha" });
    crate::api_tokens::send(portal, "POST", "/api/v1/repositories", secret, body).with(201);
    portal.advance(60);
    portal.visitor().at("203.0.113.7").try_sign_in("rita", "wrong").with(401);
    portal.flush();
    for query in ["?limit=2", "?action=repository.created", "?actor=nobody"] {
        text.send("events", "GET", &format!("/api/v1/audit{query}"), secret, Value::Null);
    }
    text.finish()
}
