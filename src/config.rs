//! Flags and environment variables, one and the same list. All problems are found before any is reported.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use ipnet::IpNet;
use url::Url;

use crate::domain::session::Lifetimes;
use crate::domain::timestamp::{HOUR, MINUTE};
use crate::storage::connection::{Target, parameter};

/// As typed. Texts, so that every problem can be told at once and by name.
#[derive(Args, Clone)]
pub struct Flags {
    /// Address and port to listen on
    #[arg(long, env = "TOKENHOUSE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: String,
    /// Address under which people and programs reach the portal; fixes every absolute address, the accepted Host and Origin [default: the listening address over http]
    #[arg(long, env = "TOKENHOUSE_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Folder for the SQLite database and the generated key; made with mode 0700
    #[arg(long, env = "TOKENHOUSE_DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: String,
    /// postgres://… for many nodes [default: embedded SQLite in the data directory]
    #[arg(long, env = "TOKENHOUSE_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// File that holds the database URL
    #[arg(long, env = "TOKENHOUSE_DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<String>,
    /// File that holds the sealing key; the same on all nodes [default: secret.key in the data directory, made if missing]
    #[arg(long, env = "TOKENHOUSE_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<String>,
    /// Networks of proxies whose X-Forwarded-* headers count, divided by commas
    #[arg(long, env = "TOKENHOUSE_TRUSTED_PROXIES", default_value = "127.0.0.0/8,::1/128", global = true)]
    pub trusted_proxies: String,
    /// Name of this installation, shown in the header of each page
    #[arg(long, env = "TOKENHOUSE_INSTANCE_NAME", default_value = "Tokenhouse", global = true)]
    pub instance_name: String,
    /// Most API tokens of one user
    #[arg(long, env = "TOKENHOUSE_MAX_API_TOKENS", default_value = "5", global = true)]
    pub max_api_tokens: String,
    /// Minutes for which a password entry allows sensitive actions
    #[arg(long, env = "TOKENHOUSE_REAUTHENTICATION_MINUTES", default_value = "30", global = true)]
    pub reauthentication_minutes: String,
    /// Minutes without a request after which a session ends
    #[arg(long, env = "TOKENHOUSE_SESSION_IDLE_MINUTES", default_value = "30", global = true)]
    pub session_idle_minutes: String,
    /// Hours after sign-in at which a session ends in any case
    #[arg(long, env = "TOKENHOUSE_SESSION_HOURS", default_value = "12", global = true)]
    pub session_hours: String,
    /// Threads that answer requests [default: the number of cores, at most 4]
    #[arg(long, env = "TOKENHOUSE_WORKERS", global = true)]
    pub workers: Option<String>,
    /// What is logged to standard error: error, warn, info, debug or trace
    #[arg(long, env = "TOKENHOUSE_LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: String,
    /// text or json
    #[arg(long, env = "TOKENHOUSE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: String,
}

/// As the program uses it.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// `None` until the listening port is known.
    pub public_url: Option<PublicUrl>,
    pub data_dir: PathBuf,
    pub database: Target,
    pub secret_key_file: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
    pub instance_name: String,
    pub max_api_tokens: usize,
    pub lifetimes: Lifetimes,
    pub workers: usize,
    pub log_level: tracing::Level,
    pub log_json: bool,
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
        let instance_name = flags.instance_name.trim().to_owned();
        if instance_name.is_empty() || instance_name.chars().count() > 40 || instance_name.chars().any(char::is_control)
        {
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
        let log_level = flags.log_level.parse().unwrap_or_else(|_| {
            check.note("log-level", &format!("“{}” is none of error, warn, info, debug, trace", flags.log_level));
            tracing::Level::INFO
        });
        if !["text", "json"].contains(&flags.log_format.as_str()) {
            check.note("log-format", &format!("“{}” is neither text nor json", flags.log_format));
        }
        if !check.0.is_empty() {
            return Err(Problems(check.0));
        }
        Ok(Self {
            listen,
            public_url,
            database,
            secret_key_file: flags.secret_key_file.as_ref().map(PathBuf::from),
            data_dir,
            trusted_proxies,
            instance_name,
            max_api_tokens,
            lifetimes,
            workers,
            log_level,
            log_json: flags.log_format == "json",
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

fn asks_for_tls(url: &str) -> bool {
    parameter(url, "sslmode").is_some_and(|mode| ["require", "verify-ca", "verify-full"].contains(&mode))
}

fn networks(text: &str) -> Result<Vec<IpNet>, &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).map_err(|_| part))
        .collect()
}

/// The origin under which the portal is reached: scheme, host and port, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://tokens.example.org`, without a slash at the end.
    origin: String,
    /// Values of the Host header that name this portal.
    hosts: Vec<String>,
    /// Values of the Origin header that come from this portal.
    origins: Vec<String>,
}

impl PublicUrl {
    /// Reads an `https://` address, or an `http://` one on loopback, where no network can listen in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let url =
            Url::parse(text).map_err(|_| format!("“{text}” is not an address such as https://tokens.example.org"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let loopback = is_loopback(&host);
        if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
            return Err(format!("“{text}” must begin with https:// (http:// is accepted on loopback only)"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(format!("“{text}” must end after the host and port"));
        }
        let with_port = |host: &str| url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut hosts = vec![with_port(&host)];
        if loopback && host != "localhost" {
            hosts.push(with_port("localhost"));
        }
        let origins: Vec<String> = hosts.iter().map(|host| format!("{}://{host}", url.scheme())).collect();
        Ok(Self { origin: origins[0].clone(), hosts, origins })
    }

    /// The default: the listening address over http.
    pub fn of_listener(address: SocketAddr) -> Self {
        let origin = format!("http://{address}");
        let mut hosts = vec![address.to_string()];
        if address.ip().is_loopback() {
            hosts.push(format!("localhost:{}", address.port()));
        }
        let origins = hosts.iter().map(|host| format!("http://{host}")).collect();
        Self { origin, hosts, origins }
    }

    pub fn as_str(&self) -> &str {
        &self.origin
    }

    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    pub fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    pub fn is_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// An absolute address for a path that begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn config(arguments: &[&str]) -> Result<Config, Problems> {
        let line = Line::try_parse_from(std::iter::once(&"tokenhouse").chain(arguments)).ok().unwrap();
        Config::from_flags(&line.flags)
    }

    #[test]
    fn every_problem_is_reported_at_once_and_names_its_variable() {
        let problems = config(&[
            "--listen=nowhere",
            "--public-url=http://tokens.example.org",
            "--trusted-proxies=10.0.0.0/8,x",
            "--max-api-tokens=0",
            "--session-hours=many",
            "--log-level=loud",
            "--log-format=xml",
            "--database-url=mysql://x",
            "--instance-name= ",
        ])
        .unwrap_err()
        .to_string();
        for variable in [
            "LISTEN",
            "PUBLIC_URL",
            "TRUSTED_PROXIES",
            "MAX_API_TOKENS",
            "SESSION_HOURS",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "DATABASE_URL",
            "INSTANCE_NAME",
        ] {
            assert!(problems.contains(&format!("TOKENHOUSE_{variable})")), "{variable} in {problems}");
        }
    }

    #[test]
    fn tls_to_postgresql_without_the_feature_is_refused_with_the_feature_to_build() {
        if cfg!(feature = "postgres-tls") {
            return;
        }
        let problems = config(&["--database-url=postgres://h/d?sslmode=require"]).unwrap_err().to_string();
        assert!(problems.contains("--features postgres-tls"), "{problems}");
        assert!(config(&["--database-url=postgres://h/d?sslmode=prefer"]).is_ok());
    }

    #[test]
    fn a_secret_is_not_in_the_debug_output() {
        let config = config(&["--database-url=postgres://u:hunter2@h/d"]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_database_url_can_come_from_a_file_but_not_from_two_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://h/d\n").unwrap();
        let path = format!("--database-url-file={}", file.path().display());
        assert!(matches!(config(&[&path]).unwrap().database, Target::Postgres(url) if url.starts_with("postgres://h/d?")));
        assert!(config(&[&path, "--database-url=postgres://h/d"]).is_err());
    }

    #[test]
    fn the_public_url_fixes_host_and_origin() {
        let url = PublicUrl::parse("https://Tokens.example.org:8443/").unwrap();
        assert_eq!(url.as_str(), "https://tokens.example.org:8443");
        assert!(
            url.is_host("tokens.example.org:8443")
                && !url.is_host("tokens.example.org")
                && !url.is_host("localhost:8443")
        );
        assert!(url.is_origin("https://tokens.example.org:8443") && !url.is_origin("http://tokens.example.org:8443"));
        assert!(PublicUrl::parse("https://x.org/path").is_err() && PublicUrl::parse("ftp://x.org").is_err());
        assert!(PublicUrl::parse("https://tokens.example.org:443").unwrap().is_host("tokens.example.org"));
    }

    #[test]
    fn on_loopback_localhost_counts_too() {
        let url = PublicUrl::of_listener("127.0.0.1:8080".parse().unwrap());
        assert!(url.is_host("127.0.0.1:8080") && url.is_host("localhost:8080") && !url.is_host("evil.example"));
        assert!(PublicUrl::parse("http://127.0.0.1:80").unwrap().is_origin("http://localhost"));
    }
}
