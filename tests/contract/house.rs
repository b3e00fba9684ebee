//! The real binary with an administrator and with what the document names in its examples; and schemathesis, which comes
//! to see it.

use std::path::PathBuf;
use std::process::Command;

use crate::support::http::Browser;
use crate::support::server::Server;

/// The same examples in each run.
const SEED: &str = "20261122";
/// Of each operation in each phase; the second with `./test --soak`.
const EXAMPLES: [&str; 2] = ["5", "200"];

pub struct House {
    server: Server,
    browser: Browser,
}

impl House {
    pub fn set_up() -> Self {
        let server = Server::with(
            &["--max-api-tokens", "50", "--writes-per-hour", "1000000", "--rotations-per-hour", "1000000"],
            &[],
        );
        let setup = server.setup_address();
        let (_, code) = setup.split_once("code=").expect("the address has a code");
        let mut browser = Browser::new(&server.address(""));
        let fields = [
            ("code", code),
            ("username", "root"),
            ("display_name", "Root"),
            ("email", "root@example.org"),
            ("password", "lantern orbit sixteen quiet"),
        ];
        assert_eq!(browser.post("/setup", &fields).expect("it answers").location(), "/login?next=%2F&signed_in=1");
        let house = Self { server, browser };
        house.furnish();
        house
    }

    /// Makes what the document names in its examples; none of it is whoever asks, since nobody disables themselves.
    fn furnish(&self) {
        let token = self.token("furnishes", "write");
        for (path, body) in [
            ("/api/v1/users", r#"{"username": "ada", "display_name": "Ada Lovelace", "email": "ada@example.org"}"#),
            ("/api/v1/users", r#"{"username": "grace", "display_name": "Grace Hopper", "email": "grace@example.org"}"#),
            ("/api/v1/roles", r#"{"name": "help-desk", "title": "Help Desk", "privileges": ["view_repositories"]}"#),
        ] {
            let request = ureq::post(self.server.address(path)).header("authorization", format!("Bearer {token}"));
            request.content_type("application/json").send(body).expect(path);
        }
        let mut browser = self.browser.clone();
        let fields = [("nonce", "2222222222222222222222"), ("name", "wiki"), ("description", "Reads the manuals")];
        browser.post("/admin/services", &fields).expect("it answers").location();
        for (number, name) in ["payments", "website"].iter().enumerate() {
            let nonce = format!("{number:0>22}");
            let fields = [("nonce", nonce.as_str()), ("name", name), ("description", "")];
            browser.post("/repositories", &fields).expect("it answers").location();
        }
        let fields = [("username", "ada"), ("permission", "read")];
        browser.post("/repositories/payments/access", &fields).expect("it answers").location();
    }

    /// An API token with this permission in every area.
    pub fn token(&self, name: &str, permission: &str) -> String {
        let mut browser = self.browser.clone();
        let nonce: String = name.chars().filter(char::is_ascii_alphanumeric).chain(['x'; 22]).take(22).collect();
        let fields = [
            ("nonce", nonce.as_str()),
            ("name", name),
            ("expiry", "7"),
            ("repositories_permission", permission),
            ("account_permission", permission),
            ("administration_permission", permission),
        ];
        let location = browser.post("/profile/api-tokens", &fields).expect("it answers").location().to_owned();
        let page = browser.get(&location).expect("it answers").body;
        let start = page.find("value=\"thp_").expect("the token is shown") + "value=\"".len();
        page[start..start + 42].to_owned()
    }

    pub fn accepts(&self, token: &str) -> bool {
        let answer = ureq::get(self.server.address("/api/v1/me")).header("authorization", format!("Bearer {token}"));
        answer.call().is_ok()
    }

    /// Runs schemathesis with all of its checks and these arguments.
    pub fn check(&self, token: Option<&str>, arguments: &[&str]) {
        let tool = schemathesis();
        let examples = EXAMPLES[usize::from(std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some())];
        let mut command = Command::new(&tool);
        let settings = self.server.data_dir().join("schemathesis.toml");
        std::fs::write(&settings, SETTINGS).expect("the data folder takes a file");
        command.arg("--config-file").arg(&settings);
        command.arg("run").arg(self.server.address("/api/v1/openapi.json"));
        command.args(["--checks", "all", "--seed", SEED, "--generation-deterministic", "--max-examples", examples]);
        command.args(["--no-shrink", "--no-color", "--warnings", "off"]);
        command.args(["--suppress-health-check", "all", "--workers", "1"]);
        if let Some(token) = token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        // It keeps files where it runs.
        command.args(arguments).current_dir(self.server.data_dir());
        let output = command.output().unwrap_or_else(|error| panic!("{} does not run: {error}", tool.display()));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        let log = self.server.log();
        assert!(!log.contains("a request failed") && !log.contains("panicked"), "{log}");
    }
}

/// What fits the document may still name what is not there or not offered: a role, a privilege, a grace that the policies,
/// which are among what is changed, do not have. These operations say so with 422; so does every POST whose
/// `Idempotency-Key` was used for another request.
const SETTINGS: &str = r#"
[[operations]]
include-operation-id = ["policies.update", "repositories.token.create", "roles.create", "roles.update", "users.create", "users.update", "tokens.current.rotation.create", "repositories.create", "users.disablement.create", "users.enablement.create", "users.sign-out.create"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"]
"#;

/// Where `./test` puts it.
fn schemathesis() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".test-tools/bin/schemathesis");
    assert!(path.exists(), "{} is missing; ./test --install brings it", path.display());
    path
}
