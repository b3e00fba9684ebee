//! Parts of usage counts that are written again.

use diesel::prelude::*;
use tokenhouse::domain::caller::UsedToken;
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::jobs::uses::Uses;
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::schema::token_clients;
use tokenhouse::storage::{Db, Result, usage_flushes};

use crate::house::{House, NOW, block_on, on_both};
use crate::support::database::Database;
use crate::support::tcp_proxy::{Network, TcpProxy};

#[test]
fn begin_with_a_number_that_is_written_returns_false() {
    on_both(|house| {
        let begin = |process: &'static str, number| {
            let begun =
                block_on(house.db.write(move |c| -> Result<bool> { usage_flushes::begin(c, process, number, NOW) }));
            begun.expect("the database answers")
        };
        assert!(begin("one", 1) && begin("other", 1) && begin("one", 2));
        assert!(!begin("one", 2) && !begin("one", 1) && !begin("other", 1));
        assert!(begin("one", 3), "later parts of the process count");
        let prune = |before: Timestamp| {
            block_on(house.db.write(move |c| -> Result<usize> { usage_flushes::prune(c, before) })).expect("it prunes")
        };
        assert_eq!((prune(NOW), prune(NOW.plus(1))), (0, 2));
    });
}

#[test]
fn flush_whose_commit_was_not_answered_counts_once() {
    let house = House::open(Database::postgres());
    let token = UsedToken::Api(house.token(house.user("ada"), "ci"), 1);
    let Target::Postgres(url) = house.database.target() else { panic!("it is PostgreSQL") };
    let proxy = TcpProxy::start(&url, Network::Works);
    let db = Db::open(&Target::from_url(&proxy.url(&url)).expect("an address"), 2).expect("it opens");
    let uses = Uses::default();
    let rounds: i64 = if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 200 } else { 5 };
    for _ in 0..rounds {
        uses.token_used(token, None, NOW, "192.0.2.1".parse().expect("an address"), "curl/8", false);
        proxy.lose_next_commit();
        let lost = block_on(uses.flush(&db));
        assert!(lost.is_err(), "the answer is lost");
        assert!(proxy.lost_commit());
        while block_on(uses.flush(&db)).is_err() {}
    }
    let counted =
        house.read(|c| Ok(token_clients::table.select(token_clients::reads).load::<i64>(c)?)).expect("it answers");
    assert_eq!(counted, [rounds]);
}

#[test]
fn flush_that_is_given_up_counts_once() {
    on_both(|house| {
        let token = UsedToken::Api(house.token(house.user("ada"), "ci"), 1);
        let uses = Uses::default();
        for round in 0..20 {
            uses.token_used(token, None, NOW, "192.0.2.1".parse().expect("an address"), "curl/8", false);
            block_on(async {
                let mut flush = std::pin::pin!(uses.flush(&house.db));
                for _ in 0..=round % 4 {
                    tokio::select! {
                        biased;
                        _ = &mut flush => break,
                        () = tokio::task::yield_now() => {}
                    }
                }
            });
        }
        block_on(uses.flush(&house.db)).expect("it is written");
        let counted =
            house.read(|c| Ok(token_clients::table.select(token_clients::reads).load::<i64>(c)?)).expect("it answers");
        assert_eq!(counted, [20]);
    });
}
