//! From an open database and a listening socket to a running portal, and to its orderly end.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::cookie::Key;
use actix_web::dev::Server;
use actix_web::{HttpServer, web};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::app::app;
use super::cookies::OwnCookies;
use super::middleware::request::Requests;
use super::portal::{Portal, Settings};
use super::urls;
use crate::auth::hasher::{Cost, Hasher};
use crate::auth::signing::{self, Signer, SigningError};
use crate::auth::throttle::Throttle;
use crate::clock::Clock;
use crate::config::{Config, PublicUrl};
use crate::domain::secret::{Digest, random_code};
use crate::domain::timestamp::Timestamp;
use crate::jobs::denials::Denials;
use crate::jobs::pruning::Pruner;
use crate::jobs::uses::{FLUSH_SECONDS, Uses};
use crate::randomness;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Db, users};

const PRUNE_EVERY: Duration = Duration::from_secs(60);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// Seconds that requests in flight get at the end.
const DRAIN: u64 = 10;
/// Connections of one worker. Each may fill some hundred kB, by sending without reading.
const MOST_CONNECTIONS: usize = 1_024;
const HASHING_THREADS: usize = 2;

/// All that must be open before the portal can run.
pub struct Opened {
    pub config: Config,
    pub db: Db,
    pub keys: SealingKeys,
    pub clock: Clock,
    pub listener: TcpListener,
}

/// A portal that is ready to be served.
pub struct Ready {
    pub portal: web::Data<Portal>,
    pub listener: TcpListener,
    pub workers: usize,
    /// The code of the set-up address, where there is no user yet.
    pub setup_code: Option<String>,
}

impl Ready {
    /// Puts the portal together. `cost` is what a password hash costs.
    pub async fn new(opened: Opened, cost: Cost) -> io::Result<Self> {
        let Opened { config, db, keys, clock, listener } = opened;
        let public_url = match config.public_url {
            Some(url) => url,
            None => PublicUrl::of_listener(listener.local_addr()?).map_err(io::Error::other)?,
        };
        let keys = Arc::new(keys);
        make_signing_keys(&db, &keys, clock.now()).await.map_err(io::Error::other)?;
        let has_users = db.look_up(users::any).await.map_err(io::Error::other)?;
        let setup_code = (!has_users).then(|| random_code(&mut randomness::system()));
        let portal = Portal {
            db,
            clock,
            hasher: Hasher::start(cost, HASHING_THREADS, &mut randomness::system())?,
            throttle: Throttle::default(),
            cookie_key: Key::from(&keys.derive("cookies")[..]),
            cookies: OwnCookies::of(&public_url),
            keys,
            signer: Signer::default(),
            uses: Uses::default(),
            denials: Denials::default(),
            settings: Settings {
                instance_name: config.instance_name,
                public_url,
                trusted_proxies: config.trusted_proxies,
                max_api_tokens: config.max_api_tokens,
                oci_service: config.oci_service,
                oci_token_seconds: config.oci_token_seconds,
                lifetimes: config.lifetimes,
            },
            setup_code: setup_code.as_deref().map(Digest::of),
            stopping: AtomicBool::new(false),
        };
        Ok(Self { portal: web::Data::new(portal), listener, workers: config.workers, setup_code })
    }

    /// The lines that tell an operator where to go.
    pub fn announcement(&self) -> Vec<String> {
        let public_url = &self.portal.settings.public_url;
        let mut lines = vec![format!("Tokenhouse is listening on {}", public_url.as_str())];
        if let Some(code) = &self.setup_code {
            let address = public_url.join(&format!("{}?code={code}", urls::SETUP));
            lines.push(format!("Create the first administrator at {address}"));
        }
        lines
    }

    /// Starts to answer requests.
    pub fn serve(self) -> io::Result<Server> {
        let Self { portal, listener, workers, .. } = self;
        Ok(HttpServer::new(move || app(portal.clone()))
            .workers(workers)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_PATIENCE)
            .max_connections(MOST_CONNECTIONS)
            .shutdown_timeout(DRAIN)
            .on_connect(|_, data| {
                data.insert(Requests::default());
            })
            .disable_signals()
            .listen(listener)?
            .run())
    }
}

/// At the first start, and after the key that sealed the former ones was lost.
async fn make_signing_keys(db: &Db, keys: &Arc<SealingKeys>, now: Timestamp) -> Result<(), SigningError> {
    if db.read(signing::complete).await? {
        return Ok(());
    }
    let keys = keys.clone();
    if db.write(move |connection| signing::ensure(connection, &keys, now)).await? {
        tracing::info!(
            "registry tokens are signed with a new key; where container registries take them, run tokenhouse oci registry-config --bundle FILE and restart the registries"
        );
    }
    Ok(())
}

/// Runs until SIGTERM or SIGINT. `beside` runs on the server's runtime and is dropped at its end.
/// `announce` gets the lines for standard output.
pub fn run<F>(opened: Opened, beside: F, announce: impl FnOnce(&[String])) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    actix_web::rt::System::new().block_on(async move {
        // Before anything answers, so that no signal finds the program unprepared.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let ready = Ready::new(opened, Cost::OWASP).await?;
        let portal = ready.portal.clone();
        let lines = ready.announcement();
        let server = ready.serve()?;
        let handle = server.handle();
        actix_web::rt::spawn(beside);
        actix_web::rt::spawn(work_in_background(portal.clone()));
        let stopping = portal.clone();
        actix_web::rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: requests in flight are finished first");
            stopping.stopping.store(true, Ordering::SeqCst);
            handle.stop(true).await;
        });
        announce(&lines);
        server.await?;
        finish(&portal).await;
        Ok(())
    })
}

async fn work_in_background(portal: web::Data<Portal>) {
    // Beside the other work, which must not wait for it.
    let counting = portal.clone();
    actix_web::rt::spawn(async move {
        let mut flush = tokio::time::interval(Duration::from_secs(FLUSH_SECONDS));
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            flush.tick().await;
            if let Err(error) = counting.uses.flush(&counting.db).await {
                tracing::warn!(%error, "uses of tokens could not be written; they are kept for the next time");
            }
            if let Err(error) = counting.denials.flush(&counting.db).await {
                tracing::warn!(%error, "events of denials could not be written; they are kept for the next time");
            }
        }
    });
    let mut prune = tokio::time::interval(PRUNE_EVERY);
    let mut pruner = Pruner::new();
    loop {
        prune.tick().await;
        if let Err(error) = pruner.run(&portal.db, portal.now(), portal.settings.lifetimes).await {
            tracing::warn!(%error, "what has ended could not be removed; it is tried again in a minute");
        }
    }
}

async fn finish(portal: &Portal) {
    portal.uses.hurry();
    if let Err(error) = portal.uses.flush(&portal.db).await {
        tracing::error!(%error, "the last uses of tokens could not be written");
    }
    if let Err(error) = portal.denials.flush(&portal.db).await {
        tracing::error!(%error, "the last events of denials could not be written");
    }
    if let Err(error) = portal.db.checkpoint().await {
        tracing::warn!(%error, "the write-ahead log could not be moved into the database file; the next start does it");
    }
    tracing::info!("stopped");
}
