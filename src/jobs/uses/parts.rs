//! Parts of what was counted: each is one transaction and has a number, so that it counts once however often it is tried.

use std::sync::Arc;

use super::counts::Counts;
use crate::domain::caller::UsedToken;
use crate::domain::secret::random_code;
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::callers::Gathered;
use crate::storage::{Connection, Db, Result, callers, usage_flushes};

/// Counts that are written in one transaction.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub number: i64,
    pub counts: Arc<Vec<Gathered>>,
    /// An estimate of the memory that they took when they were counted.
    pub bytes: usize,
}

/// What is being written.
#[derive(Debug)]
pub(super) struct Flushing {
    pub process_id: String,
    /// Of the last part.
    number: i64,
    /// The part that is being written. Whether it was is not known before the database says so.
    pub part: Option<Part>,
    /// What comes after it.
    pub taken: Vec<(UsedToken, Counts)>,
}

impl Default for Flushing {
    fn default() -> Self {
        Self { process_id: random_code(&mut randomness::system()), number: 0, part: None, taken: Vec::new() }
    }
}

impl Flushing {
    /// Sorts what was taken, the least token last. One order in the transactions of all nodes, so that two of them never
    /// wait for each other in a circle.
    pub fn sort(&mut self) {
        self.taken.sort_by_key(|(token, _)| std::cmp::Reverse(*token));
    }

    /// Makes a part of some `size` counts, or of all if there are fewer and `all` says so. `None` if none is to be made.
    pub fn next_part(&mut self, size: usize, all: bool) -> Option<&Part> {
        let mut counts = 0;
        let fits = |(_, of_token): &&(UsedToken, Counts)| {
            let before = counts;
            counts += of_token.len();
            before < size
        };
        let tokens = self.taken.iter().rev().take_while(fits).count();
        if tokens == 0 || counts < size && !all {
            return None;
        }
        let taken = self.taken.split_off(self.taken.len() - tokens);
        self.number += 1;
        self.part = Some(Part {
            number: self.number,
            bytes: taken.iter().map(|(_, counts)| counts.bytes()).sum(),
            counts: Arc::new(taken.iter().rev().flat_map(|(token, counts)| counts.gathered(*token)).collect()),
        });
        self.part.as_ref()
    }
}

/// Writes a part, unless it is written already.
pub(super) async fn write(db: &Db, process_id: &str, part: &Part) -> Result<()> {
    let (process_id, number, counts) = (process_id.to_owned(), part.number, part.counts.clone());
    let last = counts.iter().map(|one| one.caller.last_used_at).max().unwrap_or(Timestamp::from_unix(0));
    db.require_room()?;
    db.write_beside_checks(move |connection: &mut Connection| -> Result<()> {
        if usage_flushes::begin(connection, &process_id, number, last)? {
            callers::add(connection, &counts)?;
        }
        Ok(())
    })
    .await
}
