//! Introspection (RFC 7662) and revocation (RFC 7009).

use tokenhouse::domain::permission::{Permission, Permissions};

use super::{Transcript, full};
use crate::support::Portal;
use crate::support::request::Request;

pub fn introspection(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let (ada, root) = (portal.user("ada"), portal.user_with("root", "administrator"));
    let (_, service) = portal.service("wiki");
    let alpha = portal.repository_with_token("alpha");
    let ask = || portal.request("POST", "/oauth/introspect");
    let about = |token: &str| ask().bearer(&service).form(&[("token", token)]).send();

    text.keep("a token that reads", &about(&portal.token_named(&ada, "reads").secret));
    text.keep("a token of an Administrator", &about(&full(portal, &root, "full").secret));
    let limited = portal.token(&ada, |token| {
        token.repositories = tokenhouse::domain::api_token::RepositorySelection::Selected(vec![alpha.0]);
    });
    text.keep("a token with selected repositories", &about(&limited.secret));
    let endless = portal.token(&root, |token| {
        token.permissions = Permissions { account: Permission::Read, ..Permissions::default() };
        token.expires_at = None;
    });
    text.keep("a token without expiry", &about(&endless.secret));
    text.keep("a repository token", &about(&alpha.1));
    let at = |repository: &str| {
        let fields = [("token", limited.secret.as_str()), ("repository", repository)];
        ask().bearer(&service).form(&fields).send()
    };
    text.keep("at a repository", &at("alpha"));
    text.keep("at a missing repository", &at("missing"));
    text.keep("an unknown token", &about("unknown"));
    text.keep("a service token", &about(&service));
    portal.revoke(&limited);
    text.keep("a revoked token", &about(&limited.secret));

    let form = |request: Request<'_>| request.form(&[("token", "x")]).send();
    text.keep("no credentials", &form(ask()));
    text.keep("an API token", &form(ask().bearer(&endless.secret)));
    text.keep("Basic", &form(ask().basic("wiki", &service)));
    text.keep("plain HTTP", &form(ask().bearer(&service).header("x-forwarded-proto", "http")));
    let body = [("token", "x"), ("client_id", "wiki"), ("client_secret", service.as_str())];
    text.keep("credentials in the body", &ask().form(&body).send());
    text.keep("two methods of authentication", &ask().bearer(&service).form(&body).send());
    text.keep("no token", &ask().bearer(&service).form(&[("other", "x")]).send());
    text.keep("two tokens", &ask().bearer(&service).form(&[("token", "x"), ("token", "y")]).send());
    text.keep("media type", &ask().bearer(&service).header("content-type", "application/json").body("{}").send());
    text.keep("method not allowed", &portal.request("GET", "/oauth/introspect").bearer(&service).send());
    text.keep("no such endpoint", &portal.request("POST", "/oauth/nothing").bearer(&service).send());
    let path = format!("/oauth/introspect?token={}", endless.secret);
    text.keep("token in the address", &form(portal.request("POST", &path).bearer(&service)));
    text.finish()
}

pub fn revocation(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let token = portal.token_named(&portal.user("mia"), "revocable");
    let (_, of_repository) = portal.repository_with_token("beta");
    let (_, of_service) = portal.service("build");
    let ask = || portal.request("POST", "/oauth/revoke");
    let of = |token: &str| ask().form(&[("token", token)]).send();
    text.keep("an API token", &of(&token.secret));
    text.keep("the same again", &of(&token.secret));
    text.keep("a repository token", &of(&of_repository));
    text.keep("a service token", &of(&of_service));
    text.keep("an unknown token", &of("unknown"));
    text.keep("no token", &ask().form(&[("other", "x")]).send());
    text.keep("two tokens", &ask().form(&[("token", "x"), ("token", "y")]).send());
    text.keep("media type", &ask().header("content-type", "application/json").body("{}").send());
    text.keep("plain HTTP", &ask().header("x-forwarded-proto", "http").form(&[("token", "x")]).send());
    text.keep("method not allowed", &portal.request("GET", "/oauth/revoke").send());
    let path = format!("/oauth/revoke?token={}", token.secret);
    text.keep("token in the address", &portal.request("POST", &path).form(&[("token", "x")]).send());
    text.finish()
}
