//! Uses of tokens and sessions, gathered in memory and written together every few seconds: no check waits for a write.
//! What a crash loses is the last seconds of counting, never a token.

mod counts;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::caller::UsedToken;
use crate::domain::id::{RepositoryId, SessionId};
use crate::domain::timestamp::Timestamp;
use crate::storage::callers::Gathered;
use crate::storage::{Connection, Db, Result, callers, sessions};

use counts::Counts;

/// Seconds between two flushes.
pub const FLUSH_SECONDS: u64 = 3;
/// Tokens counted between two flushes at most; the uses of further ones are not counted.
const MOST_TOKENS: usize = 200_000;
/// Parts with a lock of their own, so that checks on several threads seldom meet.
const SHARDS: usize = 16;
/// Counts that are written in one transaction, and those of one token at most: between two of them come the changes that somebody waits for.
const CHUNK: usize = 500;
/// A flush rests so many times as long as it works: however many tokens are in use, it takes a tenth of a processor.
const REST: u32 = 9;

type OfTokens = HashMap<UsedToken, Counts>;

/// What was counted since the last flush.
#[derive(Debug, Default)]
pub struct Uses {
    hasher: RandomState,
    tokens: [Mutex<OfTokens>; SHARDS],
    sessions: Mutex<HashMap<SessionId, Timestamp>>,
    /// One flush at a time.
    flushing: tokio::sync::Mutex<()>,
    hurried: AtomicBool,
}

impl Uses {
    /// Counts one good check of `token`, for `repository` if one was asked for.
    pub fn token_used(
        &self,
        token: UsedToken,
        repository: Option<RepositoryId>,
        now: Timestamp,
        address: IpAddr,
        agent: &str,
    ) {
        let mut tokens = self.shard(&token);
        let full = tokens.len() >= MOST_TOKENS / SHARDS;
        match tokens.entry(token) {
            Entry::Occupied(mut counts) => counts.get_mut().add(repository, now, address, agent),
            Entry::Vacant(_) if full => {}
            Entry::Vacant(place) => {
                place.insert(Counts::new(repository, now, address, agent));
            }
        }
    }

    /// Notes that a session was used.
    pub fn session_seen(&self, session: SessionId, now: Timestamp) {
        lock(&self.sessions).insert(session, now);
    }

    /// Writes what was counted. What cannot be written is counted again with the next flush.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        let _alone = self.flushing.lock().await;
        self.flush_sessions(db).await?;
        let mut taken = Vec::new();
        for (number, shard) in (1..).zip(&self.tokens) {
            // Not all at once: what is being written is in memory beside what is counted meanwhile.
            take_all(shard, &mut taken);
            self.flush_tokens(db, &mut taken, number == SHARDS).await?;
        }
        Ok(())
    }

    /// Writes what was `taken`: all of it, or full transactions alone.
    async fn flush_tokens(&self, db: &Db, taken: &mut Vec<(UsedToken, Counts)>, all: bool) -> Result<()> {
        // One order in the transactions of all nodes, so that two of them never wait for each other in a circle.
        taken.sort_by_key(|(token, _)| std::cmp::Reverse(*token));
        while !taken.is_empty() {
            let start = Instant::now();
            let mut counts = 0;
            let fits = |(_, of_token): &&(UsedToken, Counts)| {
                let before = counts;
                counts += of_token.len();
                before < CHUNK
            };
            let tokens = taken.iter().rev().take_while(fits).count();
            if counts < CHUNK && !all {
                return Ok(());
            }
            let chunk = taken.split_off(taken.len() - tokens);
            if let Err(error) = write(db, &chunk).await {
                let left = taken.drain(..).chain(chunk);
                left.for_each(|(token, counts)| self.put_back(token, counts));
                return Err(error);
            }
            let last = all && taken.is_empty();
            if !last && !self.hurried.load(Ordering::Relaxed) {
                tokio::time::sleep((start.elapsed() * REST).min(Duration::from_secs(1))).await;
            }
        }
        Ok(())
    }

    /// From now on flushes do not rest: the program is about to end.
    pub fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    async fn flush_sessions(&self, db: &Db) -> Result<()> {
        let seen = std::mem::take(&mut *lock(&self.sessions));
        if seen.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<(SessionId, Timestamp)> = seen.iter().map(|(&id, &at)| (id, at)).collect();
        sorted.sort();
        let written = db
            .write_beside_checks(move |connection: &mut Connection| -> Result<()> {
                sorted.into_iter().try_for_each(|(session, at)| sessions::set_seen(connection, session, at))
            })
            .await;
        if written.is_err() {
            let mut current = lock(&self.sessions);
            for (session, at) in seen {
                let known = current.entry(session).or_insert(at);
                *known = (*known).max(at);
            }
        }
        written
    }

    fn put_back(&self, token: UsedToken, counts: Counts) {
        let mut tokens = self.shard(&token);
        let full = tokens.len() >= MOST_TOKENS / SHARDS;
        match tokens.entry(token) {
            Entry::Occupied(mut current) => current.get_mut().merge(counts),
            Entry::Vacant(_) if full => {}
            Entry::Vacant(place) => {
                place.insert(counts);
            }
        }
    }

    fn shard(&self, token: &UsedToken) -> MutexGuard<'_, OfTokens> {
        let hash = self.hasher.hash_one(token);
        lock(&self.tokens[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Moves what was counted to `taken`, and leaves room for as much again.
fn take_all(shard: &Mutex<OfTokens>, taken: &mut Vec<(UsedToken, Counts)>) {
    let mut counted = lock(shard);
    let count = counted.len();
    taken.extend(counted.drain());
    counted.shrink_to(count);
}

async fn write(db: &Db, chunk: &[(UsedToken, Counts)]) -> Result<()> {
    // Of the last in the row the token is the least.
    let gathered: Vec<Gathered> = chunk.iter().rev().flat_map(|(token, counts)| counts.gathered(*token)).collect();
    db.require_room()?;
    db.write_beside_checks(move |connection: &mut Connection| callers::add(connection, &gathered)).await
}

#[cfg(test)]
mod tests;
