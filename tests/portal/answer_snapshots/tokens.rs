//! `/api/v1/me` and `/api/v1/tokens`.

use serde_json::{Value, json};

use super::{Transcript, full};
use crate::support::Portal;

pub fn transcript(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let ada = portal.user("ada");
    let beta = portal.repository("beta");
    let token = full(portal, &ada, "full");
    let limited = portal.token(&ada, |token| {
        token.repositories = tokenhouse::domain::api_token::RepositorySelection::Selected(vec![beta]);
    });
    let (_, of_repository) = portal.repository_with_token("alpha");
    let (_, of_service) = portal.service("wiki");
    let secret = token.secret.as_str();

    text.send("an API token", "GET", "/api/v1/me", secret, Value::Null);
    text.send("an API token with selected repositories", "GET", "/api/v1/me", &limited.secret, Value::Null);
    text.send("a repository token", "GET", "/api/v1/me", &of_repository, Value::Null);
    text.send("a service token", "GET", "/api/v1/me", &of_service, Value::Null);

    let current = "/api/v1/tokens/current";
    text.send("all tokens", "GET", "/api/v1/tokens", secret, Value::Null);
    text.send("the first of two pages", "GET", "/api/v1/tokens?limit=1", secret, Value::Null);
    text.send("the token itself", "GET", current, secret, Value::Null);
    let path = format!("/api/v1/tokens/{}", limited.id);
    text.send("another token", "GET", &path, secret, Value::Null);
    text.send("renamed", "PATCH", &path, secret, json!({ "name": "renamed" }));
    let answer = portal.request("GET", &path).bearer(secret).send();
    let tag = answer.header("etag").expect("a tag").to_owned();
    let answer = portal.request("GET", &path).bearer(secret).header("if-none-match", tag).send();
    text.keep("not modified", &answer);
    portal.request("GET", "/api/v1/me").bearer(&limited.secret).at("203.0.113.7").header("user-agent", "curl/8").send();
    portal.flush();
    text.send("a used token", "GET", &path, secret, Value::Null);
    text.send("revoked", "DELETE", &path, secret, Value::Null);
    text.send("a revoked token", "GET", &path, secret, Value::Null);

    let rotation = "/api/v1/tokens/current/rotation";
    let rotated = text.send("rotated with a grace", "POST", rotation, secret, json!({ "grace": "1h" })).json();
    let next = rotated["token"].as_str().expect("a secret").to_owned();
    text.send("the replaced secret", "GET", current, secret, Value::Null);
    text.send("while the replaced secret works", "GET", current, &next, Value::Null);
    text.send("the replaced secret revokes itself", "DELETE", current, secret, Value::Null);
    let rotated = text.send("rotated at once", "POST", rotation, &next, Value::Null).json();
    let next = rotated["token"].as_str().expect("a secret").to_owned();
    text.send("revokes itself", "DELETE", current, &next, Value::Null);
    text.finish()
}
