//! With the feature `postgres-tls`, the server speaks TLS to PostgreSQL and checks whom it speaks to.
//!
//! `./test` runs this in a build of its own, since that feature builds OpenSSL.
#![cfg(feature = "postgres-tls")]

#[path = "support/mod.rs"]
mod support;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use support::server::Server;
use url::Url;

#[test]
fn the_server_talks_to_postgresql_over_tls_and_knows_its_certificate() {
    let database = Database::create();
    let server = Server::with(&[], &[("TOKENHOUSE_DATABASE_URL", &address(&database.name, &verified()))]);

    let ready = ureq::get(server.address("/readyz")).call().expect("the server answers");
    assert_eq!(ready.status(), 200);
    let (encrypted, plain) = database.connections();
    assert!(encrypted > 0 && plain == 0, "{encrypted} encrypted and {plain} plain connections");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let strict = address("tokenhouse", "sslmode=verify-full&sslrootcert=system");
    let error =
        PgConnection::establish(&strict).err().expect("nobody signed the throw-away server's certificate").to_string();
    assert!(error.contains("certificate verify failed"), "{error}");
}

/// A database for one test, dropped with it.
struct Database {
    name: String,
}

impl Database {
    fn create() -> Self {
        let name = format!("postgres_tls_{}", std::process::id());
        connection().batch_execute(&format!("CREATE DATABASE {name}")).expect("the database can be made");
        Self { name }
    }

    /// How many connections to this database are encrypted, and how many are not.
    fn connections(&self) -> (i64, i64) {
        let query = format!(
            "SELECT count(*) FILTER (WHERE ssl) AS encrypted, count(*) FILTER (WHERE NOT ssl) AS plain \
             FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = '{}'",
            self.name
        );
        let counts: Counts = diesel::sql_query(query).get_result(&mut connection()).expect("the server counts");
        (counts.encrypted, counts.plain)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        connection().batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).ok();
    }
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    encrypted: i64,
    #[diesel(sql_type = BigInt)]
    plain: i64,
}

fn connection() -> PgConnection {
    PgConnection::establish(&address("tokenhouse", &verified())).expect("the throw-away PostgreSQL answers")
}

fn address(database: &str, options: &str) -> String {
    let mut address = Url::parse(&variable("TOKENHOUSE_TEST_POSTGRES")).expect("it is an address");
    address.set_path(database);
    address.set_query(Some(options));
    address.into()
}

fn verified() -> String {
    format!("sslmode=verify-full&sslrootcert={}", variable("TOKENHOUSE_TEST_POSTGRES_CA"))
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run ./test"))
}
