//! What each database does when somebody else holds it up.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tokenhouse::storage::connection::Target;
use tokenhouse::storage::job::Timeouts;
use tokenhouse::storage::opening::Options;
use tokenhouse::storage::{Db, Result, StorageError, users};

use crate::house::{House, block_on, on_both};
use crate::support::database::Database;

#[test]
fn a_reader_never_waits_for_a_writer_and_a_writer_is_told_unavailable() {
    let house = House::open(Database::sqlite());
    house.user("ada");
    let mut stranger = house.stranger();
    stranger.sql("BEGIN IMMEDIATE; UPDATE users SET revision = 7");
    let start = Instant::now();
    for _ in 0..100 {
        assert!(house.knows("ada"));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let refused = block_on(house.db.write(|c| -> Result<()> { users::any(c).map(drop) }));
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    stranger.sql("ROLLBACK");
    house.user("bob");
}

#[test]
fn who_waits_too_long_for_a_locked_row_of_postgresql_is_told_unavailable() {
    let house = House::open(Database::postgres());
    let ada = house.user("ada");
    let mut stranger = house.stranger();
    stranger.sql("BEGIN; UPDATE users SET revision = 7");
    assert!(house.knows("ada"));
    let refused = block_on(house.db.write(move |c| users::lock(c, ada)));
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    stranger.sql("ROLLBACK");
    assert!(block_on(house.db.write(move |c| users::lock(c, ada))).unwrap());
}

#[test]
fn a_connection_that_postgresql_ends_is_replaced() {
    let house = House::open(Database::postgres());
    house.user("ada");
    let named = Db::open(&named(&house), 2).unwrap();
    let asked = |db: &Db| block_on(db.read(|c| -> Result<bool> { users::any(c) }));
    assert!(asked(&named).unwrap());
    house
        .stranger()
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'storage-test'");
    assert!(asked(&named).unwrap(), "the pool tries a connection before it gives it away");
}

fn named(house: &House) -> Target {
    match house.database.target() {
        Target::Postgres(url) => Target::Postgres(format!("{url}&application_name=storage-test")),
        other => other,
    }
}

#[test]
fn when_all_connections_are_taken_the_next_is_told_unavailable() {
    on_both(|house| {
        let read = Duration::from_secs(600);
        let timeouts = Timeouts { connection: Duration::from_millis(100), read, ..Timeouts::default() };
        let options = Options { timeouts, ..Options::default() };
        let db = Db::open_with(&house.database.target(), 1, options).unwrap();
        std::thread::scope(|scope| {
            let (taken, wait) = channel();
            let (release, released) = channel::<()>();
            let db = &db;
            scope.spawn(move || {
                block_on(db.read(move |c| -> Result<()> {
                    users::any(c)?;
                    taken.send(()).unwrap();
                    let _ = released.recv();
                    Ok(())
                }))
                .unwrap();
            });
            wait.recv().unwrap();
            let refused = block_on(db.read(|c| -> Result<bool> { users::any(c) }));
            assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
            drop(release);
        });
        assert!(!block_on(db.read(|c| -> Result<bool> { users::any(c) })).unwrap());
    });
}

#[test]
fn the_guarantees_of_a_sqlite_file_hold() {
    let house = House::open(Database::sqlite());
    let ada = house.user("ada");
    house.session(ada);
    house.token(ada, "ci");
    let Target::Sqlite(path) = house.database.target() else { panic!("it is SQLite") };
    assert!(path.with_extension("db-wal").exists(), "it writes ahead");
    block_on(house.db.checkpoint()).unwrap();
    assert_eq!(std::fs::metadata(path.with_extension("db-wal")).unwrap().len(), 0, "the file alone is whole");
    house.user("bob");
}
