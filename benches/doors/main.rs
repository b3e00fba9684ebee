//! What the doors and pages of Tokenhouse cost, as ratios to a bare actix handler in the same run:
//!
//! ```text
//! cargo bench --bench doors -- [--tokens N] [--seconds N] [--rounds N]
//! ```
//!
//! With an address in `TOKENHOUSE_BENCH_POSTGRES` it measures the same on that PostgreSQL.
//!
//! It prepares data in a temporary folder, starts the real binary, the bare handler and a raw lookup as processes of their
//! own, loads them in turn (A B C A B C …) over loopback, and prints tables. Absolute figures mean nothing across runs and
//! machines; the ratios of one run do.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "nobody serves from here"
)]

mod bare;
mod creation;
mod data;
mod load;
mod pages;
mod process;
mod report;
mod repositories;

use std::time::{Duration, Instant};

use clap::Parser;
use tokenhouse::storage::connection::Target;

use bare::Bare;
use data::Data;
use load::{Asked, Requests};
use process::Server;
use report::Case;
use repositories::BUSY;

/// Tokens in use, of however many there are.
const IN_USE: usize = 100_000;

/// Threads that answer requests, in each server.
pub const WORKERS: usize = 2;

#[derive(Parser)]
struct Options {
    /// API tokens in the database
    #[arg(long, default_value_t = 1_000)]
    tokens: usize,
    /// Seconds of load for each line and round
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Rounds; the figures are medians over them
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections that are kept busy
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Measure the same on this PostgreSQL too, in a schema of its own that is dropped at the end
    #[arg(long, env = "TOKENHOUSE_BENCH_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
    /// Only the lines whose name has this in it (and the bare handler)
    #[arg(long)]
    only: Option<String>,
    /// Answer as this bare server instead, until standard input ends
    #[arg(long, hide = true)]
    bare: Option<Bare>,
    /// Where the bare server finds its data
    #[arg(long, hide = true, default_value = "")]
    target: String,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

fn main() {
    let options = Options::parse();
    if let Some(bare) = options.bare {
        return bare::run(bare, &options.target);
    }
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    println!(
        "{} tokens, {} connections, {} rounds of {} s",
        options.tokens, options.connections, options.rounds, options.seconds
    );

    let start = Instant::now();
    let database = folder.path().join("tokenhouse.db");
    let data = Data::prepare(&Target::Sqlite(database.clone()), options.tokens);
    println!("prepared SQLite in {:.1} s\n", start.elapsed().as_secs_f64());

    starting(folder.path());
    let sqlite = Server::tokenhouse(folder.path(), None);
    let hello = Server::bare("hello", "");
    let raw = Server::bare("lookup", &database.display().to_string());
    let session = load::sign_in(sqlite.address());
    let mut cases = doors(&sqlite, &raw, &data);
    cases.extend(pages::cases(&sqlite, &session));

    let schema = options.postgres.as_deref().map(data::Schema::create);
    let postgres = schema.as_ref().map(|schema| OnPostgres::start(schema, options.tokens));
    if let Some(postgres) = &postgres {
        cases.extend(postgres.cases());
    }
    // A search of two million users, by 64 at once, takes longer than a request may.
    cases.retain(|case| options.tokens <= 1_000_000 || !case.name.starts_with("users, "));
    cases.retain(|case| options.wants(case.name));
    cases.insert(0, Case::new("bare hello", &hello, Requests::get("/")));

    pages::sizes(sqlite.address(), &session);
    measure(&mut cases, &options);
    report::table(&cases);
    signing_in(&options, &sqlite);
    creation::measure(&options, &sqlite, folder.path());
    if let Some(postgres) = &postgres {
        creation::on_postgres(&options, &postgres.portal);
    }
    memory(folder.path(), &data);
    println!("program: {:.1} MB stripped", process::program_size() as f64 / 1e6);
}

/// A portal on PostgreSQL, and the raw lookup beside it.
struct OnPostgres {
    data: Data,
    portal: Server,
    raw: Server,
    session: String,
    _folder: tempfile::TempDir,
}

impl OnPostgres {
    fn start(schema: &data::Schema, tokens: usize) -> Self {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        let start = Instant::now();
        let data = Data::prepare(&Target::Postgres(schema.url()), tokens);
        schema.analyze();
        println!("prepared PostgreSQL in {:.1} s\n", start.elapsed().as_secs_f64());
        let portal = Server::tokenhouse(folder.path(), Some(&schema.url()));
        let raw = Server::bare("lookup", &schema.url());
        let session = load::sign_in(portal.address());
        Self { data, portal, raw, session, _folder: folder }
    }

    fn cases(&self) -> Vec<Case<'_>> {
        vec![
            Case::new("PostgreSQL: raw lookup, spawn_blocking", &self.raw, Requests::tokens("/", &self.data)),
            Case::new("PostgreSQL: forward-auth, 100,000 in use", &self.portal, check(&self.data, IN_USE)),
            Case::new("PostgreSQL: forward-auth, all tokens", &self.portal, check(&self.data, self.data.len())),
            Case::new("PostgreSQL: introspection", &self.portal, Requests::introspections(&self.data, IN_USE)),
            Case::new("PostgreSQL: token for a registry", &self.portal, registry_tokens(&self.data)),
            Case::new("PostgreSQL: GET /api/v1/me", &self.portal, Requests::tokens("/api/v1/me", &self.data)),
            Case::new(
                "PostgreSQL: token list, 5 tokens",
                &self.portal,
                Requests::page("/profile/api-tokens", &self.session),
            ),
        ]
    }
}

fn doors<'a>(portal: &'a Server, raw: &'a Server, data: &'a Data) -> Vec<Case<'a>> {
    vec![
        Case::new("sign-in page", portal, Requests::get("/login")),
        Case::new("static file (portal.css, gzip)", portal, Requests::get(&pages::stylesheet(portal.address()))),
        Case::new("GET /healthz", portal, Requests::get("/healthz")),
        Case::in_use("forward-auth, 100,000 in use", portal, check(data, IN_USE)),
        Case::new("forward-auth, all tokens", portal, check(data, data.len())),
        Case::new("forward-auth, one token", portal, Requests::bearer(&door(), data.first()).by_nginx()),
        Case::in_use("forward-auth as Caddy asks, 100,000 in use", portal, {
            Requests::tokens_in_use(&format!("/auth/forward/{BUSY}"), data, IN_USE).by_caddy()
        }),
        Case::new("forward-auth, malformed token", portal, Requests::refused(&door(), data::MALFORMED).by_nginx()),
        Case::in_use("introspection, 100,000 in use", portal, Requests::introspections(data, IN_USE)),
        Case::in_use("token for a registry, 100,000 in use", portal, registry_tokens(data)),
        Case::new("raw lookup, inline", raw, Requests::tokens("/", data)),
        Case::new("GET /api/v1/me, all tokens", portal, Requests::tokens("/api/v1/me", data)),
        Case::new("GET /api/v1/me, one token", portal, Requests::bearer("/api/v1/me", data.first())),
        Case::new("GET /api/v1/me, malformed token", portal, Requests::refused("/api/v1/me", data::MALFORMED)),
        Case::new("GET /api/v1/repositories/…, its token", portal, {
            Requests::bearer(&format!("/api/v1/repositories/{BUSY}"), &data.repository_token)
        }),
    ]
}

fn door() -> String {
    format!("/auth/nginx/{BUSY}")
}

/// A check with any of `in_use` tokens.
fn check(data: &Data, in_use: usize) -> Requests<'_> {
    Requests::tokens_in_use(&door(), data, in_use).by_nginx()
}

fn registry_tokens(data: &Data) -> Requests<'_> {
    let scope = format!("repository:{BUSY}/api:pull");
    Requests::tokens_in_use(&format!("/oci/token?service=registry&scope={scope}"), data, IN_USE)
}

fn measure(cases: &mut [Case<'_>], options: &Options) {
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for case in &mut *cases {
            case.run(options.connections, options.time());
        }
    }
}

/// From nothing to the first answer, five times each.
fn starting(prepared: &std::path::Path) {
    let empty = || {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        process::start_to_answer(folder.path())
    };
    let full = || process::start_to_answer(prepared);
    println!(
        "cold start to the first answer: {} ms on an empty folder",
        report::milliseconds(std::iter::repeat_with(empty))
    );
    println!(
        "                                {} ms on the prepared one\n",
        report::milliseconds(std::iter::repeat_with(full))
    );
}

/// Sign-ins beside bare hashes on as many threads, in turn.
fn signing_in(options: &Options, portal: &Server) {
    let (mut hashes, mut sign_ins, mut refused) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.rounds {
        hashes.push(Server::bare("argon2", "").per_second(options.time()));
        let asked = load::run(portal.address(), &Requests::sign_ins(), 4, options.time());
        // On a machine that is busy with other things some wait too long for their turn.
        refused += asked.unwanted;
        sign_ins.push(asked.wanted_per_second());
    }
    let (hashes, sign_ins) = (report::median(hashes), report::median(sign_ins));
    let ratio = sign_ins / hashes;
    println!("sign-ins: {sign_ins:.1}/s, {ratio:.2} x {hashes:.1} bare argon2id hashes/s; {refused} refused as busy\n");
}

fn memory(prepared: &std::path::Path, data: &Data) {
    const REQUESTS: usize = 1_000_000;
    // The portal that was measured has the folder until it ends; a fresh one begins with nothing.
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    process::copy_data(prepared, folder.path());
    let fresh = Server::tokenhouse(folder.path(), None);
    let idle = fresh.memory();
    let session = load::sign_in(fresh.address());
    let kinds = [
        check(data, IN_USE),
        Requests::get("/login"),
        Requests::page("/profile/api-tokens", &session),
        Requests::get(&pages::stylesheet(fresh.address())),
    ];
    let share = REQUESTS / kinds.len();
    let asked: Vec<Asked> = kinds.iter().map(|kind| load::count(fresh.address(), kind, 64, share)).collect();
    let unwanted: usize = asked.iter().map(|asked| asked.unwanted).sum();
    assert_eq!(unwanted, 0, "a request was refused");
    println!("memory: {:.1} MB idle, {:.1} MB after {REQUESTS} mixed requests", idle, fresh.memory());
}
