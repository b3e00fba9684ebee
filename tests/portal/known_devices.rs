//! What one client with the right password, or with the cookie of a known device, may take from all others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokenhouse::auth::hasher::{Cost, Hasher};
use tokenhouse::domain::id::UserId;
use tokenhouse::domain::password::Password;
use tokenhouse::randomness;
use tokenhouse::storage::users;
use zeroize::Zeroizing;

use crate::support::{PASSWORD, Portal, on_both};

on_both![
    flood_of_right_passwords_of_one_account_leaves_sign_in_to_others,
    known_device_after_the_password_changed_counts_as_unknown,
    known_devices_of_an_account_share_one_budget,
    trusted_proxy_without_forwarded_for_is_not_one_address,
];

const NEW: &str = "sieben Regale voll Moos";

fn set_password(portal: &Portal, user: UserId, password: &str, cost: Cost) {
    let password = Password::typed(Zeroizing::new(password.to_owned()));
    let hash = Hasher::hash_here(cost, &password, &mut randomness::system()).expect("it hashes");
    assert!(portal.write(move |connection| users::set_password(connection, user, &hash)));
}

/// Lets many addresses guess, until no stranger may try any more.
fn attack(portal: &Portal) {
    for number in 0..110 {
        portal.visitor().at(&format!("198.51.100.{number}")).try_sign_in("ada", "guess");
    }
}

fn flood_of_right_passwords_of_one_account_leaves_sign_in_to_others(portal: Portal) {
    let ada = portal.user("ada");
    portal.user("eve");
    // The hashing threads are the bottleneck.
    set_password(&portal, ada.id, PASSWORD, Cost { memory: 4_096, passes: 2 });
    let flood: Vec<_> = (0..36).map(|_| ada.sign_in().at("203.0.113.7")).collect();
    let stop = AtomicBool::new(false);
    let statuses: Vec<u16> = thread::scope(|scope| {
        for browser in &flood {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    browser.try_sign_in("ada", PASSWORD);
                }
            });
        }
        let sign_in = |number| portal.visitor().at(&format!("198.51.100.{number}")).try_sign_in("eve", PASSWORD).status;
        let statuses = (0..10).map(sign_in).collect();
        stop.store(true, Ordering::Relaxed);
        statuses
    });
    assert_eq!(statuses, [303; 10]);
}

fn known_device_after_the_password_changed_counts_as_unknown(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, other) = (ada.sign_in(), ada.sign_in());
    let form = browser.page("/profile/security").form("Change password");
    browser.submit(&form.fill("Current password", PASSWORD).fill("New password", NEW)).with(303);
    attack(&portal);
    other.at("203.0.113.9").try_sign_in("ada", NEW).with(429);
    browser.try_sign_in("ada", NEW).with(303);
    // A reset makes the browser that changed it unknown as well.
    set_password(&portal, ada.id, PASSWORD, Cost { memory: 64, passes: 1 });
    browser.at("203.0.113.10").try_sign_in("ada", PASSWORD).with(429);
}

fn known_devices_of_an_account_share_one_budget(portal: Portal) {
    let ada = portal.user("ada");
    let (thief, owner) = (ada.sign_in().at("203.0.113.7"), ada.sign_in().at("203.0.113.9"));
    attack(&portal);
    for _ in 0..19 {
        thief.try_sign_in("ada", "guess").with(401);
    }
    owner.try_sign_in("ada", PASSWORD).with(303);
    thief.try_sign_in("ada", "guess").with(401);
    // The success did not refill it; now both are as unknown as the attackers.
    thief.try_sign_in("ada", "guess").with(429);
    owner.try_sign_in("ada", PASSWORD).with(429);
    portal.advance(30);
    owner.try_sign_in("ada", PASSWORD).with(303);
}

fn trusted_proxy_without_forwarded_for_is_not_one_address(portal: Portal) {
    portal.user("ada");
    for number in 0..20 {
        portal.visitor().try_sign_in(&format!("user{number}"), "guess").with(401);
    }
    portal.visitor().try_sign_in("ada", PASSWORD).with(303);
}
