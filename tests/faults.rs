//! What holds when the program is ended at a bad moment: killed in the midst of changes, or asked to stop in the midst of
//! requests; and when its disk is full or its PostgreSQL does not answer. The real binary.
//!
//! The plain run kills 20 times, with `TOKENHOUSE_TEST_SOAK=1` (`./test --soak`) 200 times; clients that rotate with an
//! `Idempotency-Key` see 10 and 300 kills, and lose 12 and 200 answers. Each run says its seed, and
//! `TOKENHOUSE_TEST_SEED` repeats its choices, if not its races.

#[path = "faults/connections.rs"]
mod connections;
#[path = "faults/database.rs"]
mod database;
#[path = "faults/full_disk.rs"]
mod full_disk;
#[path = "faults/house.rs"]
mod house;
#[path = "faults/keeper.rs"]
mod keeper;
#[path = "faults/killed.rs"]
mod killed;
#[path = "faults/owner.rs"]
mod owner;
#[path = "faults/postgres.rs"]
mod postgres;
#[path = "faults/restarted.rs"]
mod restarted;
#[path = "faults/rotations.rs"]
mod rotations;
#[path = "faults/stopped.rs"]
mod stopped;
#[path = "support/mod.rs"]
mod support;
