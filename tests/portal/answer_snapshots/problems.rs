//! Each kind of problem (RFC 9457).

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;

use super::{Transcript, full};
use crate::support::Portal;

const ME: &str = "/api/v1/me";
const TOKENS: &str = "/api/v1/tokens";
const REPOSITORIES: &str = "/api/v1/repositories";
const USERS: &str = "/api/v1/users";
const ROLES: &str = "/api/v1/roles";

/// What the credential may not, and what the resource does not let.
pub fn of_resources(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let root = portal.user_with("root", "administrator");
    let (token, other) = (full(portal, &root, "full"), full(portal, &root, "other"));
    let secret = token.secret.as_str();
    let ada = portal.user("ada");
    let reads = portal.token_named(&ada, "reads");
    let writes = portal.token(&ada, |token| token.permissions.repositories = Permission::Write);
    let (_, service) = portal.service("wiki");
    let (_, own) = portal.repository_with_token("alpha");
    portal.role("desk", &[]);
    portal.user_with("linus", "desk");

    let nothing = portal.request("GET", ME).send();
    text.keep("no credentials", &nothing);
    text.send("unknown token", "GET", ME, "thp_unknown", Value::Null);
    text.send("permission missing", "GET", TOKENS, &reads.secret, Value::Null);
    text.send("permission missing", "GET", USERS, &reads.secret, Value::Null);
    text.send("permission missing", "POST", REPOSITORIES, &reads.secret, json!({ "name": "beta" }));
    text.send("privilege missing", "POST", REPOSITORIES, &writes.secret, json!({ "name": "beta" }));
    text.send("a service", "GET", REPOSITORIES, &service, Value::Null);
    text.send("a repository token changes its repository", "DELETE", "/api/v1/repositories/alpha", &own, Value::Null);
    for path in ["/api/v1/nothing", "/api/v1/repositories/missing", "/api/v1/users/missing", "/api/v1/tokens/0"] {
        text.send("not there", "GET", path, secret, Value::Null);
    }
    text.send("method not allowed", "PUT", REPOSITORIES, secret, Value::Null);
    text.send("name taken", "POST", REPOSITORIES, secret, json!({ "name": "alpha" }));
    text.send("name taken", "PATCH", &format!("{TOKENS}/{}", token.id), secret, json!({ "name": "other" }));
    let user = json!({ "username": "ada", "display_name": "Ada", "email": "ada@example.org" });
    text.send("username taken", "POST", USERS, secret, user);
    text.send("role taken", "POST", ROLES, secret, json!({ "name": "desk", "title": "Desk" }));
    text.send("built-in role", "PATCH", &format!("{ROLES}/viewer"), secret, json!({ "title": "x" }));
    text.send("role in use", "DELETE", &format!("{ROLES}/desk"), secret, Value::Null);
    let wide = json!({ "name": "wide", "title": "Wide", "privileges": ["user_management"] });
    text.send("privilege that the API does not grant", "POST", ROLES, secret, wide);
    text.send("oneself", "POST", &format!("{USERS}/root/disablement"), secret, Value::Null);
    let path = "/api/v1/repositories/alpha/grants/root";
    text.send("a grant to oneself", "PUT", path, secret, json!({ "permission": "read" }));
    let rotation = "/api/v1/tokens/current/rotation";
    text.send("rotated", "POST", rotation, &other.secret, json!({ "grace": "1h" }));
    text.send("rotated before", "POST", rotation, &other.secret, Value::Null);
    text.finish()
}

/// What is wrong with a request, whoever sends it.
pub fn of_requests(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user_with("rita", "administrator"), "full");
    let secret = token.secret.as_str();
    portal.repository("alpha");
    let with_body = |method, path, body: &str| {
        portal.request(method, path).bearer(secret).header("content-type", "application/json").body(body).send()
    };
    for query in ["limit=0", "limit=x", "sort=name", "after=%00", "limit=1&limit=2"] {
        text.send("query", "GET", &format!("{USERS}?{query}"), secret, Value::Null);
    }
    for query in ["since=x", "action=nothing", "limit=1000"] {
        text.send("query", "GET", &format!("/api/v1/audit?{query}"), secret, Value::Null);
    }
    for body in ["", "{", "[]", "{}", "{}{}", "{\"name\":1}", "{\"nam\":\"x\"}", "{\"name\":\"a\",\"name\":\"b\"}"] {
        text.keep(&format!("body {body}"), &with_body("POST", REPOSITORIES, body));
    }
    for body in [json!({ "name": "" }), json!({ "name": "Not A Name", "description": "x\u{7}" })] {
        text.send("fields", "POST", REPOSITORIES, secret, body);
    }
    let wrong = json!({ "username": "Not a name", "display_name": "", "email": "nothing", "roles": ["missing"] });
    text.send("fields", "POST", USERS, secret, wrong);
    text.send("fields", "POST", ROLES, secret, json!({ "name": "", "title": "", "privileges": ["missing"] }));
    text.send("fields", "PATCH", "/api/v1/policies", secret, json!({ "max_api_tokens": 0 }));
    text.send("fields", "POST", "/api/v1/tokens/current/rotation", secret, json!({ "grace": "never" }));
    let grant = "/api/v1/repositories/alpha/grants/missing";
    text.send("fields", "PUT", grant, secret, json!({ "permission": "all" }));
    text.send("unknown user", "PUT", grant, secret, json!({ "permission": "read" }));
    text.send("a token as a value", "POST", REPOSITORIES, secret, json!({ "name": "beta", "description": secret }));

    let post = |kind: &str| portal.request("POST", REPOSITORIES).bearer(secret).header("content-type", kind);
    text.keep("media type", &post("text/plain").body("{}").send());
    text.keep("body too large", &with_body("POST", REPOSITORIES, &format!("\"{}\"", "x".repeat(2_000_000))));
    text.send("token in the address", "GET", &format!("{ME}?token={secret}"), secret, Value::Null);
    let long = portal.request("GET", &format!("{REPOSITORIES}?q={}", "x".repeat(20_000))).bearer(secret).send();
    text.add("=== address too long ===\n", &long);
    let large = portal.request("GET", ME).bearer(secret).header("x-large", "x".repeat(100_000)).send();
    text.keep("headers too large", &large);
    let plain = portal.request("GET", ME).bearer(secret).header("x-forwarded-proto", "http");
    text.keep("plain HTTP", &plain.header("x-forwarded-for", "203.0.113.7").send());
    text.keep("two credentials", &portal.request("GET", ME).bearer(secret).bearer(secret).send());

    let keyed = |key: &str, name: &str| {
        let request = post("application/json").header("idempotency-key", key);
        request.body(json!({ "name": name }).to_string()).send()
    };
    text.keep("idempotency key, first use", &keyed("\"key-1\"", "first"));
    text.keep("idempotency key, same request", &keyed("\"key-1\"", "first"));
    text.keep("idempotency key, another request", &keyed("\"key-1\"", "second"));
    text.keep("idempotency key, malformed", &keyed("", "second"));
    text.finish()
}

/// A database that lost a table, and changes beyond the limit of an hour.
pub fn of_a_broken_database(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = full(portal, &portal.user("ada"), "full");
    let path = format!("{TOKENS}/{}", token.id);
    for number in 0..60 {
        crate::api_tokens::send(portal, "PATCH", &path, &token.secret, json!({ "name": format!("n{number}") }))
            .with(200);
    }
    text.send("too many changes", "PATCH", &path, &token.secret, json!({ "name": "last" }));
    portal.sql("ALTER TABLE users RENAME TO nobody");
    text.send("broken database", "GET", ME, &token.secret, Value::Null);
    text.keep("liveness", &portal.request("GET", "/healthz").send());
    text.keep("readiness", &portal.request("GET", "/readyz").send());
    for path in ["/auth/nginx", "/auth/forward"] {
        text.keep("forward-auth", &portal.request("GET", path).bearer(&token.secret).send());
    }
    text.keep("registry", &portal.request("GET", "/oci/token?service=registry").bearer(&token.secret).send());
    let form = [("token", token.secret.as_str())];
    text.keep("revocation", &portal.request("POST", "/oauth/revoke").form(&form).send());
    text.finish()
}
