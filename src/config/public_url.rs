//! The one address of the portal.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// The origin under which the portal is reached: scheme, host and port, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://tokens.example.org`, without a slash at the end and without the scheme's default port.
    origin: String,
    https: bool,
    /// The host itself; on a loopback address `localhost` too.
    hosts: Vec<Host>,
    port: u16,
}

impl PublicUrl {
    /// Reads an `https://` address, or an `http://` one on loopback, where no network can listen in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // Where there is a username, there may be a password, which is not repeated.
        if text.contains('@') {
            return Err("it must not contain a username or a password".to_owned());
        }
        let unreadable = || format!("“{text}” is not an address such as https://tokens.example.org");
        let mut url = Url::parse(text).map_err(|_| unreadable())?;
        // The name without the dot of the root is the same name.
        if let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            url.set_host(Some(&name)).map_err(|_| unreadable())?;
        }
        let host = url.host().map(|host| host.to_owned());
        let loopback = host.as_ref().is_some_and(is_loopback);
        let https = url.scheme() == "https";
        if !(https || url.scheme() == "http" && loopback) {
            return Err(format!("“{text}” must begin with https:// (http:// is accepted on loopback only)"));
        }
        let (Some(host), Some(port)) = (host, url.port_or_known_default()) else { return Err(unreadable()) };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("“{text}” must end after the host and port"));
        }
        let mut hosts = vec![host];
        if loopback && !hosts.contains(&localhost()) {
            hosts.push(localhost());
        }
        Ok(Self { origin: url.origin().ascii_serialization(), https, hosts, port })
    }

    /// The default: the listening address over http, which must be on loopback.
    pub fn of_listener(address: SocketAddr) -> Result<Self, String> {
        Self::parse(&format!("http://{address}"))
    }

    pub fn as_str(&self) -> &str {
        &self.origin
    }

    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The port, the scheme's default included.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether a Host header, or the authority of a request's target, names this portal. A missing port is the scheme's
    /// default (RFC 9110, section 4.2.3).
    pub fn is_host(&self, authority: &str) -> bool {
        // What the parser would decode, or take for user information or a path, is no host.
        let plain = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
        let scheme = if self.https { "https" } else { "http" };
        plain && Url::parse(&format!("{scheme}://{authority}/")).is_ok_and(|url| self.is_reached_by(&url))
    }

    /// Whether an Origin header names this portal.
    pub fn is_origin(&self, origin: &str) -> bool {
        let scheme = if self.https { "https" } else { "http" };
        origin
            .split_once("://")
            .is_some_and(|(own, authority)| own.eq_ignore_ascii_case(scheme) && self.is_host(authority))
    }

    fn is_reached_by(&self, url: &Url) -> bool {
        let host = match url.host() {
            Some(Host::Domain(name)) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Some(address) => address.to_owned(),
            None => return false,
        };
        self.hosts.contains(&host) && url.port_or_known_default() == Some(self.port)
    }

    /// An absolute address for a path that begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

fn localhost() -> Host {
    Host::Domain("localhost".to_owned())
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
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
        for url in ["https://ada:hunter2@x.org", "https://:hunter2@x.org", "https://ada:hunter2@x.org:port"] {
            assert!(!PublicUrl::parse(url).unwrap_err().contains("hunter2"), "{url}");
        }
        assert!(PublicUrl::parse("https://x.org/path").is_err() && PublicUrl::parse("ftp://x.org").is_err());
    }

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (public_url, canonical, authorities) in [
            (
                "https://tokens.example.org:443",
                "https://tokens.example.org",
                &["tokens.example.org", "tokens.example.org:443", "TOKENS.example.org.", "tokens.example.org:0443"][..],
            ),
            ("HTTPS://Tokens.Example.ORG.", "https://tokens.example.org", &["tokens.example.org:443"]),
            ("http://127.0.0.1:80", "http://127.0.0.1", &["127.0.0.1", "127.0.0.1:80", "localhost", "LocalHost:80"]),
            ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080", &["[::1]:8080", "[0:0::1]:8080", "localhost:8080"]),
            ("https://bücher.example", "https://xn--bcher-kva.example", &["xn--bcher-kva.example:443"]),
        ] {
            let url = PublicUrl::parse(public_url).unwrap();
            assert_eq!(url.as_str(), canonical);
            let (scheme, _) = canonical.split_once("://").unwrap();
            for authority in authorities {
                assert!(url.is_host(authority), "{authority} is {public_url}");
                assert!(url.is_origin(&format!("{scheme}://{authority}")), "{authority} is {public_url}");
            }
        }
    }

    #[test]
    fn other_addresses_are_not_equal() {
        let url = PublicUrl::parse("https://tokens.example.org").unwrap();
        for authority in [
            "",
            ".",
            "tokens.example.org:80",
            "tokens.example.org:8443",
            "tokens.example.org..",
            "evil.example",
            "user@tokens.example.org",
            "tokens.example.org@evil.example",
            "tokens.example.org/x",
            "tokens%2eexample.org",
            "tokens.example.org, tokens.example.org",
            "tokens.example.org:443:443",
            "127.0.0.1",
            "localhost",
        ] {
            assert!(!url.is_host(authority), "{authority}");
            assert!(!url.is_origin(&format!("https://{authority}")), "{authority}");
        }
        for origin in ["null", "", "http://tokens.example.org", "https:tokens.example.org", "wss://tokens.example.org"]
        {
            assert!(!url.is_origin(origin), "{origin}");
        }
    }

    #[test]
    fn on_loopback_localhost_counts_too() {
        let url = PublicUrl::of_listener("127.0.0.1:8080".parse().unwrap()).unwrap();
        assert!(url.is_host("127.0.0.1:8080") && url.is_host("localhost:8080") && !url.is_host("evil.example"));
        assert!(!url.is_host("127.0.0.1") && !url.is_host("127.0.0.2:8080") && !url.is_host("[::1]:8080"));
    }
}
