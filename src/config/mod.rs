//! Flags and environment variables, one and the same list. All problems are found before any is reported.

mod flags;
mod public_url;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use crate::auth::budgets::BudgetLimits;
use crate::domain::session::Lifetimes;
use crate::domain::text::nfc_within;
use crate::domain::timestamp::{HOUR, MINUTE};
use crate::storage::connection::{Target, parameter};
use crate::storage::sealing::SealingKeys;

pub use flags::Flags;
pub use public_url::PublicUrl;

/// As the program uses it.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// `None` until the listening port is known.
    pub public_url: Option<PublicUrl>,
    pub data_dir: PathBuf,
    pub database: Target,
    pub secret_key_file: Option<PathBuf>,
    /// Whether all data are made up and thrown away at the end.
    pub demo: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub instance_name: String,
    pub max_api_tokens: usize,
    /// The service that registry tokens are for.
    pub oci_service: String,
    pub oci_token_seconds: i64,
    pub lifetimes: Lifetimes,
    pub workers: usize,
    /// How long new connections are accepted after the signal to stop.
    pub drain: Duration,
    pub log_level: tracing::Level,
    pub log_json: bool,
    /// The file that the database URL was read from.
    pub database_url_file: Option<PathBuf>,
    /// Changes that a user or a token can make in an hour.
    pub budgets: BudgetLimits,
}

/// All that is wrong with the configuration, a line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has problems:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<String>);

struct Check(Vec<String>);

impl Check {
    fn note(&mut self, flag: &str, sentence: &str) {
        let variable = flag.to_uppercase().replace('-', "_");
        self.0.push(format!("--{flag} (TOKENHOUSE_{variable}): {sentence}"));
    }

    /// The number typed, if it lies within the bounds.
    fn number(&mut self, flag: &str, typed: &str, least: u32, most: u32) -> u32 {
        match typed.trim().parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.note(flag, &format!("“{typed}” is not a whole number from {least} to {most}"));
                least
            }
        }
    }
}

impl Config {
    /// Reads the flags. Touches no file but the one that holds the database URL.
    pub fn from_flags(flags: &Flags) -> Result<Self, Problems> {
        let mut check = Check(Vec::new());
        let listen = flags.listen.trim().parse::<SocketAddr>().unwrap_or_else(|_| {
            check.note("listen", &format!("“{}” is not an address and port such as 127.0.0.1:8080", flags.listen));
            SocketAddr::from(([127, 0, 0, 1], 0))
        });
        let public_url = match flags.public_url.as_deref().map(PublicUrl::parse).transpose() {
            Ok(url) => url,
            Err(sentence) => {
                check.note("public-url", &sentence);
                None
            }
        };
        if flags.public_url.is_none() && !listen.ip().is_loopback() {
            check.note("public-url", "it must be set when --listen is not a loopback address");
        }
        let data_dir = PathBuf::from(&flags.data_dir);
        let database = database(flags, &data_dir, &mut check);
        let trusted_proxies = networks(&flags.trusted_proxies).unwrap_or_else(|bad| {
            check.note("trusted-proxies", &format!("“{bad}” is not a network such as 10.0.0.0/8 or an address"));
            Vec::new()
        });
        let instance_name = nfc_within(flags.instance_name.trim(), 40).unwrap_or_default();
        if instance_name.is_empty() || instance_name.chars().any(char::is_control) {
            check.note("instance-name", "it must have 1 to 40 printable characters");
        }
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let workers = match &flags.workers {
            Some(typed) => check.number("workers", typed, 1, 64) as usize,
            None => cores.min(4),
        };
        let minutes = |count: u32| i64::from(count) * MINUTE;
        let lifetimes = Lifetimes {
            idle: minutes(check.number("session-idle-minutes", &flags.session_idle_minutes, 1, 24 * 60)),
            absolute: i64::from(check.number("session-hours", &flags.session_hours, 1, 24 * 30)) * HOUR,
            reauthentication: minutes(check.number(
                "reauthentication-minutes",
                &flags.reauthentication_minutes,
                1,
                24 * 60,
            )),
        };
        let max_api_tokens = check.number("max-api-tokens", &flags.max_api_tokens, 1, 100) as usize;
        let oci_service = flags.oci_service.trim().to_owned();
        if !is_service(&oci_service) {
            check.note("oci-service", "it must have 1 to 100 letters, digits and characters of . _ - : /");
        }
        let oci_token_seconds = i64::from(check.number("oci-token-seconds", &flags.oci_token_seconds, 60, 3_600));
        let log_level = flags.log_level.parse().unwrap_or_else(|_| {
            check.note("log-level", &format!("“{}” is none of error, warn, info, debug, trace", flags.log_level));
            tracing::Level::INFO
        });
        let drain = Duration::from_secs(check.number("drain-seconds", &flags.drain_seconds, 0, 60).into());
        if !["text", "json"].contains(&flags.log_format.as_str()) {
            check.note("log-format", &format!("“{}” is neither text nor json", flags.log_format));
        }
        if flags.demo && (!database.is_sqlite() || flags.secret_key_file.is_some()) {
            check.note(
                "demo",
                "it makes a database and a key of its own; leave --database-url and --secret-key-file out",
            );
        }
        if flags.secret_key_file.as_deref().is_some_and(SealingKeys::looks_like_key) {
            check.note("secret-key-file", "it is a key; name a file that has the key in it");
        }
        let mut budget = |flag: &str, typed: &str| check.number(flag, typed, 1, 1_000_000);
        let budgets = BudgetLimits {
            token_creations: budget("token-creations-per-hour", &flags.token_creations_per_hour),
            rotations: budget("rotations-per-hour", &flags.rotations_per_hour),
            writes: budget("writes-per-hour", &flags.writes_per_hour),
        };
        if !check.0.is_empty() {
            return Err(Problems(check.0));
        }
        Ok(Self {
            listen,
            public_url,
            database,
            secret_key_file: flags.secret_key_file.as_ref().map(PathBuf::from),
            data_dir,
            demo: flags.demo,
            trusted_proxies,
            instance_name,
            max_api_tokens,
            oci_service,
            oci_token_seconds,
            lifetimes,
            workers,
            drain,
            log_level,
            log_json: flags.log_format == "json",
            database_url_file: flags.database_url_file.as_ref().map(PathBuf::from),
            budgets,
        })
    }
}

fn database(flags: &Flags, data_dir: &Path, check: &mut Check) -> Target {
    let embedded = Target::Sqlite(data_dir.join("tokenhouse.db"));
    let url = match (&flags.database_url, &flags.database_url_file) {
        (Some(_), Some(_)) => {
            check.note("database-url", "it is set, and --database-url-file too; set only one of them");
            return embedded;
        }
        (Some(url), None) => url.clone(),
        // The path is not repeated where it is the secret itself.
        (None, Some(path)) if path.contains("://") => {
            check.note("database-url-file", "it is a URL; name a file that has the URL in it, or use --database-url");
            return embedded;
        }
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                check.note("database-url-file", &format!("cannot read {path}: {error}"));
                return embedded;
            }
        },
        (None, None) => return embedded,
    };
    let url = url.trim();
    // libpq without TLS would say so only after the first connection, and in its own words.
    if !cfg!(feature = "postgres-tls") && asks_for_tls(url) {
        check.note(
            "database-url",
            "sslmode asks for TLS, but this program was built without it; build it with: cargo build --release --features postgres-tls",
        );
    }
    Target::from_url(url).unwrap_or_else(|sentence| {
        check.note("database-url", &sentence);
        embedded
    })
}

/// What stands in a configuration file and in an address without being quoted.
fn is_service(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b))
}

fn asks_for_tls(url: &str) -> bool {
    parameter(url, "sslmode").is_some_and(|mode| ["require", "verify-ca", "verify-full"].contains(&mode))
}

fn networks(text: &str) -> Result<Vec<IpNet>, &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).map(canonical).map_err(|_| part))
        .collect()
}

/// An IPv4 network written as IPv6 (`::ffff:10.0.0.0/104`) as IPv4, as addresses of peers are.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(v6) => v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests;
