//! `/oci/token`, and what its tokens say.

use tokenhouse::domain::permission::Permission;

use super::Transcript;
use crate::oci_token::claims;
use crate::support::request::encoded;
use crate::support::{Answer, Portal};

pub fn transcript(portal: &Portal) -> String {
    let mut text = Transcript::new(portal);
    let (_, own) = portal.repository_with_token("alpha");
    let mia = portal.user_with("mia", "repository-manager");
    let writes = portal.token(&mia, |token| token.permissions.repositories = Permission::Write).secret;
    let (_, service) = portal.service("wiki");
    let get = |secret: &str, query: &[(&str, &str)]| {
        portal.request("GET", &format!("/oci/token?{}", encoded(query))).bearer(secret).send()
    };
    let (registry, scope) = (("service", "registry"), ("scope", "repository:alpha/web:pull,push"));

    text.granted("no scope", &get(&writes, &[registry]));
    text.granted("a scope", &get(&writes, &[registry, scope]));
    text.granted("the catalog", &get(&writes, &[registry, ("scope", "registry:catalog:*")]));
    text.granted("a missing repository", &get(&writes, &[registry, ("scope", "repository:missing:pull")]));
    text.granted("a repository token", &get(&own, &[registry, scope]));
    text.keep("another service", &get(&writes, &[("service", "other")]));
    text.keep("a malformed scope", &get(&writes, &[registry, ("scope", "repository")]));
    text.keep("a scope that is too long", &portal_scope(portal, &writes));
    text.keep("a service token", &get(&service, &[registry]));
    text.keep("an unknown token", &get("unknown", &[registry]));
    text.keep("no credentials", &portal.request("GET", "/oci/token?service=registry").send());
    text.keep("token in the address", &get(&writes, &[registry, ("password", &writes)]));
    let plain = portal.request("GET", "/oci/token?service=registry").bearer(&writes);
    text.keep("plain HTTP", &plain.header("x-forwarded-proto", "http").send());
    text.keep("method not allowed", &portal.request("PUT", "/oci/token").bearer(&writes).send());
    text.keep("no such endpoint", &portal.request("GET", "/oci/nothing").bearer(&writes).send());

    let post = |fields: &[(&str, &str)]| portal.request("POST", "/oci/token").form(fields).send();
    let password = [("grant_type", "password"), ("username", "mia"), ("password", writes.as_str()), registry, scope];
    text.granted("by password", &post(&password));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", writes.as_str()), registry, scope];
    text.granted("by refresh token", &post(&refresh));
    text.keep("no grant type", &post(&[registry]));
    text.keep("another grant type", &post(&[("grant_type", "authorization_code"), registry]));
    text.keep("a parameter twice", &post(&[&password[..], &[registry]].concat()));
    text.keep("wrong password", &post(&[password[0], password[1], ("password", "wrong"), registry]));
    let json = portal.request("POST", "/oci/token").header("content-type", "application/json").body("{}");
    text.keep("media type", &json.send());
    text.finish()
}

fn portal_scope(portal: &Portal, secret: &str) -> Answer {
    let scope = "repository:alpha:pull ".repeat(200);
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", secret), ("service", "registry"), ("scope", &scope)];
    portal.request("POST", "/oci/token").form(&fields).send()
}

impl Transcript<'_> {
    /// Keeps an answer and the claims of its token.
    fn granted(&mut self, title: &str, answer: &Answer) {
        self.keep(title, answer);
        let claims = claims(answer.clone().with(200).json()["token"].as_str().expect("a token"));
        self.text += &super::redact(self.portal, &format!("claims: {claims:#}\n"));
    }
}
