//! A service behind a proxy that asks the portal about the repository `payments`, as the Configure tab says.

use std::net::TcpListener;
use std::thread;

use tokenhouse::config::PublicUrl;
use tokenhouse::web::examples::proxies;

use crate::house::{House, Person, Token};
use crate::programs::{Proxy, Reply};
use crate::upstream::Upstream;

pub struct Site {
    pub proxy: Proxy,
    pub upstream: Upstream,
    pub house: House,
    /// A manager of repositories.
    pub ada: Person,
    /// Of the repository `payments`.
    pub repository_token: String,
    /// API tokens of ada.
    pub reads: Token,
    pub writes: Token,
}

impl Site {
    pub fn behind_nginx(house: House) -> Self {
        Self::behind(house, "nginx", Proxy::nginx)
    }

    pub fn behind_caddy(house: House) -> Self {
        Self::behind(house, "Caddy", Proxy::caddy)
    }

    fn behind(house: House, label: &str, start: impl FnOnce(&str) -> Proxy) -> Self {
        let mut ada = house.user("ada", "repository-manager");
        let repository_token = ada.repository("payments");
        let (reads, writes) = (ada.token("Ünï 100%", "read"), ada.token("writes", "write"));
        let upstream = Upstream::start();
        let code = integration(&mut ada, "payments", label, &upstream);
        assert!(code.contains(house.address()), "it asks this portal: {code}");
        let proxy = start(&code);
        Self { proxy, upstream, house, ada, repository_token, reads, writes }
    }

    /// Asks with a token, as Bearer.
    #[track_caller]
    pub fn ask(&self, token: &Token, method: &str, path: &str, more: &[(&str, &str)]) -> Reply {
        let authorization = format!("Bearer {}", token.secret);
        let headers = [&[("Authorization", authorization.as_str())], more].concat();
        self.proxy.ask(method, path, &headers)
    }

    /// The request is answered with this status, and the service never sees it.
    #[track_caller]
    pub fn stops(&self, status: u16, ask: impl FnOnce() -> Reply) -> Reply {
        let seen = self.upstream.seen();
        let reply = ask().with(status);
        assert_eq!(self.upstream.seen(), seen, "the service saw a request that was refused: {reply:?}");
        reply
    }
}

/// Two repositories behind one proxy, below `/payments/` and `/reports/` of one service.
pub struct Halves {
    pub proxy: Proxy,
    pub upstream: Upstream,
    /// The repositories with their own tokens.
    pub tokens: [(&'static str, String); 2],
    // Serves until the end.
    _house: House,
}

impl Halves {
    pub fn behind_nginx(house: House) -> Self {
        let below = |name: &str| ["location / {".to_owned(), format!("location /{name}/ {{")];
        Self::behind(house, "nginx", below, Proxy::nginx)
    }

    pub fn behind_caddy(house: House) -> Self {
        let below = |name: &str| ["route {".to_owned(), format!("route /{name}/* {{")];
        Self::behind(house, "Caddy", below, Proxy::caddy)
    }

    /// `below` says what is changed in what is printed, so that it governs one half.
    fn behind(
        house: House,
        label: &str,
        below: impl Fn(&str) -> [String; 2],
        start: impl FnOnce(&str) -> Proxy,
    ) -> Self {
        let mut ada = house.user("ada", "repository-manager");
        let tokens = ["payments", "reports"].map(|name| (name, ada.repository(name)));
        let upstream = Upstream::start();
        let halves = tokens.each_ref().map(|(name, _)| {
            let ([whole, half], code) = (below(name), integration(&mut ada, name, label, &upstream));
            assert!(code.contains(&whole), "{code}");
            code.replace(&whole, &half)
        });
        Self { proxy: start(&halves.join("\n")), upstream, tokens, _house: house }
    }
}

/// What is to be pasted, with the service's address in its place.
pub fn integration(person: &mut Person, repository: &str, label: &str, upstream: &Upstream) -> String {
    let code = person.integration(repository, label);
    assert!(code.contains("127.0.0.1:9000"), "{code}");
    code.replace("127.0.0.1:9000", &upstream.address.to_string())
}

/// Starts the proxy with what is printed for a portal that speaks TLS, at an address where none does.
pub fn nobody_gets_through(label: &str, status: u16, start: impl FnOnce(&str) -> Proxy) {
    let upstream = Upstream::start();
    // Something listens, or somebody else might come to do so.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it has an address");
    thread::spawn(move || silent.incoming().for_each(drop));
    let portal = PublicUrl::parse(&format!("https://{address}")).expect("an address");
    let example = proxies::of(&portal, "payments").into_iter().find(|example| example.label == label);
    let code = example.expect("there is one").code.replace("127.0.0.1:9000", &upstream.address.to_string());
    let proxy = start(&code);
    for method in ["GET", "POST"] {
        proxy.ask(method, "/", &[("Authorization", "Bearer x"), ("X-Auth-User", "forged")]).with(status);
    }
    assert_eq!(upstream.seen(), 0);
}
