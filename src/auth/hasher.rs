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

use super::argon2id::{TAG, encode, hash, is_weaker, matches};
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

/// What a password was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// A hash at today's cost, where the stored one was cheaper.
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
        Ok(Self { jobs, params, nobody, strangers: Arc::new(Semaphore::new(STRANGERS)) })
    }

    /// Hashes a password that was chosen anew, right here and however long it takes: for a program of one user.
    pub fn hash_here(cost: Cost, password: &Password, rng: &mut impl CryptoRng) -> Option<PasswordHash> {
        let params = Params::new(cost.memory, cost.passes, 1, Some(TAG)).ok()?;
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        hash(&params, password, &salt, &mut Vec::new())
    }

    /// Hashes a password that was chosen anew.
    pub async fn hash(&self, password: Password, rng: &mut impl CryptoRng) -> Result<PasswordHash, Busy> {
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        let params = self.params.clone();
        self.run(move |memory| hash(&params, &password, &salt, memory)).await?.ok_or(Busy)
    }

    /// Checks a password. Without a stored hash the work is the same and the verdict is [`Verdict::Wrong`].
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        line: Line,
        rng: &mut impl CryptoRng,
    ) -> Result<Verdict, Busy> {
        // Strangers leave places free, so that a flood of them does not keep out those who have been here before.
        let place = match line {
            Line::Strangers => Some(Arc::clone(&self.strangers).try_acquire_owned().map_err(|_| Busy)?),
            Line::KnownDevices => None,
        };
        let mut salt = [0; SALT];
        rng.fill_bytes(&mut salt);
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let params = self.params.clone();
        self.run(move |memory| {
            let _place = place;
            if !matches(&stored, &password, memory) || !known {
                return Verdict::Wrong;
            }
            let stronger = is_weaker(&stored, &params).then(|| hash(&params, &password, &salt, memory)).flatten();
            Verdict::Right { stronger }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            // Whoever gave up waiting costs no hash.
            if !sender.is_closed() {
                let _ = sender.send(work(memory));
            }
        });
        self.jobs.try_send(job).map_err(|_| Busy)?;
        tokio::time::timeout(PATIENCE, receiver).await.map_err(|_| Busy)?.map_err(|_| Busy)
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
mod tests {
    use super::*;
    use argon2::password_hash::phc::PasswordHash as Phc;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha12Rng;
    use zeroize::Zeroizing;

    const CHEAP: Cost = Cost { memory: 64, passes: 1 };

    fn rng() -> ChaCha12Rng {
        ChaCha12Rng::from_seed([5; 32])
    }

    fn typed(text: &str) -> Password {
        Password::typed(Zeroizing::new(text.to_owned()))
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn a_password_is_told_from_another() {
        let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
        block_on(async {
            let stored = hasher.hash(typed("kupfer-Wal-9"), &mut rng()).await.unwrap();
            assert!(stored.as_phc().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
            let right =
                hasher.verify(typed("kupfer-Wal-9"), Some(stored.clone()), Line::Strangers, &mut rng()).await.unwrap();
            assert_eq!(right, Verdict::Right { stronger: None });
            assert_eq!(
                hasher.verify(typed("kupfer-Wal-8"), Some(stored), Line::Strangers, &mut rng()).await.unwrap(),
                Verdict::Wrong
            );
        });
    }

    #[test]
    fn an_unknown_users_password_is_hashed_at_full_cost_and_wrong() {
        let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
        let phc = Phc::new(hasher.nobody.as_phc()).unwrap();
        assert_eq!(Params::try_from(&phc).unwrap().m_cost(), CHEAP.memory);
        let mut memory = Vec::new();
        assert!(!matches(&hasher.nobody, &typed("anything"), &mut memory));
        assert_eq!(memory.len(), CHEAP.memory as usize, "the hash was really calculated");
        let verdict =
            block_on(async { hasher.verify(typed("anything"), None, Line::Strangers, &mut rng()).await.unwrap() });
        assert_eq!(verdict, Verdict::Wrong);
    }

    #[test]
    fn a_cheaper_stored_hash_is_replaced_on_the_way() {
        let cheap = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
        let strong = Hasher::start(Cost { memory: 128, passes: 2 }, 1, &mut rng()).unwrap();
        block_on(async {
            let stored = cheap.hash(typed("kupfer-Wal-9"), &mut rng()).await.unwrap();
            let verdict =
                strong.verify(typed("kupfer-Wal-9"), Some(stored), Line::Strangers, &mut rng()).await.unwrap();
            let Verdict::Right { stronger: Some(stronger) } = verdict else { panic!("{verdict:?}") };
            assert!(stronger.as_phc().contains("m=128,t=2"));
        });
    }

    #[test]
    fn malformed_stored_hashes_match_nothing() {
        let mut memory = Vec::new();
        for text in ["", "x", "$argon2id$v=19$m=64,t=1,p=1$", "$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ$aGFzaGhhc2g"] {
            assert!(!matches(&PasswordHash::from_phc(text.to_owned()), &typed(""), &mut memory), "{text}");
        }
    }
}
