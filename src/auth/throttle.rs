//! Slows down whoever guesses passwords, by address and by account, without ever locking the owner out: a browser that
//! has signed in before has a budget of its own, and no account is disabled.
//!
//! Counters live in this process and are bounded; with several nodes each counts for itself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::timestamp::{HOUR, MINUTE, Timestamp};

/// Counters kept at most; the ones used longest ago go first.
const MOST_COUNTERS: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    AccountFrom(String, IpAddr),
    Account(String),
    KnownDevice(String, String),
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    /// When the present window began.
    since: Timestamp,
    last: Timestamp,
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
    /// The number of the browser, if it has signed in to this account before.
    pub device: Option<String>,
}

/// Counters of failed tries.
#[derive(Debug, Default)]
pub struct Throttle {
    counters: Mutex<HashMap<Key, Counter>>,
}

impl Throttle {
    /// Counts the try as failed, before its password is looked at, so that many at once cannot slip through.
    pub fn admit(&self, attempt: &Attempt, now: Timestamp) -> Result<(), RetryAfter> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys(attempt);
        let wait = keys.iter().filter_map(|key| wait(key, counters.get(key)?, now)).max();
        if let Some(seconds) = wait {
            return Err(RetryAfter(seconds));
        }
        make_room(&mut counters);
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

    /// Takes the count back after the try succeeded; the account starts afresh from this address.
    pub fn forgive(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(attempt) {
            match key {
                Key::AccountFrom(..) | Key::KnownDevice(..) => {
                    counters.remove(&key);
                }
                Key::Address(_) | Key::Account(_) => {
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
    if let Some(device) = &attempt.device {
        return vec![Key::KnownDevice(account, device.clone())];
    }
    let network = network(attempt.address);
    vec![Key::Address(network), Key::AccountFrom(account.clone(), network), Key::Account(account)]
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
        Key::AccountFrom(..) | Key::Account(_) | Key::KnownDevice(..) => HOUR,
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
        (Key::Address(_), 10..) | (Key::KnownDevice(..), 20..) => rest_of_window,
        (Key::AccountFrom(..), failures @ 5..) => since_last((1 << (failures - 5).min(6)).min(60)),
        (Key::Account(_), 100..) => since_last(30),
        _ => 0,
    };
    (seconds > 0).then_some(seconds)
}

fn make_room(counters: &mut HashMap<Key, Counter>) {
    if counters.len() + 4 <= MOST_COUNTERS {
        return;
    }
    let mut moments: Vec<Timestamp> = counters.values().map(|counter| counter.last).collect();
    let middle = moments.len() / 2;
    let (_, median, _) = moments.select_nth_unstable(middle);
    let median = *median;
    let mut surplus = counters.len() / 4;
    counters.retain(|_, counter| {
        let goes = surplus > 0 && counter.last <= median;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests;
