//! Uses of tokens and sessions, gathered in memory and written together every few seconds: no check waits for a write.
//! What a crash loses is the last seconds of counting, never a token.

mod counts;
mod parts;
mod spill;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::caller::UsedToken;
use crate::domain::id::{RepositoryId, SessionId};
use crate::domain::timestamp::Timestamp;
use crate::storage::{Connection, Db, Result, sessions};

use counts::{Count, Counts, Room};
use parts::Flushing;

/// Seconds between two flushes.
pub const FLUSH_SECONDS: u64 = 3;
/// Memory for all that was counted and is not written yet, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// Beyond this, new clients are not kept by name.
const MAX_CLIENT_BYTES: usize = 11 << 20;
/// Beyond this, new clients are not kept by repository either.
const MAX_REPOSITORY_BYTES: usize = 14 << 20;
/// Parts with a lock of their own, so that checks on several threads seldom meet.
const SHARDS: usize = 16;
/// Counts that are written in one transaction, and those of one token at most: between two of them come the changes that
/// somebody waits for.
const CHUNK: usize = 500;
/// The same when the program ends, and nothing else waits.
const LAST_CHUNK: usize = 5_000;
/// A flush rests so many times as long as it works: however many tokens are in use, it takes a tenth of a processor.
const REST: u32 = 9;

type OfTokens = HashMap<UsedToken, Counts>;

/// What was counted since the last flush.
#[derive(Debug, Default)]
pub struct Uses {
    /// Where the end of the program keeps what there was no time to write.
    folder: PathBuf,
    hasher: RandomState,
    tokens: [Mutex<OfTokens>; SHARDS],
    sessions: Mutex<HashMap<SessionId, Timestamp>>,
    /// An estimate of the memory that everything takes that is counted and not written yet.
    bytes: AtomicUsize,
    /// Uses for which there was no memory.
    uncounted: AtomicUsize,
    /// One flush at a time. What it has taken stays here when it is given up.
    flushing: tokio::sync::Mutex<Flushing>,
    hurried: AtomicBool,
    /// Whether the files of former processes are written.
    has_read_spilled: AtomicBool,
}

impl Uses {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, ..Self::default() }
    }

    /// Counts one good check of `token`, for `repository` if one was asked for, and whether it is a use that writes.
    pub fn token_used(
        &self,
        token: UsedToken,
        repository: Option<RepositoryId>,
        now: Timestamp,
        address: IpAddr,
        agent: &str,
        writes: bool,
    ) {
        let once = Count::once(now, writes);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let room = match bytes {
            0..MAX_CLIENT_BYTES => Room::Clients,
            MAX_CLIENT_BYTES..MAX_REPOSITORY_BYTES => Room::Repositories,
            _ => Room::Tokens,
        };
        let (before, after) = match self.shard(&token).entry(token) {
            Entry::Occupied(mut counts) => {
                let counts = counts.get_mut();
                // Mostly the client is known, and then nothing needs to be measured.
                if counts.add_to_known(repository, once, address, agent) {
                    return;
                }
                let before = counts.bytes();
                counts.add(repository, once, address, agent, room);
                (before, counts.bytes())
            }
            Entry::Vacant(_) if bytes >= MAX_BYTES => {
                self.uncounted.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Entry::Vacant(place) => (0, place.insert(Counts::new(repository, once, address, agent, room)).bytes()),
        };
        self.bytes.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
    }

    /// Notes that a session was used.
    pub fn session_seen(&self, session: SessionId, now: Timestamp) {
        lock(&self.sessions).insert(session, now);
    }

    /// Writes what was counted. What cannot be written is written with the next flush.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        self.flush_in_parts(db, CHUNK).await
    }

    /// The same in few transactions, which hold up everything else.
    pub async fn flush_large(&self, db: &Db) -> Result<()> {
        self.hurry();
        self.flush_in_parts(db, LAST_CHUNK).await
    }

    async fn flush_in_parts(&self, db: &Db, size: usize) -> Result<()> {
        let mut flushing = self.flushing.lock().await;
        self.flush_sessions(db).await?;
        self.write_part(db, &mut flushing).await?;
        for (number, shard) in (1..).zip(&self.tokens) {
            // Not all at once: what is being written is in memory beside what is counted meanwhile.
            take_all(shard, &mut flushing.taken);
            flushing.sort();
            let all = number == SHARDS;
            while flushing.next_part(size, all).is_some() {
                let start = Instant::now();
                self.write_part(db, &mut flushing).await?;
                if !(all && flushing.taken.is_empty()) {
                    self.rest_after(start).await;
                }
            }
        }
        let uncounted = self.uncounted.swap(0, Ordering::Relaxed);
        if uncounted > 0 {
            tracing::warn!("{uncounted} uses were not counted: too many tokens are in use at the same time");
        }
        Ok(())
    }

    /// Writes the part that was made, if there is one.
    async fn write_part(&self, db: &Db, flushing: &mut Flushing) -> Result<()> {
        if let Some(part) = &flushing.part {
            parts::write(db, &flushing.process_id, part).await?;
            self.bytes.fetch_sub(part.bytes, Ordering::Relaxed);
            flushing.part = None;
        }
        Ok(())
    }

    /// Leaves the processor to others, unless memory or time is short.
    async fn rest_after(&self, start: Instant) {
        let short = self.bytes.load(Ordering::Relaxed) > MAX_BYTES / 2;
        if !short && !self.hurried.load(Ordering::Relaxed) {
            tokio::time::sleep((start.elapsed() * REST).min(Duration::from_secs(1))).await;
        }
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

    fn shard(&self, token: &UsedToken) -> MutexGuard<'_, OfTokens> {
        let hash = self.hasher.hash_one(token);
        lock(&self.tokens[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Moves what was counted to `taken`.
fn take_all(shard: &Mutex<OfTokens>, taken: &mut Vec<(UsedToken, Counts)>) {
    let counted = std::mem::take(&mut *lock(shard));
    taken.extend(counted);
}

#[cfg(test)]
mod tests;
