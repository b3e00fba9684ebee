//! What is Caddy's own: several repositories behind one site, and that no header like ours gets through.

use crate::house::{House, basic};
use crate::on_both;
use crate::programs::Proxy;
use crate::site::{Site, integration, nobody_gets_through};
use crate::upstream::Upstream;

on_both![a_repositorys_token_opens_its_own_path_only, a_header_that_only_looks_like_ours_is_taken_away];

fn a_repositorys_token_opens_its_own_path_only(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let tokens = ["payments", "reports"].map(|name| (name, ada.repository(name)));
    let upstream = Upstream::start();
    let routes = tokens.each_ref().map(|(name, _)| {
        integration(&mut ada, name, "Caddy", &upstream).replace("route {", &format!("route /{name}/* {{"))
    });
    let proxy = Proxy::caddy(&routes.join("\n"));
    for (name, secret) in &tokens {
        let credentials = basic(name, secret);
        for (at, _) in &tokens {
            let expected = if at == name { 200 } else { 403 };
            for path in [format!("/{at}/"), format!("/{at}/?repository={name}")] {
                proxy.ask("POST", &path, &[("Authorization", &credentials)]).with(expected);
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
