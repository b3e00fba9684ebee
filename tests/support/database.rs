//! Databases for one test each: a SQLite file in a folder of its own, or a fresh PostgreSQL schema.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokenhouse::storage::connection::Target;
use url::Url;

/// Taken away when it is dropped.
pub enum Database {
    Sqlite(TempDir),
    Postgres(Schema),
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary folder can be made"))
    }

    pub fn postgres() -> Self {
        Self::Postgres(Schema::create())
    }

    /// One of each kind.
    pub fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    pub fn target(&self) -> Target {
        match self {
            Self::Sqlite(folder) => Target::Sqlite(folder.path().join("tokenhouse.db")),
            Self::Postgres(schema) => Target::Postgres(schema.url()),
        }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// A schema of the throw-away PostgreSQL that `./test` starts.
pub struct Schema {
    name: String,
}

impl Schema {
    pub fn create() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let schema = Self { name };
        schema.batch(&format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", schema.name));
        schema
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// An address at which this schema is the only one seen.
    pub fn url(&self) -> String {
        let mut url = server();
        url.set_query(Some(&format!("options=-csearch_path%3D{}", self.name)));
        url.into()
    }

    fn batch(&self, sql: &str) {
        PgConnection::establish(server().as_str())
            .expect("the throw-away PostgreSQL answers")
            .batch_execute(sql)
            .expect("the schema can be changed");
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.batch(&format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name));
        }
    }
}

/// A PostgreSQL database for one test, where a schema is not enough.
pub struct OwnDatabase {
    name: String,
}

impl OwnDatabase {
    pub fn create() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}_{}_own", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Self { name };
        database.batch(&format!("DROP DATABASE IF EXISTS {0}", database.name));
        database.batch(&format!("CREATE DATABASE {0}", database.name));
        database
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        let mut url = server();
        url.set_path(&self.name);
        url.into()
    }

    /// Runs a statement on the server, outside this database.
    pub fn batch(&self, sql: &str) {
        PgConnection::establish(server().as_str())
            .expect("the throw-away PostgreSQL answers")
            .batch_execute(sql)
            .expect(sql);
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.batch(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// The throw-away PostgreSQL that `./test` starts.
pub fn server() -> Url {
    let address = std::env::var("TOKENHOUSE_TEST_POSTGRES").expect("TOKENHOUSE_TEST_POSTGRES is not set: run ./test");
    Url::parse(&address).expect("it is an address")
}
