//! Limits how many password hashes one account and one address have in flight, right passwords included, so that no
//! client keeps the hashing threads from all others. Further ones wait for their turn.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

const MAX_PER_ACCOUNT: usize = 2;
const MAX_PER_ADDRESS: usize = 4;

/// Whose password is hashed.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The account in the form in which all spellings of its name are one.
    pub account: String,
    /// `None` for a trusted proxy, behind which are many clients.
    pub address: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(IpAddr),
}

type Semaphores = Mutex<HashMap<Key, Arc<Semaphore>>>;

/// Counts hashes in flight. Remembers only accounts and addresses that have one or wait for one.
#[derive(Debug, Default)]
pub struct Admission {
    semaphores: Arc<Semaphores>,
}

/// The right to one hash; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    _account: KeyPermit,
    _address: Option<KeyPermit>,
}

impl Admission {
    /// Waits until the requester may have another hash in flight.
    pub async fn acquire(&self, requester: Requester) -> Result<Permit, AcquireError> {
        // The address first: a client that waits for its address must not block another one's account meanwhile.
        let address = match requester.address {
            Some(address) => Some(self.acquire_key(Key::Address(address), MAX_PER_ADDRESS).await?),
            None => None,
        };
        let account = self.acquire_key(Key::Account(requester.account), MAX_PER_ACCOUNT).await?;
        Ok(Permit { _account: account, _address: address })
    }

    async fn acquire_key(&self, key: Key, limit: usize) -> Result<KeyPermit, AcquireError> {
        let semaphore = {
            let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(semaphores.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(limit))))
        };
        let entry = Entry { key, semaphore: Some(Arc::clone(&semaphore)), semaphores: Arc::clone(&self.semaphores) };
        Ok(KeyPermit { _permit: semaphore.acquire_owned().await?, _entry: entry })
    }
}

/// The fields are dropped in this order.
#[derive(Debug)]
struct KeyPermit {
    _permit: OwnedSemaphorePermit,
    _entry: Entry,
}

/// Keeps a semaphore in the map while it is used.
#[derive(Debug)]
struct Entry {
    key: Key,
    semaphore: Option<Arc<Semaphore>>,
    semaphores: Arc<Semaphores>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that exactly one of several is the last.
        drop(self.semaphore.take());
        if semaphores.get(&self.key).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            semaphores.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn requester(account: &str, address: Option<&str>) -> Requester {
        Requester { account: account.into(), address: address.map(|text| text.parse().unwrap()) }
    }

    fn acquire_now(admission: &Admission, account: &str, address: Option<&str>) -> Option<Permit> {
        admission.acquire(requester(account, address)).now_or_never().map(Result::unwrap)
    }

    #[test]
    fn account_with_two_hashes_in_flight_waits_for_one_to_end() {
        let admission = Admission::default();
        let first = acquire_now(&admission, "ada", Some("192.0.2.1")).unwrap();
        let _second = acquire_now(&admission, "ada", Some("192.0.2.2")).unwrap();
        assert!(acquire_now(&admission, "ada", Some("192.0.2.3")).is_none());
        assert!(acquire_now(&admission, "eve", Some("192.0.2.3")).is_some());
        drop(first);
        assert!(acquire_now(&admission, "ada", Some("192.0.2.3")).is_some());
    }

    #[test]
    fn address_with_four_hashes_in_flight_waits_and_a_proxy_does_not() {
        let admission = Admission::default();
        let accounts = ["a", "b", "c", "d"];
        let permits = accounts.map(|account| acquire_now(&admission, account, Some("192.0.2.1")).unwrap());
        assert!(acquire_now(&admission, "e", Some("192.0.2.1")).is_none());
        let behind_proxy: Vec<_> = (0..9).map(|user| acquire_now(&admission, &user.to_string(), None)).collect();
        assert!(behind_proxy.iter().all(Option::is_some));
        drop(permits);
        assert!(acquire_now(&admission, "e", Some("192.0.2.1")).is_some());
    }

    #[test]
    fn client_that_waits_for_its_address_does_not_block_an_account() {
        let admission = Admission::default();
        let _four = ["a", "b", "c", "d"].map(|account| acquire_now(&admission, account, Some("192.0.2.1")).unwrap());
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let mut acquiring = Box::pin(admission.acquire(requester("ada", Some("192.0.2.1"))));
            assert!((&mut acquiring).now_or_never().is_none());
            waiting.push(acquiring);
        }
        assert!(acquire_now(&admission, "ada", Some("192.0.2.2")).is_some());
    }

    #[test]
    fn admission_without_hashes_in_flight_remembers_nothing() {
        let admission = Admission::default();
        let permits = [(); 2].map(|()| acquire_now(&admission, "ada", Some("192.0.2.1")).unwrap());
        assert!(acquire_now(&admission, "ada", Some("192.0.2.1")).is_none(), "given up while waiting");
        assert_eq!(admission.semaphores.lock().unwrap().len(), 2);
        drop(permits);
        assert!(admission.semaphores.lock().unwrap().is_empty());
    }
}
