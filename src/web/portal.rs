//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::cookie::Key;
use ipnet::IpNet;

use super::connections::Connections;
use crate::auth::budgets::ChangeBudgets;
use crate::auth::hasher::Hasher;
use crate::auth::signing::Signer;
use crate::auth::throttle::Throttle;
use crate::clock::Clock;
use crate::config::PublicUrl;
use crate::domain::secret::Digest;
use crate::domain::session::Lifetimes;
use crate::domain::timestamp::Timestamp;
use crate::jobs::denials::Denials;
use crate::jobs::uses::Uses;
use crate::storage::Db;
use crate::storage::sealing::SealingKeys;
use crate::web::api::idempotency::RunningRequests;
use crate::web::cookies::OwnCookies;

/// The running portal.
pub struct Portal {
    pub db: Db,
    pub clock: Clock,
    pub hasher: Hasher,
    pub throttle: Throttle,
    pub budgets: ChangeBudgets,
    pub running: RunningRequests,
    pub keys: Arc<SealingKeys>,
    /// Signs registry tokens.
    pub signer: Signer,
    /// Signs the cookies.
    pub cookie_key: Key,
    pub cookies: OwnCookies,
    pub uses: Uses,
    pub denials: Denials,
    pub connections: Arc<Connections>,
    pub settings: Settings,
    /// Digest of the code that opens the set-up; `None` where there was a user at the start.
    pub setup_code: Option<Digest>,
    /// Set when the program is asked to stop.
    pub stopping: AtomicBool,
}

/// The part of the configuration that pages and doors ask for.
#[derive(Debug, Clone)]
pub struct Settings {
    pub instance_name: String,
    pub public_url: PublicUrl,
    pub trusted_proxies: Vec<IpNet>,
    pub max_api_tokens: usize,
    /// The service that registry tokens are for.
    pub oci_service: String,
    /// Longest life of a registry token.
    pub oci_token_seconds: i64,
    pub lifetimes: Lifetimes,
}

impl Portal {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
