//! Two nodes on PostgreSQL behind nginx, restarted in turn: no request fails.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::programs::Proxy;
use crate::support::database::Schema;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

/// Each sends one request after the other.
const CLIENTS: usize = 3;
const PUBLIC_HOST: &str = "127.0.0.1:9";

struct Node {
    folder: TempDir,
    /// Where it listens, also after a restart.
    address: String,
    process: Option<Process>,
    /// Of all nodes.
    key: PathBuf,
}

impl Node {
    /// The first node makes the key.
    fn start(schema: &Schema, key: Option<PathBuf>) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let address = format!("127.0.0.1:{}", crate::programs::free_port());
        let key = key.unwrap_or_else(|| folder.path().join("data/secret.key"));
        let mut node = Self { folder, address, process: None, key };
        node.serve(schema);
        node
    }

    fn serve(&mut self, schema: &Schema) {
        let mut command = tokenhouse();
        command.args(["serve", "--listen", &self.address, "--public-url", &format!("http://{PUBLIC_HOST}")]);
        command.args(["--drain-seconds", "1", "--database-url", &schema.url()]);
        let data = self.folder.path().join("data");
        if !self.key.starts_with(&data) {
            command.arg("--secret-key-file").arg(&self.key);
        }
        command.arg("--data-dir").arg(data);
        let process = Process::start(&mut command);
        process.line("Tokenhouse is listening on ");
        self.process = Some(process);
    }

    fn restart(&mut self, schema: &Schema) {
        let mut process = self.process.take().expect("it runs");
        process.signal("TERM");
        assert_eq!(process.wait().code(), Some(0), "{}", process.log());
        self.serve(schema);
    }
}

#[test]
fn restart_of_two_nodes_in_turn_fails_no_request_behind_nginx() {
    let rounds = if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 50 } else { 2 };
    let schema = Schema::create();
    let first = Node::start(&schema, None);
    let second = Node::start(&schema, Some(first.key.clone()));
    let upstream = format!(
        "upstream nodes {{ server {} max_fails=0; server {} max_fails=0; keepalive 8; }}",
        first.address, second.address
    );
    let mut nodes = [first, second];
    let proxy = Proxy::nginx_with(
        &upstream,
        &format!(
            "location / {{ proxy_pass http://nodes; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; proxy_set_header Host {PUBLIC_HOST}; }}"
        ),
    );
    // A token that is not known: each answer needs the database, and a failure of it would be 503.
    let secret = Secret::generate(SecretKind::ApiToken, &mut randomness::system());
    let authorization = format!("Bearer {}", secret.reveal());
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let reply = proxy.ask("GET", "/api/v1/me", &[("Authorization", &authorization)]);
                    assert_eq!(reply.status, 401, "{reply:?}");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let restarts = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..rounds {
                for node in &mut nodes {
                    node.restart(&schema);
                    for _ in 0..5 {
                        let reply = proxy.ask("GET", "/api/v1/me", &[("Authorization", &authorization)]);
                        assert_eq!(reply.status, 401, "{reply:?}");
                    }
                }
            }
        }));
        stop.store(true, Ordering::SeqCst);
        restarts.expect("both nodes restart");
    });
    println!("{} requests during {} restarts", answered.into_inner(), 2 * rounds);
}
