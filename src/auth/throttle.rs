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
fn network(address: IpAddr) -> IpAddr {
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
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    fn attempt(account: &str, address: &str, known_device: bool) -> Attempt {
        let device = known_device.then(|| "device".to_owned());
        Attempt { account: account.into(), address: address.parse().unwrap(), device }
    }

    #[test]
    fn an_address_has_ten_failures_in_five_minutes() {
        let throttle = Throttle::default();
        for number in 0..10 {
            assert_eq!(throttle.admit(&attempt(&format!("user{number}"), "192.0.2.1", false), NOW), Ok(()));
        }
        let refused = throttle.admit(&attempt("another", "192.0.2.1", false), NOW.plus(1));
        assert_eq!(refused, Err(RetryAfter(5 * MINUTE - 1)));
        assert_eq!(throttle.admit(&attempt("another", "192.0.2.2", false), NOW.plus(1)), Ok(()));
        assert_eq!(throttle.admit(&attempt("another", "192.0.2.1", false), NOW.plus(5 * MINUTE)), Ok(()));
    }

    #[test]
    fn one_account_from_one_address_waits_longer_each_time() {
        let throttle = Throttle::default();
        let ada = attempt("ada", "192.0.2.1", false);
        for _ in 0..5 {
            assert_eq!(throttle.admit(&ada, NOW), Ok(()));
        }
        assert_eq!(throttle.admit(&ada, NOW), Err(RetryAfter(1)));
        assert_eq!(throttle.admit(&ada, NOW.plus(1)), Ok(()));
        assert_eq!(throttle.admit(&ada, NOW.plus(1)), Err(RetryAfter(2)));
    }

    #[test]
    fn a_known_device_gets_in_while_others_guess() {
        let throttle = Throttle::default();
        for number in 0..200 {
            let _ = throttle.admit(&attempt("ada", &format!("198.51.100.{number}"), false), NOW);
        }
        assert!(throttle.admit(&attempt("ada", "203.0.113.9", false), NOW).is_err());
        assert_eq!(throttle.admit(&attempt("ada", "198.51.100.1", true), NOW), Ok(()));
    }

    #[test]
    fn an_owner_on_a_new_device_still_gets_a_try_every_30_seconds() {
        let throttle = Throttle::default();
        for number in 0..100 {
            assert_eq!(throttle.admit(&attempt("ada", &format!("198.51.100.{number}"), false), NOW), Ok(()));
        }
        let owner = attempt("ada", "203.0.113.9", false);
        assert_eq!(throttle.admit(&owner, NOW), Err(RetryAfter(30)));
        assert_eq!(throttle.admit(&owner, NOW.plus(30)), Ok(()));
    }

    #[test]
    fn success_is_not_counted() {
        let throttle = Throttle::default();
        for _ in 0..50 {
            let ada = attempt("ada", "192.0.2.1", false);
            assert_eq!(throttle.admit(&ada, NOW), Ok(()));
            throttle.forgive(&ada);
        }
    }

    #[test]
    fn a_try_that_could_not_be_judged_counts_for_the_address_alone() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            let ada = attempt("ada", "192.0.2.1", false);
            assert_eq!(throttle.admit(&ada, NOW), Ok(()));
            throttle.give_back(&ada);
        }
        assert!(throttle.admit(&attempt("bob", "192.0.2.1", false), NOW).is_err());
        assert_eq!(throttle.admit(&attempt("ada", "192.0.2.2", false), NOW), Ok(()));
    }

    #[test]
    fn what_could_not_be_judged_wipes_out_no_earlier_failures() {
        let throttle = Throttle::default();
        let device = attempt("ada", "192.0.2.1", true);
        for _ in 0..19 {
            assert_eq!(throttle.admit(&device, NOW), Ok(()));
        }
        assert_eq!(throttle.admit(&device, NOW), Ok(()));
        throttle.give_back(&device);
        assert_eq!(throttle.admit(&device, NOW), Ok(()));
        assert!(throttle.admit(&device, NOW).is_err());
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_address() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(network("2001:db8::1".parse().unwrap()), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), network("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut counters = HashMap::new();
        for number in 0..u32::try_from(MOST_COUNTERS).unwrap() {
            let counter = Counter { failures: 1, since: NOW, last: NOW.plus(number.into()) };
            counters.insert(Key::Account(number.to_string()), counter);
        }
        make_room(&mut counters);
        assert!(counters.len() <= MOST_COUNTERS * 3 / 4 + 1);
        assert!(counters.contains_key(&Key::Account((MOST_COUNTERS - 1).to_string())), "the newest stay");
    }
}
