//! The part of the tour that programs take: the API, reverse proxies, registries, and services that ask.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{TOKENS, Tour, USERNAME};

const JSON: &str = "Content-Type: application/json";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

impl Tour<'_> {
    pub(super) fn let_programs_in(&mut self) {
        let first = self.create_for_everything();
        let own = self.rotate_over_the_api(&first);
        let (former, repository) = self.manage_a_repository_over_the_api(&own);
        self.invite_over_the_api(&own);
        self.fetch_registry_tokens(&own, &repository);
        self.ask_as_a_proxy(&own, &repository, &former);
        self.put_tokens_into_heads(&own);
        self.revoke_what_is_held(&[&own, &repository]);
    }

    /// A request with a body; returns the number of the answer.
    fn ask(&mut self, (method, path): (&str, &str), authorization: &str, headers: &str, body: &str) -> usize {
        let length = body.len();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n{headers}\r\n\r\n{body}"
        ));
        self.answers.len() - 1
    }

    /// What the API answers to a JSON body.
    #[track_caller]
    fn api(&mut self, door: (&str, &str), token: &str, body: &str, status: u16) -> Value {
        let answer = self.ask(door, &format!("Bearer {token}"), JSON, body);
        let answer = self.expect(answer, status);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// The token that came with an answer.
    fn told(&mut self, answer: &Value) -> String {
        let token = answer["token"].as_str().expect("a token is told").to_owned();
        self.canaries.token(&token);
        token
    }

    fn create_for_everything(&mut self) -> String {
        let fields = [
            ("name", "everything"),
            ("expiry", "90"),
            ("nonce", "4444444444444444444444"),
            ("repositories_permission", "write"),
            ("account_permission", "write"),
            ("administration_permission", "write"),
        ];
        let made = self.post(TOKENS, &fields);
        let address = self.expect(made, 303).location().to_owned();
        self.see(&address)
    }

    fn rotate_over_the_api(&mut self, token: &str) -> String {
        let door = ("POST", "/api/v1/tokens/current/rotation");
        // Where a token does not belong; what is refused is not repeated.
        for (body, status) in [
            (json!({ "grace": token }).to_string(), 422),
            (json!({ token: "now" }).to_string(), 422),
            (json!({ "grace": [token] }).to_string(), 422),
            (format!("{{\"grace\": \"{token}"), 400),
            (format!("[\"{token}\"]"), 400),
            (token.to_owned(), 400),
        ] {
            self.api(door, token, &body, status);
        }
        let form = self.ask(door, &format!("Bearer {token}"), FORM, &format!("grace={token}"));
        self.expect(form, 415);
        let answer = self.api(door, token, &json!({"grace": "1h"}).to_string(), 201);
        let new = self.told(&answer);
        self.api(door, token, "{}", 409);
        new
    }

    /// The former token of a repository, which has ended, and the present one.
    fn manage_a_repository_over_the_api(&mut self, own: &str) -> (String, String) {
        let repositories = ("POST", "/api/v1/repositories");
        self.api(repositories, own, &json!({ "name": own }).to_string(), 422);
        let answer = self.api(repositories, own, &json!({"name": "gamma"}).to_string(), 201);
        let first = self.told(&answer);
        self.api(repositories, own, &json!({"name": "gamma"}).to_string(), 409);
        let renewal = ("POST", "/api/v1/repositories/gamma/token");
        self.api(renewal, own, &json!({ "replaces": first }).to_string(), 422);
        let answer = self.api(renewal, own, &json!({"grace": "now"}).to_string(), 201);
        let second = self.told(&answer);
        self.api(("GET", "/api/v1/repositories/gamma"), &first, "", 401);
        self.api(("GET", "/api/v1/repositories/gamma/token"), &second, "", 200);
        let answer = self.api(renewal, &second, "{}", 201);
        (second, self.told(&answer))
    }

    /// An invited user. The link is made on a page.
    fn invite_over_the_api(&mut self, own: &str) {
        let body = json!({"username": "dora", "display_name": "Dora", "email": "dora@example.org"});
        self.api(("POST", "/api/v1/users"), own, &body.to_string(), 201);
        self.api(("GET", "/api/v1/users/dora"), own, "", 200);
        self.api(("GET", "/api/v1/audit"), own, "", 200);
    }

    fn fetch_registry_tokens(&mut self, own: &str, repository: &str) {
        let path = "/oci/token?service=registry&scope=repository:gamma:pull,push";
        let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
        for authorization in [format!("Bearer {own}"), basic(USERNAME, own), basic("gamma", repository)] {
            let answer = self.ask(("GET", path), &authorization, JSON, "");
            let told: Value = serde_json::from_str(&self.expect(answer, 200).body).expect("it is JSON");
            let signed = told["token"].as_str().expect("a token is told").to_owned();
            self.canaries.registry_token(&signed);
            // For the registry alone.
            self.api(("GET", "/api/v1/me"), &signed, "", 401);
        }
        for (path, status) in [
            (format!("/oci/token?service={own}"), 400),
            (format!("/oci/token?scope=repository:{repository}:pull"), 400),
            (format!("/oci/token?account={}", own.replace('_', "%5F")), 400),
        ] {
            let answer = self.ask(("GET", &path), &basic(USERNAME, own), JSON, "");
            self.expect(answer, status);
        }
    }

    fn ask_as_a_proxy(&mut self, own: &str, repository: &str, former: &str) {
        let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
        for (dialect, word) in [("nginx", "Original"), ("forward", "Forwarded")] {
            for (authorization, status) in [
                (format!("Bearer {own}"), 200),
                (basic(USERNAME, own), 200),
                (basic("gamma", repository), 200),
                (basic("gamma", former), 401),
                (basic(own, repository), 401),
                (repository.to_owned(), 200),
            ] {
                for original in [
                    format!("/x?token={own}"),
                    format!("/{own}/x"),
                    format!("/{}/x", own.replace('_', "%5F")),
                    format!("/x#{repository}"),
                    format!("https://{USERNAME}:{repository}@example.org/"),
                ] {
                    let path = format!("/auth/{dialect}/gamma?token={own}");
                    let headers = format!("X-{word}-Method: GET\r\nX-{word}-Uri: {original}\r\nCookie: token={own}");
                    let answer = self.ask(("GET", &path), &authorization, &headers, "");
                    self.expect(answer, status);
                }
            }
            let answer = self.ask(("GET", &format!("/auth/{dialect}/{own}")), &format!("Bearer {own}"), JSON, "");
            self.expect(answer, 403);
            let method = format!("X-{word}-Method: {own}");
            let answer = self.ask(("GET", &format!("/auth/{dialect}/gamma")), &format!("Bearer {own}"), &method, "");
            self.expect(answer, 200);
        }
    }

    /// A token in the place of a method and of a user agent.
    fn put_tokens_into_heads(&mut self, own: &str) {
        let agent = format!("User-Agent: curl/8 {own}");
        for (path, status) in [("/api/v1/me", 405), ("/auth/nginx", 200), ("/oci/token", 405), ("/login", 403)] {
            let answer = self.ask(("GET", path), &format!("Bearer {own}"), &agent, "");
            self.expect(answer, 200);
            let answer = self.ask((own, path), &format!("Bearer {own}"), JSON, "");
            self.expect(answer, status);
        }
    }

    /// By whoever holds it, with the token in places where it does not belong as well.
    fn revoke_what_is_held(&mut self, tokens: &[&str]) {
        for token in tokens {
            for (body, status) in [
                (format!("token_type_hint={token}"), 400),
                (format!("token={token}&client_secret={token}&token_type_hint={token}"), 200),
            ] {
                let answer = self.ask(("POST", "/oauth/revoke"), "Bearer x", FORM, &body);
                self.expect(answer, status);
            }
            self.api(("GET", "/api/v1/me"), token, "", 401);
        }
    }

    /// All keys that ever sign are canaries.
    pub(super) fn rotate_signing_keys(&mut self) {
        let bundle = self.house.data().join("bundle.pem").display().to_string();
        let address = self.house.address.clone();
        let before = self.house.signing_keys();
        let config = ["oci", "registry-config", "--bundle", &bundle, "--public-url", &address];
        let said = self.command(&config, "");
        assert!(said.contains("rootcertbundle"), "{said}");
        let said = self.command(&["key", "rotate"], "");
        assert!(said.contains("from now on"), "{said}");
        let mut all = [before, self.house.signing_keys()].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 3, "the former, the present and the next one");
        all.iter().for_each(|key| self.canaries.signing_key(key));
    }
}
