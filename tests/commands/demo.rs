//! `--demo`: a portal with made-up data, which leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::house::{House, mode, run};
use crate::support::http::Browser;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

/// Everybody that the program says may sign in.
const PEOPLE: [&str; 4] = ["ada", "mira", "aiko", "noah"];

/// A demonstration whose data lie in a folder for temporary files of its own.
struct Demo {
    process: Process,
    address: String,
    password: String,
    temporary: TempDir,
}

impl Demo {
    fn start() -> Self {
        let temporary = TempDir::new().expect("a temporary folder can be made");
        let process = Process::start(&mut command(temporary.path(), &["--demo"]));
        let address = process.line("Tokenhouse is listening on ");
        let line = process.line("Sign in with the password ");
        let password = line.strip_suffix(" as one of:").expect("and then names them").to_owned();
        Self { process, address, password, temporary }
    }

    /// Somebody who has signed in with the printed password.
    fn sign_in(&self, username: &str) -> Browser {
        let mut browser = Browser::new(&self.address);
        let answer = browser.post("/login", &[("username", username), ("password", &self.password)]).unwrap();
        assert_eq!(answer.location(), "/login?next=%2F&signed_in=1", "{username}");
        browser
    }

    fn data_dirs(&self) -> Vec<PathBuf> {
        below(self.temporary.path())
    }
}

fn command(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = tokenhouse();
    command.args(arguments).env("TMPDIR", temporary).env("TOKENHOUSE_LISTEN", "127.0.0.1:0").current_dir(temporary);
    command
}

fn below(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_demonstration_with_a_database_or_a_key_of_ones_own_is_refused() {
    let house = House::new();
    for (flag, value) in
        [("--database-url", "postgres://tokenhouse@127.0.0.1/tokenhouse"), ("--secret-key-file", "secret.key")]
    {
        house.run(&["--demo", flag, value], "").fails(2, &["--demo (TOKENHOUSE_DEMO)", flag, "leave"]);
    }
    let mut command = house.command(&["--demo"]);
    run(command.env("TOKENHOUSE_DATABASE_URL", "postgres://db.example.org/tokenhouse"), "").fails(2, &["--demo"]);
    assert!(!house.data().exists(), "nothing was made");
}

#[test]
fn a_demonstration_goes_with_no_other_command() {
    let house = House::new();
    for task in [&["migrate"][..], &["user", "disable", "ada"], &["token", "revoke"], &["key", "forget", "00000000"]] {
        house.run(&[&["--demo"], task].concat(), "").fails(2, &["--demo (TOKENHOUSE_DEMO) goes with serve only"]);
    }
    assert!(!house.data().exists(), "nothing was made");
}

#[test]
fn it_leaves_nothing_behind_and_nothing_lies_open_to_others() {
    let temporary = TempDir::new().unwrap();
    // Its own data directory, and not one that was asked for.
    let mut process = Process::start(&mut command(temporary.path(), &["serve", "--demo", "--data-dir", "mine"]));
    process.line("Sign in with the password ");
    let made = below(temporary.path());
    let [folder] = made.as_slice() else { panic!("there is more than one folder: {made:?}") };
    assert!(folder.file_name().unwrap().to_string_lossy().starts_with("tokenhouse-demo-"), "{}", folder.display());
    assert_eq!(mode(folder), 0o700);
    for file in ["tokenhouse.db", "secret.key"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    process.signal("TERM");
    assert!(process.wait().success(), "{}", process.log());
    assert_eq!(below(temporary.path()), Vec::<PathBuf>::new());
}

#[test]
fn each_demonstration_has_a_password_of_its_own() {
    let demos = [Demo::start(), Demo::start()];
    let [one, other] = demos.each_ref().map(|demo| demo.password.as_str());
    assert!(one.len() >= 14 && one != other, "{one} and {other}");
    assert_ne!(demos[0].data_dirs(), demos[1].data_dirs());
    let answer = Browser::new(&demos[0].address).post("/login", &[("username", "ada"), ("password", other)]).unwrap();
    assert_eq!(answer.status, 401, "{}", answer.body);
}

#[test]
fn the_printed_password_signs_in_everybody_that_is_named() {
    let demo = Demo::start();
    for username in PEOPLE {
        demo.process.line(&format!("  {username} ("));
        let mut browser = demo.sign_in(username);
        let page = browser.get("/profile").unwrap();
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&format!("{username}@example.org")), "{username}");
    }
    // Nobody is to be created first.
    assert!(!demo.process.log().contains("/setup?code="), "{}", demo.process.log());
}

#[test]
fn its_pages_show_a_token_in_each_status_repositories_and_who_uses_them() {
    let demo = Demo::start();
    let mut mira = demo.sign_in("mira");
    let list = mira.get("/profile/api-tokens").unwrap();
    for status in ["Active", "Replaced", "Expiring soon", "Expired", "Disabled"] {
        assert!(list.body.contains(&format!("{status}</span>")), "{status}: {}", list.body);
    }
    let revoked = mira.get("/profile/api-tokens?status=revoked").unwrap();
    assert!(revoked.body.contains("Revoked</span>") && revoked.body.contains("workshop"), "{}", revoked.body);

    let repositories = mira.get("/repositories").unwrap();
    assert!(repositories.body.contains("legacy-crm") && repositories.body.contains("1 to 14 of 14"));
    let overview = mira.get("/repositories/payments").unwrap();
    assert!(overview.body.contains("payments-worker/4.2") && overview.body.contains("of the last 30 days"));
    let confirmation = mira.get("/repositories/payments/token/new").unwrap();
    assert!(confirmation.body.contains("198.51.100.22"), "{}", confirmation.body);
    let shown = mira.post("/repositories/payments/token/reveal", &[]).unwrap();
    let shown = mira.get(shown.location()).unwrap();
    assert!(shown.secret().is_some_and(|secret| secret.starts_with("thr_")), "{}", shown.body);

    let services = demo.sign_in("ada").get("/admin/services").unwrap();
    assert!(services.body.contains("artifact-store") && services.body.contains("198.51.100.46"), "{}", services.body);
    let users = demo.sign_in("ada").get("/admin/users").unwrap();
    assert!(users.body.contains("Sven Halvorsen") && users.body.contains("Lena Fischer"), "{}", users.body);
}
