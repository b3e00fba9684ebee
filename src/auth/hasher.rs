//! Argon2id on threads of its own, each with one block of memory that it uses again and again: however many sign in
//! at once, the memory stays bounded and the other work goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::{Block, Params};
use rand::CryptoRng;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::admission::{Admission, Requester};
use super::argon2id::{TAG, encode, hash, is_weaker, matches};
use crate::domain::Invalid;
use crate::domain::password::{Password, PasswordHash};

/// Hashes that may wait; further ones are refused.
const QUEUE: usize = 32;
/// How many of those may be strangers'.
const STRANGERS: usize = 24;
/// How long one waits for its hash.
const PATIENCE: Duration = Duration::from_millis(1_500);
const SALT: usize = 16;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// OWASP's parameters: 19 MiB, 2 passes, 1 lane.
    pub const OWASP: Self = Self { memory: 19_456, passes: 2 };
}

/// Too many passwords are being checked at this moment; try again in 2 seconds.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

/// Why a new password has no hash.
#[derive(Debug, thiserror::Error)]
pub enum NewPasswordError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Busy(#[from] Busy),
}

/// What a password was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// A hash at today's cost and of the password in NFC, where the stored one was cheaper or of another form.
        stronger: Option<PasswordHash>,
    },
}

/// Where one queues for a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Browsers that have signed in to the account before, and the shell.
    KnownDevices,
    Strangers,
}

type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// A handle to the hashing threads; they end with it.
pub struct Hasher {
    jobs: SyncSender<Job>,
    params: Params,
    /// Well-formed, at full cost, and of no password: what unknown users are checked against.
    nobody: PasswordHash,
    strangers: Arc<Semaphore>,
    admission: Admission,
}

impl Hasher {
    pub fn start(cost: Cost, threads: usize, rng: &mut impl CryptoRng) -> std::io::Result<Self> {
        let params = Params::new(cost.memory, cost.passes, 1, Some(TAG)).map_err(std::io::Error::other)?;
        let (mut salt, mut tag) = ([0; SALT], [0; TAG]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut tag);
        let nobody = encode(&params, &salt, &tag).ok_or_else(|| std::io::Error::other("argon2 parameters"))?;
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("argon2-{number}")).spawn(move || work(&queue))?;
        }
        let strangers = Arc::new(Semaphore::new(STRANGERS));
        Ok(Self { jobs, params, nobody, strangers, admission: Admission::default() })
    }

    /// Hashes a password that was chosen anew, right here and however long it takes: for a program of one user.
    pub fn hash_here(cost: Cost, password: &Password, rng: &mut impl CryptoRng) -> Option<PasswordHash> {
        let params = Params::new(cost.memory, cost.passes, 1, Some(TAG)).ok()?;
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        hash(&params, &password.nfc(), &salt, &mut Vec::new())
    }

    /// Checks and hashes a password that was chosen anew; see [`Password::choose`]. Its strength is estimated on a
    /// hashing thread too, because that may take 0.3 s.
    pub async fn hash_new(
        &self,
        text: Zeroizing<String>,
        context: Vec<String>,
        requester: Requester,
        rng: &mut impl CryptoRng,
    ) -> Result<PasswordHash, NewPasswordError> {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        let params = self.params.clone();
        let hash = self.run(requester, Line::KnownDevices, move |memory| {
            let context: Vec<&str> = context.iter().map(String::as_str).collect();
            let password = Password::choose(&text, &context)?;
            hash(&params, password.reveal(), &salt, memory).ok_or(NewPasswordError::Busy(Busy))
        });
        hash.await?
    }

    /// Checks a password. Without a stored hash the work is the same and the verdict is [`Verdict::Wrong`].
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        line: Line,
        requester: Requester,
        rng: &mut impl CryptoRng,
    ) -> Result<Verdict, Busy> {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let params = self.params.clone();
        self.run(requester, line, move |memory| {
            let nfc = password.nfc();
            let matches_nfc = matches(&stored, &nfc, memory);
            // Hashes of former versions are of the password as it was typed.
            let right = matches_nfc || (*nfc != password.reveal() && matches(&stored, password.reveal(), memory));
            if !right || !known {
                return Verdict::Wrong;
            }
            let outdated = !matches_nfc || is_weaker(&stored, &params);
            Verdict::Right { stronger: outdated.then(|| hash(&params, &nfc, &salt, memory)).flatten() }
        })
        .await
    }

    /// Does `work` on a hashing thread, for which it may wait.
    async fn run<T: Send + 'static>(
        &self,
        requester: Requester,
        line: Line,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let run = async {
            let permit = self.admission.acquire(requester).await.map_err(|_| Busy)?;
            // Strangers leave places free, so that a flood of them does not keep out those who have been here before.
            let place = match line {
                Line::Strangers => Some(Arc::clone(&self.strangers).try_acquire_owned().map_err(|_| Busy)?),
                Line::KnownDevices => None,
            };
            let (sender, receiver) = oneshot::channel();
            let job: Job = Box::new(move |memory| {
                // Both are given back when the thread is free again, not when the client goes.
                let _held = (permit, place);
                // Whoever gave up waiting costs no hash.
                if !sender.is_closed() {
                    let _ = sender.send(work(memory));
                }
            });
            self.jobs.try_send(job).map_err(|_| Busy)?;
            receiver.await.map_err(|_| Busy)
        };
        tokio::time::timeout(PATIENCE, run).await.map_err(|_| Busy)?
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    let mut memory = Vec::new();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A job that panics is answered as busy, and ends no thread.
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            memory = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;
