//! What the throttle must and must not do.

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

fn attempt(account: &str, address: &str, known_device: bool) -> Attempt {
    let address = address.parse().unwrap();
    Attempt { account: account.into(), address, is_proxy: false, is_known_device: known_device }
}

fn admit(throttle: &Throttle, attempt: &Attempt, now: Timestamp) -> Result<(), RetryAfter> {
    throttle.admit(attempt.clone(), now).map(|_| ())
}

#[test]
fn an_address_has_ten_failures_in_five_minutes() {
    let throttle = Throttle::default();
    for number in 0..10 {
        assert_eq!(admit(&throttle, &attempt(&format!("user{number}"), "192.0.2.1", false), NOW), Ok(()));
    }
    let refused = admit(&throttle, &attempt("another", "192.0.2.1", false), NOW.plus(1));
    assert_eq!(refused, Err(RetryAfter(5 * MINUTE - 1)));
    assert_eq!(admit(&throttle, &attempt("another", "192.0.2.2", false), NOW.plus(1)), Ok(()));
    assert_eq!(admit(&throttle, &attempt("another", "192.0.2.1", false), NOW.plus(5 * MINUTE)), Ok(()));
}

#[test]
fn one_account_from_one_address_waits_longer_each_time() {
    let throttle = Throttle::default();
    let ada = attempt("ada", "192.0.2.1", false);
    for _ in 0..5 {
        assert_eq!(admit(&throttle, &ada, NOW), Ok(()));
    }
    assert_eq!(admit(&throttle, &ada, NOW), Err(RetryAfter(1)));
    assert_eq!(admit(&throttle, &ada, NOW.plus(1)), Ok(()));
    assert_eq!(admit(&throttle, &ada, NOW.plus(1)), Err(RetryAfter(2)));
}

#[test]
fn a_known_device_gets_in_while_others_guess() {
    let throttle = Throttle::default();
    for number in 0..200 {
        let _ = admit(&throttle, &attempt("ada", &format!("198.51.100.{number}"), false), NOW);
    }
    assert!(admit(&throttle, &attempt("ada", "203.0.113.9", false), NOW).is_err());
    assert_eq!(admit(&throttle, &attempt("ada", "198.51.100.1", true), NOW), Ok(()));
}

#[test]
fn an_owner_on_a_new_device_still_gets_a_try_every_30_seconds() {
    let throttle = Throttle::default();
    for number in 0..100 {
        assert_eq!(admit(&throttle, &attempt("ada", &format!("198.51.100.{number}"), false), NOW), Ok(()));
    }
    let owner = attempt("ada", "203.0.113.9", false);
    assert_eq!(admit(&throttle, &owner, NOW), Err(RetryAfter(30)));
    assert_eq!(admit(&throttle, &owner, NOW.plus(30)), Ok(()));
}

#[test]
fn success_is_not_counted() {
    let throttle = Throttle::default();
    for _ in 0..50 {
        let ada = attempt("ada", "192.0.2.1", false);
        assert_eq!(admit(&throttle, &ada, NOW), Ok(()));
        throttle.forgive(&ada);
    }
}

#[test]
fn a_try_that_could_not_be_judged_counts_for_the_address_alone() {
    let throttle = Throttle::default();
    for _ in 0..10 {
        let ada = attempt("ada", "192.0.2.1", false);
        assert_eq!(admit(&throttle, &ada, NOW), Ok(()));
        throttle.give_back(&ada);
    }
    assert!(admit(&throttle, &attempt("bob", "192.0.2.1", false), NOW).is_err());
    assert_eq!(admit(&throttle, &attempt("ada", "192.0.2.2", false), NOW), Ok(()));
}

#[test]
fn attempt_that_could_not_be_judged_keeps_earlier_failures_of_known_devices() {
    let throttle = Throttle::default();
    let device = attempt("ada", "192.0.2.1", true);
    let is_known = |admitted: Result<Attempt, RetryAfter>| admitted.unwrap().is_known_device;
    for _ in 0..20 {
        assert!(is_known(throttle.admit(device.clone(), NOW)));
    }
    throttle.give_back(&device);
    assert!(is_known(throttle.admit(device.clone(), NOW)));
    assert!(!is_known(throttle.admit(device.clone(), NOW)));
}

#[test]
fn known_devices_of_an_account_share_one_budget_and_then_count_as_unknown() {
    let throttle = Throttle::default();
    for number in 0..20 {
        let admitted = throttle.admit(attempt("ada", &format!("198.51.100.{number}"), true), NOW);
        assert!(admitted.unwrap().is_known_device);
    }
    let owner = attempt("ada", "203.0.113.9", true);
    for _ in 0..5 {
        assert!(!throttle.admit(owner.clone(), NOW).unwrap().is_known_device);
    }
    assert_eq!(admit(&throttle, &owner, NOW), Err(RetryAfter(1)));
    assert!(throttle.admit(attempt("eve", "203.0.113.8", true), NOW).unwrap().is_known_device);
    assert!(throttle.admit(owner, NOW.plus(HOUR)).unwrap().is_known_device);
}

#[test]
fn success_on_a_known_device_does_not_refill_the_budget() {
    let throttle = Throttle::default();
    let device = attempt("ada", "192.0.2.1", true);
    for _ in 0..19 {
        assert_eq!(admit(&throttle, &device, NOW), Ok(()));
    }
    for _ in 0..3 {
        throttle.forgive(&throttle.admit(device.clone(), NOW).unwrap());
    }
    assert!(throttle.admit(device.clone(), NOW).unwrap().is_known_device);
    assert!(!throttle.admit(device, NOW).unwrap().is_known_device);
}

#[test]
fn trusted_proxy_is_not_counted_as_one_address() {
    let throttle = Throttle::default();
    for number in 0..50 {
        let behind_proxy = Attempt { is_proxy: true, ..attempt(&format!("user{number}"), "10.0.0.1", false) };
        assert_eq!(admit(&throttle, &behind_proxy, NOW), Ok(()));
    }
}

#[test]
fn a_whole_ipv6_network_counts_as_one_address() {
    assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff:1".parse().unwrap()));
    assert_ne!(network("2001:db8::1".parse().unwrap()), network("2001:db8:0:1::1".parse().unwrap()));
    assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), network("192.0.2.1".parse().unwrap()));
}
