//! containerd, which requests registry tokens with POST.

use std::process::{Command, Output};

use tempfile::TempDir;

use crate::house::House;
use crate::programs::{skopeo_does, write};
use crate::registry_token::{image, push, registry};
use crate::support::database::Database;
use crate::support::process::Process;

#[test]
fn containerd_pulls_and_pushes_as_the_token_allows_on_sqlite() {
    containerd_pulls_and_pushes_as_the_token_allows(Database::sqlite());
}

#[test]
fn containerd_pulls_and_pushes_as_the_token_allows_on_postgres() {
    containerd_pulls_and_pushes_as_the_token_allows(Database::postgres());
}

/// A daemon with its data in a temporary folder; killed when it is dropped.
struct Containerd {
    _process: Process,
    folder: TempDir,
}

impl Containerd {
    fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().display();
        let text = format!(
            "version = 2\n\
             root = \"{path}/root\"\n\
             state = \"{path}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{path}/grpc.sock\"\n\
             [ttrpc]\naddress = \"{path}/ttrpc.sock\"\n"
        );
        let file = write(&folder, "config.toml", &text);
        let process = Process::start(Command::new("containerd").arg("--config").arg(file));
        assert!(process.says("containerd successfully booted"), "{}", process.log());
        Self { _process: process, folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(self.folder.path().join("grpc.sock")).args(arguments);
        command.output().expect("ctr runs")
    }

    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

fn containerd_pulls_and_pushes_as_the_token_allows(database: Database) {
    // Its log has a line for each request for a registry token.
    let house = House::serve_with(database, &["--log-level", "debug"]);
    let requests = |method: &str| {
        let log = house.log();
        let lines = log.lines().filter(|line| line.contains("path=/oci/token"));
        lines.filter(|line| line.contains(&format!("method={method} "))).count()
    };
    let mut ada = house.user("ada", "repository-manager");
    let own = ada.repository("payments");
    let (reads, writes) = (ada.token("reads", "read").secret, ada.token("writes", "write").secret);
    let (reads_as, writes_as) = (format!("ada:{reads}"), format!("ada:{writes}"));
    let own_as = format!("payments:{own}");
    let (registry, image) = (registry(&house), image(&house));
    let name = format!("{}/payments/api:1", registry.host);
    skopeo_does(&push(&image, &writes_as, &format!("docker://{name}")));

    let (by_get, by_post) = (requests("GET"), requests("POST"));
    assert!(by_get > 0 && by_post == 0, "skopeo uses GET");
    let containerd = Containerd::start();
    let fetch = |credentials: &[&str], name: &str| {
        let arguments = [&["content", "fetch", "--plain-http"], credentials, &[name]].concat();
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    fn borrowed(arguments: &[String]) -> Vec<&str> {
        arguments.iter().map(String::as_str).collect()
    }
    for credentials in [["--user", &reads_as], ["--user", &own_as], ["--refresh", &reads]] {
        containerd.does(&borrowed(&fetch(&credentials, &name)));
        containerd.does(&["images", "remove", &name]);
    }
    let nowhere = format!("{}/nowhere:1", registry.host);
    let said = containerd.fails(&borrowed(&fetch(&["--user", &reads_as], &nowhere)));
    assert!(said.contains("insufficient_scope"), "{said}");
    // Nothing had to be asked for again by GET.
    assert_eq!(requests("GET"), by_get);
    for credentials in [&["--user", &format!("ada:{own}")][..], &[]] {
        let said = containerd.fails(&borrowed(&fetch(credentials, &name)));
        assert!(said.contains("401 Unauthorized"), "{said}");
    }

    containerd.does(&borrowed(&fetch(&["--user", &reads_as], &name)));
    let copy = format!("{}/payments/copy:1", registry.host);
    containerd.does(&["images", "tag", &name, &copy]);
    let push = |who: &str| ["images", "push", "--plain-http", "--user", who, &copy].map(str::to_owned);
    let said = containerd.fails(&borrowed(&push(&reads_as)));
    assert!(said.contains("authorization failed") || said.contains("insufficient_scope"), "{said}");
    containerd.does(&borrowed(&push(&writes_as)));
    assert!(requests("POST") > 0);
    for log in [house.log(), registry.log()] {
        assert!([&own, &reads, &writes].iter().all(|secret| !log.contains(secret.as_str())), "{log}");
    }
}
