//! The real application, in this process, on a free port, with a database of its own and a clock that stands still.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use tempfile::TempDir;
use tokenhouse::auth::budgets::BudgetLimits;
use tokenhouse::auth::hasher::Cost;
use tokenhouse::clock::Clock;
use tokenhouse::config::{Config, PublicUrl};
use tokenhouse::domain::session::Lifetimes;
use tokenhouse::domain::timestamp::{HOUR, MINUTE, Timestamp};
use tokenhouse::jobs::pruning;
use tokenhouse::randomness;
use tokenhouse::storage::job::Timeouts;
use tokenhouse::storage::opening::Options;
use tokenhouse::storage::sealing::SealingKeys;
use tokenhouse::storage::{Connection, Db, StorageError};
use tokenhouse::web::cookies::OwnCookies;
use tokenhouse::web::portal::Portal as Shared;
use tokenhouse::web::server::{Opened, Ready};

use super::browser::Browser;
use super::database::Database;
use super::dump::Reader;
use super::request::Request;

/// Saturday, 21 November 2026, 14:06:40 UTC: when every portal starts.
pub const START: i64 = 1_795_270_000;

/// What a password hash costs in tests.
pub const CHEAP: Cost = Cost { memory: 64, passes: 1 };
/// Few, since many tests share one PostgreSQL.
const CONNECTIONS: u32 = 3;

/// Stopped when it is dropped.
pub struct Portal {
    running: Running,
    /// What the handlers share.
    pub shared: Data<Shared>,
    /// The code that opens the set-up address, where the portal started without a user.
    pub setup_code: Option<String>,
    pub address: SocketAddr,
    pub agent: ureq::Agent,
    clock: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
    keys: Arc<TempDir>,
    pub(super) reader: Mutex<Option<Reader>>,
    pub database: Arc<Database>,
}

struct Running {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The future only waits for the end; the order to stop is given when it is made.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the server panicked");
        }
    }
}

impl Portal {
    pub fn start(database: Database) -> Self {
        let keys = TempDir::new().expect("a temporary folder can be made");
        Self::open(Arc::new(database), Arc::new(keys), Arc::new(AtomicI64::new(START)), Options::default(), |_| {})
    }

    /// One whose writes are waited for as long as it takes.
    pub fn start_patient(database: Database) -> Self {
        let keys = TempDir::new().expect("a temporary folder can be made");
        let never = Duration::from_secs(600);
        let timeouts = Timeouts { connection: never, read: never, write: never, outcome: never };
        let options = Options { timeouts, ..Options::default() };
        Self::open(Arc::new(database), Arc::new(keys), Arc::new(AtomicI64::new(START)), options, |_| {})
    }

    /// Another node: an application of its own with the same database, key file and clock.
    pub fn beside(&self) -> Self {
        assert!(!self.database.is_sqlite(), "one process owns the file");
        Self::open(self.database.clone(), self.keys.clone(), self.clock.clone(), Options::default(), |_| {})
    }

    /// Stops it and starts it again on the same data, with another configuration.
    pub fn restarted(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { running, shared, database, keys, clock, .. } = self;
        drop(running);
        drop(shared);
        Self::open(database, keys, clock, Options::default(), change)
    }

    fn open(
        database: Arc<Database>,
        keys: Arc<TempDir>,
        clock: Arc<AtomicI64>,
        options: Options,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = configuration(&database);
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let opened = Opened {
            db: Db::open_with(&config.database, CONNECTIONS, options).expect("the database opens"),
            keys: SealingKeys::load_or_generate(&keys.path().join("secret.key"), &mut randomness::system())
                .expect("the key file can be made"),
            clock: Clock::Fixed(Arc::clone(&clock)),
            config,
            listener,
        };
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let ready = Ready::new(opened, CHEAP).await.expect("the portal can be put together");
                let (shared, code) = (ready.portal.clone(), ready.setup_code.clone());
                let server = ready.serve().expect("it serves");
                sender.send((shared, server.handle(), code)).expect("the test waits for it");
                server.await.expect("it ends in order");
            });
        });
        let (shared, handle, setup_code) = receiver.recv().expect("the portal starts");
        Self {
            running: Running { handle, thread: Some(thread) },
            shared,
            setup_code,
            address,
            agent: agent(),
            clock,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
            keys,
            reader: Mutex::default(),
            database,
        }
    }

    /// Somebody with a browser that nobody signed in from.
    pub fn visitor(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// A request that no browser made: it carries what is added to it, and nothing else.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request::new(self, method, path)
    }

    /// What stands in the Host header of an ordinary request.
    pub fn host(&self) -> String {
        let public_url = self.shared.settings.public_url.as_str();
        public_url.split("://").nth(1).unwrap_or_default().to_owned()
    }

    /// The names of the cookies that it sets.
    pub fn cookies(&self) -> &OwnCookies {
        &self.shared.cookies
    }

    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Does what the server does every few seconds: writes down who was seen and which token was used.
    pub fn flush(&self) {
        self.wait(self.shared.uses.flush(&self.shared.db)).expect("uses can be written");
        self.wait(self.shared.denials.flush(&self.shared.db)).expect("events can be written");
    }

    /// Does what the server does every minute: removes what has ended.
    pub fn prune(&self) {
        self.wait(pruning::run(&self.shared.db, self.now(), self.shared.settings.lifetimes)).expect("it prunes");
    }

    pub fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> T {
        self.wait(self.shared.db.read(question)).expect("the database answers")
    }

    pub fn write<T, E>(&self, change: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static) -> T
    where
        T: Send + 'static,
        E: From<StorageError> + std::fmt::Debug + Send + 'static,
    {
        self.wait(self.shared.db.write(change)).expect("the database takes the change")
    }

    /// Runs a statement that both databases understand.
    /// Stores a policy with this value in JSON.
    pub fn set_policy(&self, name: &str, value: &str) {
        self.sql(&format!(
            "INSERT INTO policies (name, value) VALUES ('{name}', '{value}')
             ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ));
    }

    pub fn sql(&self, statement: &str) {
        let statement = statement.to_owned();
        self.write(move |connection| connection.batch_execute(&statement).map_err(StorageError::from));
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn configuration(database: &Database) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: None,
        data_dir: std::env::temp_dir(),
        database: database.target(),
        secret_key_file: None,
        demo: false,
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        instance_name: "Tokenhouse".into(),
        max_api_tokens: 5,
        oci_service: "registry".into(),
        oci_token_seconds: 300,
        lifetimes: Lifetimes { idle: 30 * MINUTE, absolute: 12 * HOUR, reauthentication: 30 * MINUTE },
        workers: 1,
        drain: Duration::ZERO,
        log_level: tracing::Level::INFO,
        log_json: false,
        database_url_file: None,
        budgets: BudgetLimits { token_creations: 20, rotations: 30, writes: 60 },
    }
}

/// The public address that people reach through a proxy.
pub fn https(config: &mut Config) {
    config.public_url = Some(PublicUrl::parse("https://tokens.example.org").expect("an address"));
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .accept("")
        .accept_encoding("")
        .user_agent("")
        .proxy(None)
        .max_response_header_size(1 << 20)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}
