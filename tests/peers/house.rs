//! The running portal, and people in it who do what they do by its pages and commands.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use scraper::{Html, Selector};
use tempfile::TempDir;
use tokenhouse::domain::secret::random_code;
use tokenhouse::randomness;

use crate::support::database::Database;
use crate::support::http::{Answer, Browser};
use crate::support::process::Process;
use crate::support::server::tokenhouse;

const PASSWORD: &str = "lantern orbit sixteen quiet";
const TOKENS: &str = "/profile/api-tokens";

pub struct House {
    // Before the database, so that the server ends first.
    server: Process,
    address: String,
    folder: TempDir,
    database: Database,
}

impl House {
    pub fn serve(database: Database) -> Self {
        Self::serve_with(database, &[])
    }

    /// Serves with more arguments.
    pub fn serve_with(database: Database, arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut command = command_on(&folder, &database, &["serve", "--listen", "127.0.0.1:0"]);
        let server = Process::start(command.args(arguments));
        let address = server.line("Tokenhouse is listening on ");
        Self { server, address, folder, database }
    }

    /// `http://127.0.0.1:…`, which is the public address, too.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A place for the files of a test.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        path
    }

    /// What a command of ours in a shell must know: where the data is, and, beside PostgreSQL, what no server tells it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("TOKENHOUSE_DATA_DIR", self.folder.path().join("data").display().to_string())];
        if let Database::Postgres(schema) = &self.database {
            all.push(("TOKENHOUSE_DATABASE_URL", schema.url()));
            all.push(("TOKENHOUSE_PUBLIC_URL", self.address.clone()));
        }
        all
    }

    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The first line of the log that has `words` in it. Waits for that line.
    pub fn log_line(&self, words: &str) -> String {
        self.server.line_with(words)
    }

    /// Runs a command of ours beside the server; it must succeed. Returns what it printed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = command_on(&self.folder, &self.database, arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    }

    /// Lets a token have ended long ago. No program tells the portal another time, so this goes past it into the database, and
    /// must come before the first use of the token, or before another change: on SQLite what checks found is kept until then.
    pub fn expire(&self, token: &Token) {
        let sql = format!("UPDATE api_tokens SET created_at = 1, expires_at = 2 WHERE id = '{}'", token.id());
        match &self.database {
            Database::Sqlite(_) => {
                let path = self.folder.path().join("data/tokenhouse.db");
                let path = path.to_str().expect("the path is text");
                let mut connection = SqliteConnection::establish(path).expect("the file opens");
                connection.batch_execute("PRAGMA busy_timeout=5000").expect("it takes pragmas");
                connection.batch_execute(&sql).expect("it expires");
            }
            Database::Postgres(schema) => {
                let mut connection = PgConnection::establish(&schema.url()).expect("PostgreSQL answers");
                connection.batch_execute(&sql).expect("it expires");
            }
        }
    }

    /// A user with that role, who is signed in.
    pub fn user(&self, username: &'static str, role: &str) -> Person {
        self.run(&["user", "create", username, "--role", role, "--password-stdin"], PASSWORD);
        let mut person = Person { browser: Browser::new(&self.address) };
        person.post("/login", &[("username", username), ("password", PASSWORD), ("next", "/")]).location();
        person
    }
}

/// On the data of this house.
fn command_on(folder: &TempDir, database: &Database, arguments: &[&str]) -> Command {
    let mut command = tokenhouse();
    command.args(arguments).arg("--data-dir").arg(folder.path().join("data"));
    if let Database::Postgres(schema) = database {
        command.args(["--database-url", &schema.url()]);
    }
    command
}

/// Somebody at a browser.
pub struct Person {
    browser: Browser,
}

/// An API token and its secret.
pub struct Token {
    /// Of its page.
    pub path: String,
    pub secret: String,
}

impl Token {
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Person {
    pub fn get(&mut self, path: &str) -> Answer {
        self.browser.get(path).expect("the portal answers")
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.browser.post(path, fields).expect("the portal answers")
    }

    /// Generates an API token for all repositories; `permission` is `read` or `write`.
    pub fn token(&mut self, name: &str, permission: &str) -> Token {
        self.token_with(name, &[("repositories_permission", permission)])
    }

    /// Generates an API token with these fields of its form.
    pub fn token_with(&mut self, name: &str, fields: &[(&str, &str)]) -> Token {
        let nonce = nonce();
        let mut all = vec![("name", name), ("expiry", "90"), ("nonce", &nonce)];
        all.extend(fields);
        let path = self.post(TOKENS, &all).location().to_owned();
        let secret = self.get(&path).secret().expect("the token is shown").to_owned();
        Token { path, secret }
    }

    pub fn revoke(&mut self, token: &Token) {
        self.post(&format!("{}/revocation", token.path), &[]).location();
    }

    pub fn disable(&mut self, token: &Token) {
        self.post(&format!("{}/disablement", token.path), &[]).location();
    }

    /// Gives the token another secret, which is returned; the old one ends at once.
    pub fn rotate(&mut self, token: &Token) -> String {
        let path = format!("{}/rotation", token.path);
        self.renew(&path, &path)
    }

    /// Creates a repository and returns its token.
    pub fn repository(&mut self, name: &str) -> String {
        let path = self.post("/repositories", &[("name", name), ("nonce", &nonce())]).location().to_owned();
        self.get(&path).secret().expect("the token is shown").to_owned()
    }

    /// Creates a service and returns its token.
    pub fn service(&mut self, name: &str) -> String {
        let fields = [("name", name), ("description", ""), ("nonce", &nonce())];
        let path = self.post("/admin/services", &fields).location().to_owned();
        self.get(&path).secret().expect("the token is shown").to_owned()
    }

    /// Generates a new token for the repository; the old one ends at once.
    pub fn generate_new(&mut self, name: &str) -> String {
        self.renew(&format!("/repositories/{name}/token/new"), &format!("/repositories/{name}/token"))
    }

    fn renew(&mut self, form: &str, path: &str) -> String {
        let form = self.get(form);
        let value = |field| form.value_of(field).expect("the form has it").to_owned();
        let (nonce, replaces) = (value("name=\"nonce\""), value("name=\"replaces\""));
        let fields = [("nonce", nonce.as_str()), ("replaces", &replaces), ("grace", "now")];
        let path = self.post(path, &fields).location().to_owned();
        self.get(&path).secret().expect("the token is shown").to_owned()
    }

    /// What the Configure tab prints to be put into the configuration of a proxy.
    pub fn integration(&mut self, repository: &str, label: &str) -> String {
        self.code(repository, &format!("integration-{}", label.to_lowercase()))
    }

    /// A piece of code on the Configure tab.
    pub fn code(&mut self, repository: &str, id: &str) -> String {
        let page = self.get(&format!("/repositories/{repository}/configure"));
        let page = Html::parse_document(&page.body);
        let selector = format!("pre#{id}");
        let code = page.select(&Selector::parse(&selector).expect("a selector")).next();
        code.unwrap_or_else(|| panic!("the page has no {selector}")).text().collect()
    }

    /// Lets a user `read` or `write` a repository.
    pub fn grant(&mut self, repository: &str, username: &str, permission: &str) {
        let fields = [("username", username), ("permission", permission)];
        self.post(&format!("/repositories/{repository}/access"), &fields).location();
    }
}

fn nonce() -> String {
    random_code(&mut randomness::system())
}

pub fn basic(username: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{secret}")))
}
