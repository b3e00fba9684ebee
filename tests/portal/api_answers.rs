//! What no answer of the API contains: anything that becomes a session.

use serde_json::{Value, json};
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::secret::Digest;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::api_tokens::send;
use crate::support::routes::Place;
use crate::support::{Answer, Portal, on_both};

on_both![no_answer_of_full_administrator_token_becomes_session];

/// A body that the route accepts.
fn body(method: &str, path: &str) -> Value {
    match (method, path.trim_start_matches("/api/v1")) {
        ("POST", "/repositories") => json!({"name": "fresh"}),
        ("POST", "/users") => {
            json!({"username": "fresh", "display_name": "x", "email": "x@example.org", "roles": ["developer"]})
        }
        ("POST", "/roles") => json!({"name": "fresh", "title": "Fresh"}),
        ("PATCH", "/repositories/{name}") => json!({"description": "x"}),
        ("PATCH", "/users/{username}") => json!({"display_name": "x", "roles": ["viewer"]}),
        ("PATCH", "/roles/{role}") => json!({"title": "x"}),
        ("PATCH", "/tokens/{id}") => json!({"name": "renamed"}),
        ("PATCH", "/policies") => json!({"max_api_tokens": 7}),
        ("PUT", _) => json!({"permission": "read"}),
        _ => Value::Null,
    }
}

/// Everything in the answer, in its headers too, that could be a code, a key or a cookie.
fn words(answer: &Answer) -> Vec<String> {
    let headers = answer.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let all = headers.chain([answer.text().to_owned()]).collect::<Vec<_>>().join("\n");
    let separates = |c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c));
    all.split(separates).filter(|word| word.len() >= 8).map(str::to_owned).collect()
}

fn no_answer_of_full_administrator_token_becomes_session(portal: Portal) {
    portal.set_policy("max_api_tokens", "100");
    portal.repository("alpha");
    portal.service("alpha");
    portal.role("desk", &[]);
    portal.user("ada");
    let (grace, root) = (portal.user("grace"), portal.user_with("root", "administrator"));
    // A session and links that an answer could disclose.
    let browser = root.sign_in();
    grace.sign_in();
    browser.post(&format!("/admin/users/{}/password-link", portal.user("eve").id), &[("", ""); 0]).with(303);
    let mut routes: Vec<_> = ROUTES.iter().filter(|route| route.scope == Scope::Api).collect();
    // What deletes comes last, and what it deletes before what that belongs to.
    routes.sort_by_key(|route| (route.method == "DELETE", std::cmp::Reverse(route.path.len())));
    for (number, route) in routes.into_iter().enumerate() {
        let full = |wish: &mut tokenhouse::domain::api_token::NewApiToken| {
            let all = Permission::Write;
            wish.permissions = Permissions { repositories: all, account: all, administration: all };
            wish.name = tokenhouse::domain::name::TokenName::parse(&format!("full {number}")).expect("a name");
        };
        let token = portal.token(&root, full);
        let path = Place::of(&token).path(route.path);
        let sessions = portal.dump()["sessions"].clone();
        let answer = send(&portal, route.method, &path, &token.secret, body(route.method, route.path));
        let what = format!("{} {path}", route.method);
        assert!((200..300).contains(&answer.status), "{what} succeeds: {answer:?}");
        assert!(answer.headers_named("set-cookie").is_empty(), "{what}");
        assert!(!answer.text().contains("set-password") && !answer.text().contains("/setup"), "{what}: {answer:?}");
        let dump = portal.dump();
        let gates = [&dump["sessions"], &dump["password_links"], &dump["reveals"]];
        for word in words(&answer) {
            let digest: String = Digest::of(&word).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            let stored = gates.iter().flat_map(|rows| rows.iter()).any(|row| {
                let row = row.to_lowercase();
                row.contains(&digest)
            });
            assert!(!stored, "{what} contains {word}, which opens a session");
            if word.len() == 22 {
                portal.visitor().open(&format!("/set-password?code={word}")).with(404);
            }
        }
        let new: Vec<_> = dump["sessions"].iter().filter(|row| !sessions.contains(row)).collect();
        assert!(new.is_empty(), "{what} made a session: {new:?}");
        assert_eq!(dump["password_links"].len(), 1, "{what} made a link");
    }
}
