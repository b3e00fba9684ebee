//! What the throttle must and must not do.

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
