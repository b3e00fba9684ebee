//! Token creations beside grouped commits of the bare table: each is durable before it is answered, and many share a commit.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tokenhouse::storage::Db;
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::schema::api_tokens;
use tokio::sync::oneshot;

use crate::data::{self, TOKENS_EACH, TokenRow};
use crate::load::{self, Requests};
use crate::process::Server;
use crate::{Options, report};

/// People who make tokens, at most.
const PEOPLE: usize = 512;
/// Tokens that each of them may make still.
const EACH: usize = 100 - TOKENS_EACH;
/// More than a server makes in a second.
const A_SECOND: usize = 8_000;
/// Rows that share a commit at most, as in the portal.
const BATCH: usize = 64;

/// Forms of people who are signed in, each of another person than the one before.
pub struct Forms {
    sessions: Vec<String>,
    used: AtomicUsize,
}

impl Forms {
    fn prepare(address: &str, options: &Options) -> Self {
        let people = PEOPLE.min(options.tokens / TOKENS_EACH);
        let sessions = (0..people).map(|number| load::sign_in_as(address, &data::username(number))).collect();
        Self { sessions, used: AtomicUsize::new(0) }
    }

    /// How long a round may take, so that nobody meets a limit in the last.
    fn time(&self, options: &Options) -> Duration {
        let least = (self.sessions.len() * EACH) as f64 / (options.rounds * A_SECOND) as f64;
        options.time().min(Duration::from_secs_f64(least))
    }

    /// `None` once everybody has all the tokens that are allowed.
    pub fn next(&self, address: &str) -> Option<Vec<u8>> {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        if number >= self.sessions.len() * EACH {
            return None;
        }
        let session = &self.sessions[number % self.sessions.len()];
        let body = format!(
            "nonce={number:022}&name=Build+{number}&expiry=90&repositories_permission=read&account_permission=none&repository_selection=all"
        );
        let length = body.len();
        Some(format!(
            "POST /profile/api-tokens HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nCookie: {session}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        ).into_bytes())
    }
}

/// Both in turn, on one disk; prints what came of it.
pub fn measure(options: &Options, portal: &Server, folder: &Path) {
    if !options.wants("token creation") {
        return;
    }
    let forms = Forms::prepare(portal.address(), options);
    let bare = Server::bare("insert", &folder.join("bare.db").display().to_string());
    let (mut made, mut inserted) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let rows = load::run(bare.address(), &Requests::insertions(), options.connections, forms.time(options));
        inserted.push(rows.per_second());
        made.push(Made::round(options, portal, &forms));
    }
    let (made, inserted) = (Made::median(&made), report::median(inserted));
    println!(
        "token creation: {:.0}/s, {:.2} x {inserted:.0} rows/s of grouped commits; {:.0} us CPU each\n",
        made.per_second,
        made.per_second / inserted,
        made.cpu
    );
}

/// On PostgreSQL, each in a transaction of its own.
pub fn on_postgres(options: &Options, portal: &Server) {
    if !options.wants("token creation") {
        return;
    }
    let forms = Forms::prepare(portal.address(), options);
    let made: Vec<Made> = (0..options.rounds).map(|_| Made::round(options, portal, &forms)).collect();
    let made = Made::median(&made);
    println!(
        "token creation on PostgreSQL: {:.0}/s; {:.0} us CPU each, the server's not counted\n",
        made.per_second, made.cpu
    );
}

/// One round of creations.
#[derive(Clone, Copy)]
struct Made {
    per_second: f64,
    /// Microseconds of the portal's processor time for each.
    cpu: f64,
}

impl Made {
    fn round(options: &Options, portal: &Server, forms: &Forms) -> Self {
        portal.settle();
        let before = portal.cpu();
        let asked = load::run(portal.address(), &Requests::creations(forms), options.connections, forms.time(options));
        portal.settle();
        assert_eq!(asked.unwanted, 0, "a token was refused");
        assert!(forms.used.load(Ordering::Relaxed) < forms.sessions.len() * EACH, "the people have all their tokens");
        let cpu = (portal.cpu() - before) * 1e6 / asked.latencies.len().max(1) as f64;
        Self { per_second: asked.per_second(), cpu }
    }

    fn median(rounds: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| report::median(rounds.iter().map(value).collect());
        Self { per_second: of(|made| made.per_second), cpu: of(|made| made.cpu) }
    }
}

type Waiting = oneshot::Sender<()>;

/// The bare server: one thread inserts a row for each request and answers after the commit that they share.
pub fn insert_rows(path: &str) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    // The same tables, in a file of their own.
    drop(Db::open(&Target::Sqlite(path.into()), 1).expect("the database opens"));
    let (sender, waiting) = sync_channel(1_024);
    let path = path.to_owned();
    thread::spawn(move || write(&path, &waiting));
    move |config| {
        config.app_data(web::Data::new(sender.clone())).route("/", web::post().to(insert));
    }
}

async fn insert(writer: web::Data<SyncSender<Waiting>>) -> HttpResponse {
    let (sender, committed) = oneshot::channel();
    writer.try_send(sender).expect("there is room");
    committed.await.expect("the row is written");
    HttpResponse::SeeOther().finish()
}

fn write(path: &str, waiting: &Receiver<Waiting>) {
    let mut connection = SqliteConnection::establish(path).expect("the file opens");
    let pragmas =
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF";
    connection.batch_execute(pragmas).expect("the file can be written");
    let mut number = 0;
    while let Ok(first) = waiting.recv() {
        let together: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter().take(BATCH - 1)).collect();
        connection
            .immediate_transaction(|connection| {
                together.iter().try_for_each(|_| {
                    number += 1;
                    insert_row(connection, number)
                })
            })
            .expect("the rows are written");
        // Who gave up meanwhile does not listen.
        for one in together {
            let _ = one.send(());
        }
    }
}

fn insert_row(connection: &mut SqliteConnection, number: i64) -> QueryResult<()> {
    let row = TokenRow {
        id: number,
        user_id: number % 256,
        name: format!("Build {number}"),
        name_key: format!("build {number}"),
        hint: "thp_…abcd".into(),
        secret_number: 1,
        repositories_permission: "read",
        account_permission: "none",
        administration_permission: "none",
        repository_selection: "all",
        lifetime: 7_776_000,
        created_at: number,
        expires_at: number,
    };
    diesel::insert_into(api_tokens::table).values(row).execute(connection).map(drop)
}
