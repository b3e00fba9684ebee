//! Slows down whoever guesses passwords, by address and by account, without ever locking the owner out: a browser that
//! has signed in before has a budget of its own, and no account is disabled.
//!
//! Counters live in this process and are bounded; with several nodes each counts for itself.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::counters::{Age, Counters};
use crate::domain::timestamp::{HOUR, MINUTE, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    AccountFrom(String, IpAddr),
    Account(String),
    /// All known devices of an account.
    KnownDevices(String),
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    /// When the present window began.
    since: Timestamp,
    last: Timestamp,
}

impl Age for Counter {
    fn time(&self) -> Timestamp {
        self.last
    }
}

/// Seconds until the next try may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub i64);

/// One try to prove who one is.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The account in the form in which all spellings of its name are one.
    pub account: String,
    pub address: IpAddr,
    /// Whether that is a trusted proxy, whose clients are not counted as one address.
    pub is_proxy: bool,
    /// Whether the browser has signed in to this account before, with the present password.
    pub is_known_device: bool,
}

/// Counters of failed tries.
#[derive(Debug, Default)]
pub struct Throttle {
    counters: Mutex<Counters<Key, Counter>>,
}

impl Throttle {
    /// Counts the try as failed, before its password is looked at, so that many at once cannot slip through. Where the
    /// budget of the known devices is used up, a known device counts as any other. Returns the attempt as counted.
    pub fn admit(&self, attempt: Attempt, now: Timestamp) -> Result<Attempt, RetryAfter> {
        if attempt.is_known_device && self.count(&attempt, now).is_ok() {
            return Ok(attempt);
        }
        let attempt = Attempt { is_known_device: false, ..attempt };
        self.count(&attempt, now).map(|()| attempt)
    }

    fn count(&self, attempt: &Attempt, now: Timestamp) -> Result<(), RetryAfter> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(attempt);
        let wait = keys.iter().filter_map(|key| wait(key, counters.get_mut(key)?, now)).max();
        if let Some(seconds) = wait {
            return Err(RetryAfter(seconds));
        }
        for key in keys {
            let window = window(&key);
            let counter = counters.entry(key).or_insert(Counter { failures: 0, since: now, last: now });
            if now.since(counter.since) >= window {
                (counter.failures, counter.since) = (0, now);
            }
            counter.failures += 1;
            counter.last = now;
        }
        Ok(())
    }

    /// Takes the count back of a try that could not be judged. The address keeps it: a flood is what makes others wait.
    pub fn give_back(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(attempt).iter().filter(|key| !matches!(key, Key::Address(_))) {
            if let Some(counter) = counters.get_mut(key) {
                counter.failures = counter.failures.saturating_sub(1);
            }
        }
    }

    /// Takes the count back after the try succeeded; the account starts afresh from this address. The known devices
    /// keep what others of them failed.
    pub fn forgive(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(attempt) {
            match key {
                Key::AccountFrom(..) => {
                    counters.remove(&key);
                }
                Key::Address(_) | Key::Account(_) | Key::KnownDevices(_) => {
                    if let Some(counter) = counters.get_mut(&key) {
                        counter.failures = counter.failures.saturating_sub(1);
                    }
                }
            }
        }
    }
}

fn keys(attempt: &Attempt) -> Vec<Key> {
    let account = attempt.account.clone();
    if attempt.is_known_device {
        return vec![Key::KnownDevices(account)];
    }
    let network = network(attempt.address);
    let mut keys = vec![Key::AccountFrom(account.clone(), network), Key::Account(account)];
    if !attempt.is_proxy {
        keys.push(Key::Address(network));
    }
    keys
}

/// One subscriber usually has a whole /64 of IPv6 addresses.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

const fn window(key: &Key) -> i64 {
    match key {
        Key::Address(_) => 5 * MINUTE,
        Key::AccountFrom(..) | Key::Account(_) | Key::KnownDevices(_) => HOUR,
    }
}

/// Seconds to wait before another try on this key, if any.
fn wait(key: &Key, counter: &Counter, now: Timestamp) -> Option<i64> {
    let rest_of_window = window(key) - now.since(counter.since);
    if rest_of_window <= 0 {
        return None;
    }
    let since_last = |seconds: i64| seconds - now.since(counter.last);
    let seconds = match (key, counter.failures) {
        (Key::Address(_), 10..) | (Key::KnownDevices(_), 20..) => rest_of_window,
        (Key::AccountFrom(..), failures @ 5..) => since_last((1 << (failures - 5).min(6)).min(60)),
        (Key::Account(_), 100..) => since_last(30),
        _ => 0,
    };
    (seconds > 0).then_some(seconds)
}

#[cfg(test)]
mod tests;
