//! From an open database and a listening socket to a running portal, and to its orderly end.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_server::Server;
use actix_web::cookie::Key;
use actix_web::web;
use tokio::time::MissedTickBehavior;

use super::api::idempotency::RunningRequests;
use super::connections::Connections;
use super::cookies::OwnCookies;
use super::portal::{Portal, Settings};
use super::stopping::{Draining, StopSignals, checkpoint};
use super::{listener, urls};
use crate::auth::budgets::ChangeBudgets;
use crate::auth::hasher::{Cost, Hasher};
use crate::auth::signing::{self, Signer, SigningError};
use crate::auth::throttle::Throttle;
use crate::clock::Clock;
use crate::config::{Config, PublicUrl};
use crate::domain::secret::{Digest, random_code};
use crate::domain::timestamp::Timestamp;
use crate::jobs::denials::Denials;
use crate::jobs::pruning::{Pruner, newest_stored};
use crate::jobs::uses::{FLUSH_SECONDS, Uses};
use crate::randomness;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Db, users};

const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// How long the end of the program waits for the database before it keeps the last counts in a file.
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
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
    pub drain: Duration,
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
            budgets: ChangeBudgets::new(config.budgets),
            running: RunningRequests::default(),
            cookie_key: Key::from(&keys.derive("cookies")[..]),
            cookies: OwnCookies::of(&public_url),
            keys,
            signer: Signer::default(),
            uses: Uses::new(config.data_dir),
            denials: Denials::default(),
            connections: Arc::new(Connections::new(config.trusted_proxies.clone())),
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
        Ok(Self { portal: web::Data::new(portal), listener, workers: config.workers, drain: config.drain, setup_code })
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
        listener::serve(self.portal, self.listener, self.workers)
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
    let system = actix_web::rt::System::new();
    let ended = system.block_on(async move {
        // Before anything answers, so that no signal finds the program unprepared.
        let mut signals = StopSignals::new()?;
        let ready = Ready::new(opened, Cost::OWASP).await?;
        let portal = ready.portal.clone();
        let draining = Draining {
            portal: portal.clone(),
            listener: ready.listener.try_clone()?,
            workers: ready.workers,
            drain: ready.drain,
        };
        let lines = ready.announcement();
        let server = ready.serve()?;
        let handle = server.handle();
        actix_web::rt::spawn(beside);
        let background = [
            actix_web::rt::spawn(flush_regularly(portal.clone())),
            actix_web::rt::spawn(prune_regularly(portal.clone())),
        ];
        let stopped = actix_web::rt::spawn(async move {
            signals.next().await;
            let hurried = tokio::select! {
                () = draining.run(&handle) => false,
                () = signals.next() => true,
            };
            handle.stop(false).await;
            (signals, hurried)
        });
        announce(&lines);
        server.await?;
        let (mut signals, hurried) = stopped.await.map_err(io::Error::other)?;
        for task in background {
            task.abort();
            // What it was about to write is kept for the last flush.
            let _ = task.await;
        }
        if !hurried {
            tokio::select! {
                () = last_flush(&portal) => {}
                () = signals.next() => {}
            }
        }
        if let Err(error) = portal.uses.spill() {
            tracing::error!(%error, "the last uses of tokens could not be written");
        }
        if !hurried {
            checkpoint(portal.db.clone()).await;
        }
        tracing::info!("stopped");
        Ok(())
    });
    // Dropping it would wait for threads that wait for a database that does not answer.
    std::mem::forget(system);
    ended
}

async fn flush_regularly(portal: web::Data<Portal>) {
    let mut flush = tokio::time::interval(Duration::from_secs(FLUSH_SECONDS));
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        flush.tick().await;
        let written = async {
            portal.uses.write_spilled(&portal.db).await?;
            portal.uses.flush(&portal.db).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "uses of tokens could not be written; they are kept for the next time");
        }
        if let Err(error) = portal.denials.flush(&portal.db).await {
            tracing::warn!(%error, "events of denials could not be written; they are kept for the next time");
        }
    }
}

async fn prune_regularly(portal: web::Data<Portal>) {
    let mut prune = tokio::time::interval(PRUNE_EVERY);
    let newest = portal.db.read(newest_stored).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the newest stored time could not be read");
        None
    });
    let mut pruner = Pruner::new(newest);
    loop {
        prune.tick().await;
        if let Err(error) = pruner.run(&portal.db, portal.now(), portal.settings.lifetimes).await {
            tracing::warn!(%error, "what has ended could not be removed; it is tried again in a minute");
        }
    }
}

/// Writes what was counted to the database, as far as there is time.
async fn last_flush(portal: &Portal) {
    let flushed = tokio::time::timeout(LAST_FLUSH_TIMEOUT, async {
        if let Err(error) = portal.denials.flush(&portal.db).await {
            tracing::error!(%error, "the last events of denials could not be written");
        }
        portal.uses.flush_large(&portal.db).await
    });
    match flushed.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => tracing::warn!(%error, "uses of tokens could not be written to the database"),
        Err(_) => {}
    }
    tracing::info!("the last uses of tokens are kept in a file of the data directory; the next start writes them");
}
