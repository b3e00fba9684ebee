//! Answers of the REST API and of the protocols, frozen as snapshots: status, headers and body.
//!
//! `headers.rs` tests the headers that every answer carries.

mod administration;
mod discovery;
mod forward_auth;
mod oauth;
mod problems;
mod registry;
mod repositories;
mod tokens;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tokenhouse::auth::budgets::BudgetLimits;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::redact::redact;
use crate::support::{Answer, Portal, Token, User, on_both};

on_both![
    api_token_answers_are_as_before,
    repository_answers_are_as_before,
    user_and_role_answers_are_as_before,
    service_policy_and_audit_answers_are_as_before,
    problems_are_as_before,
    problems_of_requests_are_as_before,
    oauth_answers_are_as_before,
    forward_auth_answers_are_as_before,
    registry_answers_are_as_before,
    discovery_answers_are_as_before,
    unavailable_answers_are_as_before,
];

fn api_token_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("tokens", tokens::transcript(&unlimited(portal)));
}

fn repository_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("repositories", repositories::transcript(&unlimited(portal)));
}

fn user_and_role_answers_are_as_before(portal: Portal) {
    let portal = unlimited(portal);
    insta::assert_snapshot!("users", administration::users(&portal));
    insta::assert_snapshot!("roles", administration::roles(&portal));
}

fn service_policy_and_audit_answers_are_as_before(portal: Portal) {
    let portal = unlimited(portal);
    insta::assert_snapshot!("services", administration::services(&portal));
    insta::assert_snapshot!("policies", administration::policies(&portal));
    insta::assert_snapshot!("audit", administration::audit(&portal));
}

fn problems_are_as_before(portal: Portal) {
    insta::assert_snapshot!("problems", problems::of_resources(&portal));
}

fn problems_of_requests_are_as_before(portal: Portal) {
    insta::assert_snapshot!("request_problems", problems::of_requests(&portal));
}

fn oauth_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("introspection", oauth::introspection(&portal));
    insta::assert_snapshot!("revocation", oauth::revocation(&portal));
}

fn forward_auth_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("forward_auth", forward_auth::transcript(&portal));
}

fn registry_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("registry", registry::transcript(&portal));
}

fn discovery_answers_are_as_before(portal: Portal) {
    discovery::compare(portal);
}

/// The last thing that a portal does here: its tables are renamed.
fn unavailable_answers_are_as_before(portal: Portal) {
    insta::assert_snapshot!("unavailable", problems::of_a_broken_database(&portal));
}

#[test]
fn every_endpoint_has_a_success_answer_in_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portal/answer_snapshots/snapshots");
    let files = std::fs::read_dir(folder).expect("the snapshots are committed");
    let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a snapshot"));
    let mut frozen = BTreeSet::new();
    for text in texts {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(route) = line.strip_prefix("route: ") else { continue };
            if lines.peek().is_some_and(|next| next.starts_with("status: 2")) {
                frozen.insert(route.to_owned());
            }
        }
    }
    let routes = ROUTES.iter().filter(|route| route.scope == Scope::Api);
    let routes = routes.map(|route| format!("{} {}", route.method, route.path));
    let missing: Vec<_> = routes.filter(|route| !frozen.contains(route)).collect();
    assert!(
        missing.is_empty(),
        "no snapshot of a success answer: {missing:?}. Add one to tests/portal/answer_snapshots"
    );
}

/// A portal without limits on changes.
fn unlimited(portal: Portal) -> Portal {
    portal.restarted(|config| {
        let unlimited = 1_000_000;
        config.budgets = BudgetLimits { token_creations: unlimited, rotations: unlimited, writes: unlimited };
    })
}

/// A token with every permission.
fn full(portal: &Portal, owner: &User<'_>, name: &str) -> Token {
    portal.token(owner, |token| {
        token.name = tokenhouse::domain::name::TokenName::parse(name).expect("a name");
        token.permissions = Permissions {
            repositories: Permission::Write,
            account: Permission::Write,
            administration: Permission::Write,
        };
    })
}

/// Answers as text, one after the other.
struct Transcript<'p> {
    portal: &'p Portal,
    text: String,
}

impl<'p> Transcript<'p> {
    fn new(portal: &'p Portal) -> Self {
        Self { portal, text: String::new() }
    }

    /// Sends a request to the API with a token, keeps the answer and returns it.
    fn send(&mut self, title: &str, method: &str, path: &str, secret: &str, body: Value) -> Answer {
        let answer = crate::api_tokens::send(self.portal, method, path, secret, body.clone());
        let body = if body.is_null() { String::new() } else { format!("body: {body}\n") };
        let route = route(method, path);
        self.add(&format!("=== {title} ===\nrequest: {method} {path}\n{body}route: {route}\n"), &answer);
        answer
    }

    /// Keeps an answer.
    fn keep(&mut self, title: &str, answer: &Answer) {
        self.add(&format!("=== {title} ===\nrequest: {}\n", answer.question), answer);
    }

    fn add(&mut self, head: &str, answer: &Answer) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += &redact(self.portal, &format!("{head}{}", described(answer)));
    }

    fn finish(self) -> String {
        self.text
    }
}

/// The route of the API that answers this request.
fn route(method: &str, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<_> = path.split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<_> = pattern.split('/').collect();
        pattern.len() == parts.len()
            && pattern.iter().zip(&parts).all(|(own, part)| own == part || own.starts_with('{'))
    };
    let mut routes = ROUTES.iter().filter(|route| route.method == method && fits(route.path));
    routes.next().map_or_else(|| "none".to_owned(), |route| format!("{method} {}", route.path))
}

/// Headers that every answer carries, and those that differ between two runs.
const LEFT_OUT: [&str; 13] = [
    "connection",
    "content-length",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-request-id",
    "x-robots-tag",
];

/// Status, headers by name, and the body; JSON with its members sorted.
fn described(answer: &Answer) -> String {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.to_str().expect("a readable header")))
        .map(|(name, value)| format!("{name}: {}\n", if name == "etag" { "[etag]" } else { value }))
        .collect();
    // Several headers of one name keep their order.
    headers.sort_by_key(|line| line.split(':').next().map(str::to_owned));
    let is_json = answer.header("content-type").is_some_and(|kind| kind.ends_with("json"));
    let body = match answer.body.is_empty() {
        true => String::new(),
        false if is_json => format!("{:#}\n", answer.json()),
        false => format!("{}\n", answer.text().trim_end()),
    };
    format!("status: {}\n{}{body}", answer.status, headers.concat())
}
