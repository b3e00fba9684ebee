//! Forward-auth: status, the six headers and the refusals, as nginx and as Caddy or Traefik ask.

use tokenhouse::domain::permission::Permission;

use super::Transcript;
use crate::support::Portal;
use crate::support::request::Request;

const ENDPOINTS: [(&str, &str); 2] = [("/auth/nginx", "x-original-method"), ("/auth/forward", "x-forwarded-method")];

pub fn transcript(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let (_, own) = portal.repository_with_token("alpha");
    portal.repository("beta");
    let manager = portal.user_with("mia", "repository-manager");
    let reads = portal.token_named(&manager, "Größe 100%").secret;
    let writes = portal.token(&manager, |token| token.permissions.repositories = Permission::Write).secret;
    let ended = portal.token_named(&manager, "ended");
    portal.revoke(&ended);
    let (_, service) = portal.service("wiki");

    for (endpoint, header) in ENDPOINTS {
        let other = ENDPOINTS.iter().find(|own| own.1 != header).expect("the other endpoint").1;
        let alpha = format!("{endpoint}/alpha");
        let ask = |path: &str, method: &str| portal.request("GET", path).header(header, method);
        let mut keep = |title: &str, request: Request<'_>| text.keep(&format!("{endpoint}: {title}"), &request.send());
        keep("an API token", ask(endpoint, "GET").bearer(&reads));
        keep("an API token by Basic", ask(endpoint, "GET").basic("mia", &reads));
        keep("a repository token", ask(endpoint, "GET").bearer(&own));
        keep("a service token", ask(endpoint, "GET").bearer(&service));
        keep("a read", ask(&alpha, "GET").bearer(&reads));
        keep("a write", ask(&alpha, "PUT").bearer(&writes));
        keep("a write with a token that reads", ask(&alpha, "PUT").bearer(&reads));
        keep("no method", portal.request("GET", &alpha).bearer(&reads));
        keep("the method in the other header", portal.request("GET", &alpha).header(other, "GET").bearer(&reads));
        keep("two methods", ask(&alpha, "GET").header(header, "GET").bearer(&reads));
        keep("a repository token, its repository", ask(&alpha, "PUT").bearer(&own));
        keep("a repository token, another repository", ask(&format!("{endpoint}/beta"), "GET").bearer(&own));
        keep("a service token, a repository", ask(&alpha, "GET").bearer(&service));
        keep("no such repository", ask(&format!("{endpoint}/missing"), "GET").bearer(&writes));
        keep("no repository name", ask(&format!("{endpoint}/"), "GET").bearer(&writes));
        keep("more after the name", ask(&format!("{alpha}/more"), "GET").bearer(&writes));
        keep("a query", ask(&format!("{alpha}?name=beta"), "GET").bearer(&reads));
        keep("no credentials", ask(&alpha, "GET"));
        keep("two credentials", ask(&alpha, "GET").bearer(&reads).bearer(&reads));
        keep("an unknown token", ask(&alpha, "GET").bearer("unknown"));
        keep("a revoked token", ask(&alpha, "GET").bearer(&ended.secret));
        keep("plain HTTP", ask(&alpha, "GET").bearer(&reads).header("x-forwarded-proto", "http"));
        keep("a control character", ask(&alpha, "GET").bearer(&reads).header("x-forwarded-host", "a\tb"));
        keep("headers too large", ask(&alpha, "GET").header("x-large", "x".repeat(100_000)));
        let long = ask(&format!("{endpoint}/{}", "a".repeat(20_000)), "GET").bearer(&reads).send();
        text.add(&format!("=== {endpoint}: address too long ===\n"), &long);
    }
    text.keep("no such endpoint", &portal.request("GET", "/auth/nothing").bearer(&reads).send());
    text.finish()
}
