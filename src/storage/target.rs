//! Where the database is: a file, or a PostgreSQL server.

use std::fmt;
use std::path::PathBuf;

use super::postgres_url;

/// Parameters of libpq that the URL gets unless it sets them itself. A host that has vanished is noticed within 11
/// seconds, and a standby is never connected to: it would accept tokens that were revoked.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("target_session_attrs", "read-write"),
];

/// Where the data is. `Debug` does not show the PostgreSQL address, because it may hold a password.
#[derive(Clone)]
pub enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A libpq connection URI.
    Postgres(String),
}

impl Target {
    /// Reads `postgres://…` or `postgresql://…`; other schemes are refused.
    pub fn from_url(url: &str) -> std::result::Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres_url::check(url)?;
            // A server that is gone must be noticed within seconds, not when the network stack gives up.
            let url = DEFAULTS.iter().fold(url.to_owned(), |url, (key, value)| with_default(&url, key, value));
            Ok(Self::Postgres(with_root_certificates(url)))
        } else {
            Err("it must begin with postgres://; leave it unset for the embedded SQLite".to_owned())
        }
    }

    pub const fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// Adds a parameter that the URL does not set itself.
fn with_default(url: &str, key: &str, value: &str) -> String {
    if parameter(url, key).is_some() {
        return url.to_owned();
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{key}={value}")
}

/// The value of a parameter in a connection URI.
pub fn parameter<'a>(url: &'a str, key: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == key).map(|(_, value)| value))
}

/// OpenSSL built from source looks for certificate authorities where this system has none; names the system's own,
/// where a certificate is to be verified and nothing else is said.
#[cfg(feature = "postgres-tls")]
fn with_root_certificates(url: String) -> String {
    let verifies = parameter(&url, "sslmode").is_some_and(|mode| mode.starts_with("verify-"));
    let told = parameter(&url, "sslrootcert").is_some() || std::env::var_os("PGSSLROOTCERT").is_some();
    match openssl_probe::probe().cert_file {
        Some(file) if verifies && !told => with_default(&url, "sslrootcert", &file.to_string_lossy()),
        _ => url,
    }
}

#[cfg(not(feature = "postgres-tls"))]
const fn with_root_certificates(url: String) -> String {
    url
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_url_without_a_parameter_gets_its_default() {
        let Ok(Target::Postgres(url)) = Target::from_url("postgres://h/d?connect_timeout=9") else { panic!() };
        let defaults = "tcp_user_timeout=10000&keepalives_idle=5&keepalives_interval=2&keepalives_count=3";
        assert_eq!(url, format!("postgres://h/d?connect_timeout=9&{defaults}&target_session_attrs=read-write"));
        assert_eq!(parameter(&url, "connect_timeout"), Some("9"));
        assert!(Target::from_url("mysql://h/d").is_err() && Target::from_url("file.db").is_err());
    }
}
