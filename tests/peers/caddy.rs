//! What is Caddy's own: several repositories behind one site, and that no header like ours gets through.

use crate::house::{House, basic};
use crate::on_both;
use crate::programs::Proxy;
use crate::site::{Halves, Site, nobody_gets_through};

on_both![a_repositorys_token_opens_its_own_path_only, a_header_that_only_looks_like_ours_is_taken_away];

fn a_repositorys_token_opens_its_own_path_only(house: House) {
    let site = Halves::behind_caddy(house);
    for (name, secret) in &site.tokens {
        let credentials = basic(name, secret);
        for (at, _) in &site.tokens {
            let expected = if at == name { 200 } else { 403 };
            for path in [format!("/{at}/"), format!("/{at}/?repository={name}")] {
                site.proxy.ask("POST", &path, &[("Authorization", &credentials)]).with(expected);
            }
        }
    }
}

fn a_header_that_only_looks_like_ours_is_taken_away(house: House) {
    let site = Site::behind_caddy(house);
    let forged = ["X-Auth-Extra", "X_Auth_Extra", "X-Auth_Extra", "x_auth-extra", "X-AUTHENTICATED-AS"];
    let headers = forged.map(|name| (name, "forged"));
    let reached = site.ask(&site.reads, "GET", "/", &headers).upstream();
    assert!(!format!("{reached:?}").contains("forged"), "{reached:?}");
}

#[test]
fn where_the_portal_is_not_there_nobody_gets_through() {
    nobody_gets_through("Caddy", 502, Proxy::caddy);
}
