//! What is nginx's own: several repositories behind one server; and what the portal writes down of what it is asked.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::house::{House, basic};
use crate::on_both;
use crate::programs::Proxy;
use crate::site::{Halves, Site, nobody_gets_through};
use crate::support::database::Database;

on_both![a_repositorys_token_opens_its_own_location_only];

fn a_repositorys_token_opens_its_own_location_only(house: House) {
    let site = Halves::behind_nginx(house);
    for (name, secret) in &site.tokens {
        let credentials = basic(name, secret);
        for (at, _) in &site.tokens {
            let expected = if at == name { 200 } else { 403 };
            for path in [format!("/{at}/"), format!("/{at}/./{at}/?repository={name}"), format!("//{at}/%2e/")] {
                site.proxy.ask("POST", &path, &[("Authorization", &credentials)]).with(expected);
            }
            site.proxy.ask("GET", &format!("/_tokenhouse/{at}"), &[("Authorization", &credentials)]).with(404);
        }
    }
}

#[test]
fn where_the_portal_is_not_there_nobody_gets_through() {
    nobody_gets_through("nginx", 500, Proxy::nginx);
}

/// Behind a proxy that speaks plain HTTP to the network, and one that does not say what it speaks.
#[test]
fn refusal_for_plain_http_names_the_missing_header_in_the_log() {
    let house = House::serve(Database::sqlite());
    let token = house.user("ada", "repository-manager").token("ci", "read");
    for forwarded in ["X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http", "X-Forwarded-For: 203.0.113.7"] {
        let host = house.address().trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("the portal listens");
        let head = format!("GET /auth/nginx HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{forwarded}");
        write!(stream, "{head}\r\nAuthorization: Bearer {}\r\n\r\n", token.secret).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let line = house.log_line("credentials over plain HTTP were refused");
    assert!(line.contains("INFO") && line.contains("X-Forwarded-Proto: https"), "{line}");
}

#[test]
fn the_portal_logs_what_was_asked_for_and_no_query() {
    let site = Site::behind_nginx(House::serve_with(Database::sqlite(), &["--log-level", "debug"]));
    site.ask(&site.reads, "GET", "/reports/7?code=1234", &[]).with(200);
    let line = site.house.log_line("/reports/7");
    assert!(line.contains("method=\"GET\"") && !line.contains("1234"), "{line}");
    let path = format!("/reports/{}", site.writes.secret);
    site.ask(&site.reads, "GET", &path, &[]).with(200);
    site.house.log_line("(a path with a token in it)");
    assert!(!site.house.log().contains(&site.writes.secret), "{}", site.house.log());
}
