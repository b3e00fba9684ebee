//! What is nginx's own: several repositories behind one server; and what the portal writes down of what it is asked.

use crate::house::{House, basic};
use crate::on_both;
use crate::programs::Proxy;
use crate::site::{Site, integration, nobody_gets_through};
use crate::support::database::Database;
use crate::upstream::Upstream;

on_both![a_repositorys_token_opens_its_own_location_only];

fn a_repositorys_token_opens_its_own_location_only(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let tokens = ["payments", "reports"].map(|name| (name, ada.repository(name)));
    let upstream = Upstream::start();
    let locations = tokens.each_ref().map(|(name, _)| {
        integration(&mut ada, name, "nginx", &upstream).replace("location / {", &format!("location /{name}/ {{"))
    });
    let proxy = Proxy::nginx(&locations.join("\n"));
    for (name, secret) in &tokens {
        let credentials = basic(name, secret);
        for (at, _) in &tokens {
            let expected = if at == name { 200 } else { 403 };
            for path in [format!("/{at}/"), format!("/{at}/x/../{at}/?repository={name}"), format!("//{at}/%2e/")] {
                proxy.ask("POST", &path, &[("Authorization", &credentials)]).with(expected);
            }
            proxy.ask("GET", &format!("/_tokenhouse/{at}"), &[("Authorization", &credentials)]).with(404);
        }
    }
}

#[test]
fn where_the_portal_is_not_there_nobody_gets_through() {
    nobody_gets_through("nginx", 500, Proxy::nginx);
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
