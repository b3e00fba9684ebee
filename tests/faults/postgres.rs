//! PostgreSQL that does not answer: its host has vanished, its processes are frozen, or the answer to a COMMIT is lost.

use std::process::Command;
use std::time::{Duration, Instant};

use diesel::sql_types::Integer;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};

use crate::house::House;
use crate::support::database::{Schema, server};
use crate::support::http::ask;
use crate::support::server::tokenhouse;
use crate::support::tcp_proxy::{Network, TcpProxy};

const TOKENS: &str = "/profile/api-tokens";
/// How long a portal may take to recover. Long, since a busy machine is not a broken program.
const PATIENCE: Duration = Duration::from_secs(60);

/// A portal on PostgreSQL. Dropped in this order.
struct Portal {
    house: House,
    proxy: TcpProxy,
    _schema: Schema,
}

impl Portal {
    fn set_up(name: &str) -> Self {
        let schema = Schema::create();
        let url = format!("{}&application_name={name}", schema.url());
        let proxy = TcpProxy::start(&url, Network::Works);
        let through = proxy.url(&url);
        let house = House::set_up_with(move |_| {
            let mut command = tokenhouse();
            command.env("TOKENHOUSE_DATABASE_URL", &through);
            command
        });
        Self { house, proxy, _schema: schema }
    }

    /// Creates an API token and returns its page and its secret.
    fn token(&mut self) -> (String, String) {
        let fields = [("name", "ci"), ("expiry", "90"), ("nonce", "1111111111111111111111")];
        let page = self.house.browser.post(TOKENS, &fields).expect("it answers").location().to_owned();
        let secret = self.house.browser.get(&page).expect("it answers").secret().expect("it is shown").to_owned();
        (page, secret)
    }

    fn status(&self, secret: &str) -> u16 {
        ask(self.house.address(), "/api/v1/me", Some(&format!("Bearer {secret}"))).expect("it answers").status
    }

    /// Checks again and again until the answer is 200; every other one must be 503.
    fn wait_until_it_works(&self, secret: &str) {
        let start = Instant::now();
        loop {
            match self.status(secret) {
                200 => return,
                503 => assert!(start.elapsed() < PATIENCE, "{}", self.house.server().log()),
                other => panic!("{other}: {}", self.house.server().log()),
            }
        }
    }
}

#[test]
fn form_whose_commit_was_not_confirmed_leads_to_the_same_token_when_sent_again() {
    let rounds = if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 200 } else { 3 };
    let mut portal = Portal::set_up("lost-commit");
    let (page, mut current) = portal.token();
    let rotation = format!("{page}/rotation");
    let (mut lost, mut round) = (0, 0);
    while lost < rounds {
        round += 1;
        assert!(round <= 2 * rounds + 5, "the answers of other commits are lost");
        let form = portal.house.browser.get(&rotation).expect("it answers");
        let replaces = form.value_of("name=\"replaces\"").expect("the form says what it replaces").to_owned();
        let nonce = format!("{round:022}");
        let fields = [("nonce", nonce.as_str()), ("replaces", replaces.as_str()), ("grace", "now")];

        portal.proxy.lose_next_commit();
        let answer = portal.house.browser.post(&rotation, &fields).expect("it answers");
        assert!(portal.proxy.lost_commit());
        if answer.status == 303 {
            // What was counted meanwhile was committed first, and that answer was lost.
            let shown = portal.house.browser.get(answer.location()).expect("it answers");
            current = shown.secret().expect("the new token is shown").to_owned();
            continue;
        }
        lost += 1;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("did not confirm the change, so it may have been made"), "{}", answer.body);
        assert!(portal.house.server().says("outcome unknown"), "the log says so");

        let again = portal.house.browser.post(&rotation, &fields).expect("it answers").location().to_owned();
        let shown = portal.house.browser.get(&again).expect("it answers");
        let new = shown.secret().expect("the new token still waits to be shown").to_owned();
        assert_eq!((portal.status(&new), portal.status(&current)), (200, 401));
        current = new;
    }
}

#[test]
fn stop_during_a_blackhole_does_not_wait_for_postgresql() {
    let mut portal = Portal::set_up("stop");
    let (_, secret) = portal.token();
    portal.proxy.set(Network::Blackhole);
    assert_eq!(portal.status(&secret), 503);
    let mut server = portal.house.take_server();
    server.signal("TERM");
    // The proxy acknowledges whatever is sent, so that PostgreSQL's connections would be waited for without end.
    server.wait();
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[test]
fn check_during_a_blackhole_returns_503_and_works_again_after() {
    let mut portal = Portal::set_up("blackhole");
    let (page, secret) = portal.token();
    portal.proxy.set(Network::Blackhole);
    for _ in 0..8 {
        assert_eq!(portal.status(&secret), 503);
    }
    assert!(portal.house.server().says("PostgreSQL does not answer"));
    assert_eq!(portal.house.browser.get(&page).expect("it answers").status, 503);
    let ready = ask(portal.house.address(), "/readyz", None).expect("it answers");
    assert_eq!((ready.status, ready.body.as_str()), (503, "the database does not answer\n"));
    assert_eq!(ask(portal.house.address(), "/healthz", None).expect("it answers").status, 200);

    portal.proxy.set(Network::Works);
    portal.proxy.cut();
    portal.wait_until_it_works(&secret);
    assert!(portal.house.server().says("PostgreSQL answers again"));
}

#[test]
fn check_on_a_frozen_connection_returns_503_and_the_next_ones_take_others() {
    let mut portal = Portal::set_up("frozen");
    let (_, secret) = portal.token();
    let frozen = Frozen::freeze("frozen");
    assert_eq!(portal.status(&secret), 503);
    portal.wait_until_it_works(&secret);
    drop(frozen);
    portal.wait_until_it_works(&secret);
}

/// The processes of PostgreSQL that serve an application, stopped as long as this lives.
struct Frozen(Vec<i32>);

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

impl Frozen {
    fn freeze(application: &str) -> Self {
        let mut connection = PgConnection::establish(server().as_str()).expect("the throw-away PostgreSQL answers");
        let sql = format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'");
        let found: Vec<Backend> = diesel::sql_query(sql).load(&mut connection).expect("it says who is connected");
        assert!(!found.is_empty(), "the portal is connected");
        let frozen = Self(found.into_iter().map(|backend| backend.pid).collect());
        frozen.signal("STOP");
        frozen
    }

    fn signal(&self, name: &str) {
        let pids = self.0.iter().map(ToString::to_string);
        assert!(Command::new("kill").args(["-s", name]).args(pids).status().expect("kill runs").success());
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}
