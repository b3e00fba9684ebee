//! The one address of the portal.

use std::net::{IpAddr, SocketAddr};

use url::Url;

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

    /// The default: the listening address over http, which must be on loopback.
    pub fn of_listener(address: SocketAddr) -> Result<Self, String> {
        Self::parse(&format!("http://{address}"))
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
        let url = PublicUrl::of_listener("127.0.0.1:8080".parse().unwrap()).unwrap();
        assert!(url.is_host("127.0.0.1:8080") && url.is_host("localhost:8080") && !url.is_host("evil.example"));
        assert!(PublicUrl::parse("http://127.0.0.1:80").unwrap().is_origin("http://localhost"));
    }
}
