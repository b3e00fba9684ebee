//! What becomes of a write whose client waited too long or has gone, and who gets a connection when there are few.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use futures_util::FutureExt as _;
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::job::Timeouts;
use tokenhouse::storage::opening::Options;
use tokenhouse::storage::{Connection, Db, Result, StorageError, users};

use crate::house::{House, Stranger, at_once, block_on, insert_user, on_both};
use crate::support::database::{Database, OwnDatabase};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

fn open(target: &Target, connections: u32, timeouts: Timeouts) -> Db {
    Db::open_with(target, connections, Options { timeouts, ..Options::default() }).expect("it opens")
}

fn patient() -> Timeouts {
    Timeouts { connection: NEVER, read: NEVER, write: NEVER, outcome: NEVER }
}

/// Another process holds what every write needs.
fn lock(house: &House) -> Stranger {
    let mut stranger = house.stranger();
    stranger.sql(if house.database.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN; UPDATE users SET revision = 7" });
    stranger
}

#[test]
fn write_whose_client_has_gone_is_not_committed() {
    on_both(|house| {
        let ada = house.user("ada");
        let db = open(&house.database.target(), 1, patient());
        let mut stranger = lock(house);
        let insert = move |c: &mut Connection| -> Result<()> {
            users::lock(c, ada)?;
            insert_user(c, "ghost").map(drop)
        };
        block_on(async { assert!(db.write(insert).now_or_never().is_none(), "it waits for the lock") });
        stranger.sql("ROLLBACK");
        block_on(db.write(|c| insert_user(c, "bob").map(drop))).expect("others are not held up");
        assert!(house.knows("bob") && !house.knows("ghost"));
    });
}

#[test]
fn write_that_waited_too_long_is_not_committed() {
    on_both(|house| {
        let ada = house.user("ada");
        let db = open(&house.database.target(), 1, Timeouts { write: Duration::from_millis(100), ..patient() });
        let mut stranger = lock(house);
        let refused = block_on(db.write(move |c| -> Result<()> {
            users::lock(c, ada)?;
            insert_user(c, "ghost").map(drop)
        }));
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
        stranger.sql("ROLLBACK");
        house.user("bob");
        assert!(!house.knows("ghost"));
    });
}

#[test]
fn reads_on_postgresql_find_a_connection_while_all_writes_wait() {
    let house = House::open(Database::postgres());
    house.user("ada");
    let db = open(&house.database.target(), 4, patient());
    let (taken, wait) = channel();
    let (release, released) = channel::<()>();
    let released = Arc::new(Mutex::new(released));
    thread::scope(|scope| {
        for _ in 0..8 {
            let (db, taken, released) = (&db, taken.clone(), released.clone());
            scope.spawn(move || {
                block_on(db.write(move |_| -> Result<()> {
                    taken.send(()).unwrap();
                    let _ = released.lock().unwrap().recv();
                    Ok(())
                }))
                .unwrap();
            });
        }
        for _ in 0..3 {
            wait.recv().unwrap();
        }
        assert!(block_on(db.look_up(users::any)).unwrap());
        drop(release);
    });
}

#[test]
fn connection_that_became_read_only_is_refused() {
    let database = OwnDatabase::create();
    let url = format!("{}?target_session_attrs=read-write", database.url());
    let db = open(&Target::Postgres(url), 1, Timeouts { read: Duration::from_secs(3), ..patient() });
    assert!(!block_on(db.look_up(users::any)).expect("it answers"));
    database.batch(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name()));
    // The pool holds one or two connections; each is refused once it is read-only, and no other can be made.
    let make_read_only = || block_on(db.look_up(|c| Ok(c.batch_execute("SET default_transaction_read_only = on")?)));
    let refused = (0..4).map(|_| make_read_only()).find(Result::is_err).expect("none is left in the end");
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    database.batch(&format!("ALTER DATABASE {} RESET default_transaction_read_only", database.name()));
    assert!(!block_on(db.look_up(users::any)).expect("it answers again"));
}

#[test]
fn database_that_is_read_only_at_the_start_is_refused() {
    let database = OwnDatabase::create();
    drop(open(&Target::Postgres(database.url()), 1, patient()));
    database.batch(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name()));
    let error = Db::open(&Target::Postgres(database.url()), 1).err().expect("it is refused").to_string();
    assert!(error.contains("read-only"), "{error}");
}

#[test]
fn sqlite_file_without_room_fails_whole_batches_and_gives_up_the_reserve() {
    let house = House::open(Database::sqlite());
    let Target::Sqlite(path) = house.database.target() else { panic!("it is SQLite") };
    assert!(path.with_file_name("reserve").exists());
    let fill = |c: &mut Connection| -> Result<()> {
        c.batch_execute(
            "PRAGMA max_page_count=1; CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(99999))",
        )?;
        Ok(())
    };
    let answers = at_once(24, |number| {
        block_on(house.db.write(move |c| -> Result<()> {
            if number == 12 { fill(c) } else { insert_user(c, &format!("user{number}")).map(drop) }
        }))
    });
    for (number, answer) in answers.iter().enumerate() {
        if let Err(error) = answer {
            assert!(matches!(error, StorageError::Disk { is_full: true, .. }), "{number}: {error:?}");
        }
        assert_eq!(number != 12 && answer.is_ok(), house.knows(&format!("user{number}")), "{number}: {answer:?}");
    }
    assert!(answers[12].is_err());
    house.user("bob");
}

#[test]
fn sqlite_file_that_is_damaged_is_an_error_of_the_disk() {
    let house = House::open(Database::sqlite());
    house.user("ada");
    let fresh = House::beside(&house);
    block_on(house.db.checkpoint()).unwrap();
    let Target::Sqlite(path) = house.database.target() else { panic!("it is SQLite") };
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let refused = block_on(fresh.db.look_up(users::any));
    assert!(matches!(refused, Err(StorageError::Disk { is_full: false, .. })), "{refused:?}");
}
