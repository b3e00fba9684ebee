//! What is told of the use of a token.

use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tokenhouse::domain::caller::UsedToken;
use tokenhouse::domain::permission::Permission;
use tokenhouse::storage::schema::token_clients;
use tokenhouse::storage::{Connection, StorageError};

use crate::support::{Portal, Token, on_both};

const DAY: i64 = 86_400;

on_both![
    a_use_is_not_written_by_the_request,
    the_last_use_and_the_callers_appear_after_the_flush,
    uses_of_one_caller_add_up_over_the_days,
    a_caller_of_long_ago_is_not_shown,
    a_user_agent_is_text_and_not_html,
    many_user_agents_fill_no_table,
    who_uses_a_token_most_is_named_however_many_come_once,
    the_use_of_a_token_that_went_away_meanwhile_is_dropped,
    the_last_use_never_moves_back,
    the_chart_says_in_words_what_it_shows,
    many_counts_are_written_in_parts_and_what_fails_is_written_later,
    no_check_waits_for_counts_or_fails_with_them,
    requests_that_write_are_counted_apart_from_those_that_read,
];

fn used(portal: &Portal, token: &Token, address: &str, agent: &str) {
    let request = portal.request("GET", "/api/v1/me").bearer(&token.secret);
    request.at(address).header("user-agent", agent).send().with(200);
}

fn a_use_is_not_written_by_the_request(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    portal.unchanged("a check", || {
        for _ in 0..20 {
            used(&portal, &token, "203.0.113.7", "curl/8");
        }
    });
    portal.flush();
    assert_eq!(portal.count("token_clients"), 1);
    portal.unchanged("a flush of nothing", || portal.flush());
}

fn the_last_use_and_the_callers_appear_after_the_flush(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    let page = browser.page(&token.path());
    assert_eq!(page.definition("Last used"), "Never");
    page.says("Nothing has used this token yet.").says("Not used in the last 30 days.");
    used(&portal, &token, "203.0.113.7", "curl/8");
    portal.advance(60);
    used(&portal, &token, "203.0.113.7", "curl/8");
    used(&portal, &token, "203.0.113.7", "");
    used(&portal, &token, "2001:db8::7", "builder/1.0");
    used(&portal, &token, "::ffff:203.0.113.7", "curl/8");
    portal.flush();
    let page = browser.page(&token.path());
    assert!(page.definition("Last used").starts_with("21 Nov 2026, 14:07 UTC just now from "));
    let mut rows: Vec<_> = page
        .rows()
        .iter()
        .map(|row| [row.cell("Address"), row.cell("User agent"), row.cell("First use"), row.cell("Uses")].join(" | "))
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "2001:db8::7 | builder/1.0 | 21 Nov 2026, 14:07 UTC just now | 1",
            "203.0.113.7 | curl/8 | 21 Nov 2026, 14:06 UTC 1 minute ago | 3",
            "203.0.113.7 | not told | 21 Nov 2026, 14:07 UTC just now | 1",
        ]
    );
}

fn uses_of_one_caller_add_up_over_the_days(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for uses in [3, 2, 1] {
        for _ in 0..uses {
            used(&portal, &token, "203.0.113.7", "curl/8");
        }
        portal.flush();
        used(&portal, &token, "203.0.113.7", "curl/8");
        portal.flush();
        portal.advance(DAY);
    }
    let page = ada.sign_in().page(&token.path());
    assert_eq!(page.rows().len(), 1);
    assert_eq!(page.rows()[0].cell("Uses"), "9");
    assert_eq!(page.rows()[0].cell("Last use"), "23 Nov 2026, 14:06 UTC 1 day ago");
    assert_eq!(portal.count("token_clients"), 3);
    page.says("Used 9 times on 3 of the last 30 days.");
}

fn a_caller_of_long_ago_is_not_shown(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |wish| wish.expires_at = None);
    used(&portal, &token, "203.0.113.7", "curl/8");
    portal.flush();
    portal.advance(29 * DAY);
    assert_eq!(ada.sign_in().page(&token.path()).rows().len(), 1);
    portal.advance(DAY);
    portal.prune();
    let page = ada.sign_in().page(&token.path());
    assert!(page.rows().is_empty());
    assert!(page.definition("Last used").contains("21 Nov 2026"), "the last use stays");
    portal.advance(DAY);
    portal.prune();
    assert_eq!(portal.count("token_clients"), 0);
}

fn a_user_agent_is_text_and_not_html(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    used(&portal, &token, "203.0.113.7", "<script>alert(1)</script>\"'&amp;");
    used(&portal, &token, "203.0.113.8", &"🔑".repeat(300));
    portal.flush();
    let browser = ada.sign_in();
    for path in [token.path(), token.page("rotation"), token.page("disablement"), token.page("revocation")] {
        let page = browser.page(&path);
        assert_eq!(page.all("script").len(), 1, "the page's own");
        let mut agents: Vec<String> = page.rows().iter().map(|row| row.cell("User agent").to_owned()).collect();
        agents.sort();
        assert_eq!(agents[0], "<script>alert(1)</script>\"'&amp;");
    }
}

fn many_user_agents_fill_no_table(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    for number in 0..80 {
        used(&portal, &token, "203.0.113.7", &format!("agent {number}"));
    }
    portal.flush();
    assert_eq!((portal.count("token_clients"), portal.count("token_other_clients")), (50, 1));
    ada.sign_in().page(&token.path()).says("Used 80 times on 1 of the last 30 days.");
}

fn who_uses_a_token_most_is_named_however_many_come_once(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    let own = browser.create_repository("alpha");
    let token = portal.token(&ada, |_| {});
    let both = |agent: &str| {
        for secret in [&own, &token.secret] {
            let request = portal.request("GET", "/api/v1/repositories/alpha").bearer(secret);
            request.at("203.0.113.7").header("user-agent", agent).send().with(200);
        }
    };
    (0..60).for_each(|number| both(&format!("agent {number}")));
    portal.flush();
    (0..20).for_each(|_| both("deploy/1"));
    portal.flush();
    for path in [token.path(), "/repositories/alpha".into(), "/repositories/alpha/token/new".into()] {
        let page = browser.page(&path);
        page.says("deploy/1").says("other addresses").says("other programs");
        assert_eq!(page.rows().len(), 51, "{path}");
    }
}

fn the_use_of_a_token_that_went_away_meanwhile_is_dropped(portal: Portal) {
    let ada = portal.user("ada");
    let (token, other) = (portal.token_named(&ada, "a"), portal.token_named(&ada, "b"));
    used(&portal, &token, "203.0.113.7", "curl/8");
    used(&portal, &other, "203.0.113.7", "curl/8");
    portal.sql(&format!("DELETE FROM api_tokens WHERE id = '{}'", token.id));
    portal.flush();
    assert_eq!(portal.count("token_clients"), 1);
}

fn the_last_use_never_moves_back(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    portal.advance(120);
    used(&portal, &token, "203.0.113.7", "curl/8");
    portal.flush();
    portal.advance(-60);
    used(&portal, &token, "203.0.113.8", "curl/8");
    portal.flush();
    let page = ada.sign_in().page(&token.path());
    assert!(page.definition("Last used").starts_with("21 Nov 2026, 14:08 UTC"), "{}", page.definition("Last used"));
    assert!(page.definition("Last used").ends_with("from 203.0.113.7"));
}

fn the_chart_says_in_words_what_it_shows(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    used(&portal, &token, "203.0.113.7", "curl/8");
    portal.flush();
    let page = ada.sign_in().page(&token.path());
    page.says("Used 1 time on 1 of the last 30 days.");
    assert_eq!(page.all("svg[role=img] rect").len(), 30);
    assert_eq!(page.texts("svg[role=img] title").last().map(String::as_str), Some("21 Nov 2026: 1"));
    assert_eq!(page.all("svg[role=img]")[0].attr("aria-label"), Some("Uses on each of the last 30 days"));
}

fn many_counts_are_written_in_parts_and_what_fails_is_written_later(portal: Portal) {
    const TOKENS: usize = 40;
    const AGENTS: usize = 50;
    let ada = portal.user("ada");
    let tokens: Vec<Token> = (0..TOKENS).map(|number| portal.token_named(&ada, &format!("t{number:02}"))).collect();
    let count = |agent: usize| {
        for token in &tokens {
            let (token, address) = (UsedToken::Api(token.id, 1), "203.0.113.7".parse().unwrap());
            portal.shared.uses.token_used(token, None, portal.now(), address, &format!("agent/{agent}"), false);
        }
    };
    portal.shared.uses.hurry();
    (0..AGENTS).for_each(count);
    let counted = || -> Vec<i64> {
        portal.read(|c| {
            Ok(token_clients::table.select(token_clients::reads).order(token_clients::reads.asc()).load(c)?)
        })
    };
    // A number that nothing can be added to keeps the last part from being written.
    let last = tokens.iter().map(|token| token.id).max().unwrap();
    let day = portal.now().day_number();
    portal.sql(&format!(
        "INSERT INTO token_clients (token_id, day, address, user_agent, first_used_at, last_used_at, reads, writes)
         VALUES ({last}, {day}, '203.0.113.7', 'agent/0', 0, 0, 9223372036854775807, 0)"
    ));
    assert!(portal.wait(portal.shared.uses.flush(&portal.shared.db)).is_err());
    // How many parts come before it depends on the shards of the tokens: none, if the first full part has it.
    assert!((1..TOKENS * AGENTS).contains(&counted().len()), "{}", counted().len());
    portal.sql("DELETE FROM token_clients WHERE reads = 9223372036854775807");
    count(0);
    portal.flush();
    assert_eq!(counted().iter().sum::<i64>(), (TOKENS * AGENTS + TOKENS) as i64, "none is lost, none counts twice");
    assert_eq!(counted().len(), TOKENS * AGENTS);
}

/// Begins with the work, and says whether there is more to do.
async fn begins<T>(mut work: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await
}

fn no_check_waits_for_counts_or_fails_with_them(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let checks = || {
        for path in ["/api/v1/me", "/auth/nginx/alpha"] {
            let request = portal.request("GET", path).bearer(&token.secret).header("x-original-method", "GET");
            request.at("203.0.113.7").header("user-agent", "curl/8").send().with(200);
        }
    };
    checks();
    // A number that nothing can be added to.
    portal.sql(&format!(
        "INSERT INTO token_clients (token_id, day, address, user_agent, first_used_at, last_used_at, reads, writes)
         VALUES ({}, {}, '203.0.113.7', 'curl/8', 0, 0, 9223372036854775807, 0)",
        token.id,
        portal.now().day_number()
    ));
    let (let_go, held) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let is_sqlite = portal.database.is_sqlite();
    let hold = move |connection: &mut Connection| -> Result<(), StorageError> {
        // On SQLite whoever writes holds up all others.
        if !is_sqlite {
            connection.batch_execute("LOCK TABLE token_clients IN EXCLUSIVE MODE")?;
        }
        tell.send(()).expect("the test listens");
        held.recv().expect("the test lets go");
        Ok(())
    };
    portal.wait(async {
        let mut holding = pin!(portal.shared.db.write_beside_checks(hold));
        assert!(begins(holding.as_mut()).await);
        told.recv().expect("it is held up");
        let mut flush = pin!(portal.shared.uses.flush(&portal.shared.db));
        assert!(begins(flush.as_mut()).await, "nothing can be written now");
        checks();
        let_go.send(()).expect("it is held up");
        holding.await.expect("it ends in order");
        assert!(flush.await.is_err());
    });
    checks();
    assert!(portal.wait(portal.shared.uses.flush(&portal.shared.db)).is_err());
    checks();
    portal.sql("DELETE FROM token_clients WHERE reads = 9223372036854775807");
    portal.flush();
    let counted = portal.read(|c| Ok(token_clients::table.select(token_clients::reads).load::<i64>(c)?));
    assert_eq!(counted, [8], "none is lost");
    let at_repository = portal.read(|c| {
        use tokenhouse::storage::schema::repository_clients;
        Ok(repository_clients::table.select(repository_clients::reads).load::<i64>(c)?)
    });
    assert_eq!(at_repository, [4]);
}

fn requests_that_write_are_counted_apart_from_those_that_read(portal: Portal) {
    portal.repository("alpha");
    let ada = portal.user_with("ada", "repository-manager");
    let token = portal.token(&ada, |wish| wish.permissions.repositories = Permission::Write);
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
        let request = portal.request("GET", "/auth/nginx/alpha").bearer(&token.secret);
        request.header("x-original-method", method).send().with(200);
    }
    portal.api(&token.secret, "/api/v1/me").with(200);
    portal.flush();
    let usage = portal.read(|c| {
        use tokenhouse::storage::schema::token_usage;
        let columns = (token_usage::secret_number, token_usage::reads, token_usage::writes);
        Ok(token_usage::table.select(columns).load::<(i64, i64, i64)>(c)?)
    });
    assert_eq!(usage, [(1, 3, 3)]);
    ada.sign_in().page(&token.path()).says("Used 6 times on 1 of the last 30 days.");
}
