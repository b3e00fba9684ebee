//! What Tokenhouse is compared with, each in a process of its own: a bare actix handler, the same with nothing but a
//! diesel lookup in it, one that inserts rows, and bare argon2 hashes.

use std::cell::RefCell;
use std::io::Read as _;
use std::thread;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use clap::ValueEnum;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use tokenhouse::auth::hasher::Cost;
use tokenhouse::domain::secret::Digest;
use tokenhouse::storage::schema::{api_token_secrets, api_tokens, users};

use crate::{WORKERS, creation};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Bare {
    Hello,
    Lookup,
    Insert,
    Argon2,
}

/// Runs until standard input ends, which it does when the benchmark ends in whatever way.
pub fn run(bare: Bare, target: &str) {
    match bare {
        Bare::Hello => serve(|config| {
            config.route("/", web::get().to(async || "Hello, world!"));
        }),
        Bare::Lookup if target.starts_with("postgres") => {
            let pool = Pool::builder()
                .max_size(16)
                .build(ConnectionManager::<PgConnection>::new(target))
                .expect("PostgreSQL answers");
            serve(move |config| {
                config.app_data(web::Data::new(pool.clone())).route("/", web::get().to(look_up_in_postgres));
            });
        }
        Bare::Lookup => {
            let path = target.to_owned();
            serve(move |config| {
                config.app_data(web::Data::new(path.clone())).route("/", web::get().to(look_up_in_sqlite));
            });
        }
        Bare::Insert => serve(creation::insert_rows(target)),
        Bare::Argon2 => hash(),
    }
}

fn serve(routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) {
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().configure(routes.clone())).workers(WORKERS).disable_signals();
        let server = server.bind("127.0.0.1:0").expect("loopback has a free port");
        println!("listening on http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        thread::spawn(move || {
            wait_for_the_end();
            actix_web::rt::System::new().block_on(handle.stop(false));
        });
        server.await.expect("the server runs");
    });
}

fn wait_for_the_end() {
    let _ = std::io::stdin().read(&mut [0]);
}

type Row = (String, Option<i64>, Option<i64>, String);

/// As little as a lookup can be: three tables, no roles, nothing judged.
macro_rules! look_up {
    ($connection:expr, $digest:expr) => {
        api_token_secrets::table
            .inner_join(api_tokens::table.inner_join(users::table))
            .filter(api_token_secrets::digest.eq($digest.as_bytes().as_slice()))
            .select((api_tokens::name, api_tokens::expires_at, api_tokens::revoked_at, users::username))
            .get_result::<Row>($connection)
            .optional()
            .expect("the database answers")
    };
}

async fn look_up_in_sqlite(request: HttpRequest, path: web::Data<String>) -> HttpResponse {
    thread_local!(static CONNECTION: RefCell<Option<SqliteConnection>> = const { RefCell::new(None) });
    let Some(digest) = digest(&request) else { return HttpResponse::Unauthorized().finish() };
    CONNECTION.with_borrow_mut(|slot| {
        let connection = slot.get_or_insert_with(|| SqliteConnection::establish(&path).expect("the file opens"));
        answer(look_up!(connection, digest))
    })
}

async fn look_up_in_postgres(
    request: HttpRequest,
    pool: web::Data<Pool<ConnectionManager<PgConnection>>>,
) -> HttpResponse {
    let Some(digest) = digest(&request) else { return HttpResponse::Unauthorized().finish() };
    let look = move || look_up!(&mut pool.get().expect("there is a connection"), digest);
    answer(tokio::task::spawn_blocking(look).await.expect("no lookup panics"))
}

fn digest(request: &HttpRequest) -> Option<Digest> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Bearer ").map(Digest::of)
}

fn answer(row: Option<Row>) -> HttpResponse {
    match row {
        Some((name, ..)) => HttpResponse::Ok().body(name),
        None => HttpResponse::Unauthorized().finish(),
    }
}

/// Hashes on each of the threads that the portal hashes on; says how many after each second line it reads.
fn hash() {
    let Cost { memory, passes } = Cost::OWASP;
    let params = Params::new(memory, passes, 1, Some(32)).expect("these are good parameters");
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for _ in 0..WORKERS {
        let (params, count) = (params.clone(), count.clone());
        thread::spawn(move || {
            let mut blocks = vec![Block::new(); params.block_count()];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            loop {
                let mut tag = [0; 32];
                argon2
                    .hash_password_into_with_memory(b"lantern orbit sixteen", &[7; 16], &mut tag, &mut blocks)
                    .expect("it hashes");
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
    }
    println!("listening on nothing");
    for line in std::io::stdin().lines() {
        if line.is_err() {
            return;
        }
        println!("hashed {}", count.load(std::sync::atomic::Ordering::Relaxed));
    }
}
