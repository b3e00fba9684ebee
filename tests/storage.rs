//! What the rest of the program relies on when it stands on `storage`: proved on SQLite and on PostgreSQL with the
//! functions that the program itself calls.

#[path = "storage/at_once.rs"]
mod at_once;
#[path = "storage/checks.rs"]
mod checks;
#[path = "storage/databases.rs"]
mod databases;
#[path = "storage/deadlines.rs"]
mod deadlines;
#[path = "storage/house.rs"]
mod house;
#[path = "storage/rows.rs"]
mod rows;
#[path = "support/mod.rs"]
mod support;
#[path = "storage/transactions.rs"]
mod transactions;
#[path = "storage/usage_flushes.rs"]
mod usage_flushes;
