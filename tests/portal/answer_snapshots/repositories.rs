//! `/api/v1/repositories`.

use serde_json::{Value, json};

use super::{Transcript, full};
use crate::support::Portal;

const LIST: &str = "/api/v1/repositories";
const ALPHA: &str = "/api/v1/repositories/alpha";

pub fn transcript(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let root = portal.user_with("root", "administrator");
    portal.user("ada");
    let reader = portal.token_named(&portal.user("rosa"), "reads");
    let token = full(portal, &root, "full");
    let secret = token.secret.as_str();
    text.send("no repository", "GET", LIST, secret, Value::Null);
    let body = json!({ "name": "alpha", "description": "The first one" });
    let created = text.send("created", "POST", LIST, secret, body).json();
    let own = created["token"].as_str().expect("a secret").to_owned();
    portal.repository("beta");
    for query in ["", "?limit=1", "?q=first", "?q=zebra"] {
        text.send("the list", "GET", &format!("{LIST}{query}"), secret, Value::Null);
    }
    text.send("by its token", "GET", LIST, &own, Value::Null);
    text.send("by an Administrator", "GET", ALPHA, secret, Value::Null);
    text.send("by a reader", "GET", ALPHA, &reader.secret, Value::Null);
    text.send("by its token", "GET", ALPHA, &own, Value::Null);
    text.send("changed", "PATCH", ALPHA, secret, json!({ "description": "Changed" }));
    clients_and_token(portal, &mut text, secret, &own);
    grants(&mut text, secret);
    text.send("deleted", "DELETE", ALPHA, secret, Value::Null);
    text.finish()
}

fn clients_and_token(portal: &Portal, text: &mut Transcript<'_>, secret: &str, own: &str) {
    let path = format!("{ALPHA}/callers");
    text.send("never used", "GET", &format!("{LIST}/beta/callers"), secret, Value::Null);
    portal.request("GET", ALPHA).bearer(own).at("203.0.113.7").header("user-agent", "curl/8").send().with(200);
    portal.flush();
    text.send("used", "GET", &path, secret, Value::Null);
    let path = format!("{ALPHA}/token");
    text.send("the token", "GET", &path, secret, Value::Null);
    let rotated = text.send("rotated by its token", "POST", &path, own, json!({ "grace": "1h" })).json();
    let next = rotated["token"].as_str().expect("a secret").to_owned();
    text.send("while the replaced token works", "GET", &path, secret, Value::Null);
    text.send("seen by the replaced token", "GET", ALPHA, own, Value::Null);
    let current = text.send("the token itself", "GET", &path, &next, Value::Null).json();
    let replaces = json!({ "grace": "now", "replaces": current["id"] });
    text.send("rotated by a manager", "POST", &path, secret, replaces);
    text.send("rotated by a manager, without naming the token", "POST", &path, secret, Value::Null);
}

fn grants(text: &mut Transcript<'_>, secret: &str) {
    let list = format!("{ALPHA}/grants");
    let grant = format!("{list}/ada");
    text.send("no grant", "GET", &list, secret, Value::Null);
    text.send("granted", "PUT", &grant, secret, json!({ "permission": "read" }));
    text.send("changed", "PUT", &grant, secret, json!({ "permission": "write" }));
    text.send("one grant", "GET", &list, secret, Value::Null);
    text.send("removed", "DELETE", &grant, secret, Value::Null);
}
