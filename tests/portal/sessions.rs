//! Sessions: how they begin, what they survive and what ends them.

use crate::support::{PASSWORD, Portal, at_once, on_both, rounds};

on_both![
    the_key_of_a_session_is_not_in_the_database,
    a_changed_cookie_is_no_session,
    a_cookie_signed_for_something_else_is_no_session,
    a_planted_session_dies_when_its_victim_signs_in,
    a_session_ends_after_thirty_idle_minutes,
    a_session_that_is_used_ends_after_twelve_hours,
    the_last_use_is_written_once_a_minute_and_never_by_the_request,
    signing_out_ends_every_copy_of_the_cookie,
    signing_out_needs_a_session,
    a_user_disabled_in_mid_session_is_out_at_the_next_request,
    a_role_taken_away_in_mid_session_counts_at_the_next_request,
    an_eleventh_session_ends_the_oldest,
    signing_in_again_ends_the_former_session_of_this_browser,
    a_session_survives_a_restart,
    a_request_in_flight_does_not_bring_a_session_back,
    ended_sessions_are_removed,
];

fn the_key_of_a_session_is_not_in_the_database(portal: Portal) {
    let cookie = portal.user("ada").sign_in().session().expect("it is signed in");
    // A signature of 44 characters, then the key.
    let decoded = percent_encoding::percent_decode_str(&cookie).decode_utf8().expect("text").into_owned();
    let key = &decoded[44..];
    assert!(key.len() >= 32, "{key}");
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let dump = format!("{:?}", portal.dump()).to_lowercase();
    assert!(!dump.contains(&key.to_lowercase()) && !dump.contains(&hex));
    let digest = tokenhouse::domain::secret::Digest::of(key);
    let digest: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(dump.contains(&digest), "its digest is");
}

fn a_changed_cookie_is_no_session(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let cookie = browser.session().expect("it is signed in");
    let last = if cookie.ends_with('a') { 'b' } else { 'a' };
    let changed = format!("{}{last}", &cookie[..cookie.len() - 1]);
    for bad in [changed.as_str(), "", "x", &cookie[50..], &format!("{cookie}x"), &"9".repeat(3_000)] {
        browser.set_cookie(&portal.cookies().session, bad);
        assert!(!browser.is_signed_in(), "{bad}");
    }
    browser.set_cookie(&portal.cookies().session, &cookie);
    assert!(browser.is_signed_in());
}

fn a_cookie_signed_for_something_else_is_no_session(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let device = browser.cookie(&portal.cookies().device).expect("the device is known now");
    let stranger = portal.visitor();
    stranger.set_cookie(&portal.cookies().session, &device);
    assert!(!stranger.is_signed_in());
}

fn a_planted_session_dies_when_its_victim_signs_in(portal: Portal) {
    portal.user("ada");
    let attacker = portal.user("eve").sign_in();
    let planted = attacker.session().expect("it is signed in");
    let victim = portal.visitor();
    victim.set_cookie(&portal.cookies().session, &planted);
    victim.try_sign_in("ada", PASSWORD).with(303);
    assert_ne!(victim.session().expect("it is signed in"), planted);
    assert!(victim.is_signed_in());
    assert!(!attacker.is_signed_in(), "the planted cookie opens nothing any more");
}

fn a_session_ends_after_thirty_idle_minutes(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.advance(29 * 60 + 59);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(29 * 60 + 59);
    assert!(browser.is_signed_in(), "each use counts");
    portal.flush();
    portal.advance(30 * 60);
    assert_eq!(browser.open("/profile").location(), "/login?next=%2Fprofile");
    browser.post("/logout", &[("", ""); 0]).with(401);
    portal.advance(-60);
    assert!(browser.is_signed_in(), "until it is removed, only the clock decides");
}

fn a_session_that_is_used_ends_after_twelve_hours(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for _ in 0..(12 * 3 - 1) {
        portal.advance(20 * 60);
        assert!(browser.is_signed_in());
        portal.flush();
    }
    portal.advance(20 * 60 - 1);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(1);
    assert!(!browser.is_signed_in());
}

fn the_last_use_is_written_once_a_minute_and_never_by_the_request(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.advance(59);
    portal.unchanged("a use within the minute", || {
        assert!(browser.is_signed_in());
        portal.flush();
    });
    portal.advance(1);
    portal.unchanged("a use", || assert!(browser.is_signed_in()));
    let before = portal.dump();
    portal.flush();
    assert_ne!(before["sessions"], portal.dump()["sessions"], "the flush writes it");
}

fn signing_out_ends_every_copy_of_the_cookie(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, other) = (ada.sign_in(), ada.sign_in());
    let copy = browser.clone();
    let answer = browser.submit(&browser.page("/profile").form("Sign out"));
    assert_eq!(answer.location(), "/login");
    assert_eq!(browser.session(), None, "the cookie goes too");
    assert!(!browser.is_signed_in() && !copy.is_signed_in());
    assert!(other.is_signed_in(), "the other browser stays");
    assert_eq!(portal.count("sessions"), 1);
    assert_eq!(portal.actions(), ["session.signed_in", "session.signed_in", "session.signed_out"]);
}

fn signing_out_needs_a_session(portal: Portal) {
    let page = portal.visitor().post("/logout", &[("", ""); 0]).with(401).page();
    assert_eq!(page.heading(), "Sign in first");
    assert_eq!(page.link("Sign in").as_deref(), Some("/login"));
}

fn a_user_disabled_in_mid_session_is_out_at_the_next_request(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser.token_form("ci");
    ada.disable();
    browser.open("/profile/api-tokens").with(303);
    portal.unchanged("a disabled user", || browser.submit(&form).with(401));
}

fn a_role_taken_away_in_mid_session_counts_at_the_next_request(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let form = browser.token_form("ci");
    ada.strip();
    let page = browser.open("/profile/api-tokens").with(403).page();
    page.says("This needs the privilege API Access, which you do not hold.");
    portal.unchanged("a user without API Access", || browser.submit(&form).with(403));
    let profile = browser.page("/profile");
    assert_eq!((profile.definition("Roles").as_str(), profile.definition("Privileges").as_str()), ("None", "None"));
    assert_eq!(profile.link("API Token Management"), None);
    ada.add_role("developer");
    browser.submit(&form).with(303);
}

fn an_eleventh_session_ends_the_oldest(portal: Portal) {
    let ada = portal.user("ada");
    let eve = portal.user("eve").sign_in();
    let mut browsers = Vec::new();
    for _ in 0..11 {
        browsers.push(ada.sign_in());
        portal.advance(1);
    }
    let alive: Vec<bool> = browsers.iter().map(|browser| browser.is_signed_in()).collect();
    assert_eq!(alive, [[false; 1].as_slice(), &[true; 10]].concat());
    assert!(eve.is_signed_in(), "another user's sessions do not count");
}

fn signing_in_again_ends_the_former_session_of_this_browser(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let former = browser.clone();
    browser.try_sign_in("ada", PASSWORD).with(303);
    assert!(browser.is_signed_in());
    assert!(!former.is_signed_in());
    // A failed one ends nothing.
    browser.try_sign_in("ada", "wrong").with(401);
    assert!(browser.is_signed_in());
}

fn a_session_survives_a_restart(portal: Portal) {
    let cookie = portal.user("ada").sign_in().session().expect("it is signed in");
    let portal = portal.restarted(|_| {});
    let browser = portal.visitor();
    browser.set_cookie(&portal.cookies().session, &cookie);
    assert!(browser.is_signed_in());
}

fn a_request_in_flight_does_not_bring_a_session_back(portal: Portal) {
    let ada = portal.user("ada");
    for _ in 0..rounds() {
        let browser = ada.sign_in();
        let copies: Vec<_> = (0..6).map(|_| browser.clone()).collect();
        at_once(6, |number| match number {
            0 => copies[0].post("/logout", &[("", ""); 0]).status,
            1 | 2 => copies[number].post("/reauthenticate", &[("password", PASSWORD), ("next", "/")]).status,
            _ => copies[number].open("/profile").status,
        });
        // Whoever was answered later may hold a newer key, but the row is gone.
        let ended = copies.iter().filter(|copy| copy.is_signed_in()).count();
        let rows = portal.count("sessions");
        assert!(rows == 0 && ended == 0 || rows == 1, "{ended} live on, {rows} rows");
        if rows == 1 {
            // The sign-out came after a key had changed, and was refused itself.
            portal.sql("DELETE FROM sessions");
        }
    }
}

fn ended_sessions_are_removed(portal: Portal) {
    let ada = portal.user("ada");
    ada.sign_in();
    portal.advance(20 * 60);
    let browser = ada.sign_in();
    portal.advance(15 * 60);
    portal.prune();
    assert_eq!(portal.count("sessions"), 1);
    assert!(browser.is_signed_in());
}
