//! `/login`: who gets in, who does not, and what either of them learns.

use crate::support::{Answer, Browser, PASSWORD, Page, Portal, on_both};

on_both![
    wrong_unknown_and_disabled_are_answered_alike,
    a_refused_sign_in_keeps_the_username_and_not_the_password,
    a_password_typed_as_username_comes_into_no_event,
    a_user_without_a_password_cannot_sign_in,
    the_eleventh_failure_of_an_address_has_to_wait,
    forwarded_address_with_port_or_brackets_is_the_client,
    guessing_one_account_waits_longer_and_longer,
    an_owner_gets_in_from_a_known_device_during_an_attack,
    a_device_cookie_of_another_user_or_of_no_signature_helps_nobody,
    next_leads_to_own_pages_only,
    sign_in_without_kept_cookie_says_so,
    setup_without_kept_cookie_says_so,
    the_page_that_was_asked_for_comes_back_after_signing_in,
    the_username_may_be_typed_in_any_case,
    a_good_sign_in_is_an_event,
];

/// An answer without what differs by chance: the number of the request.
fn normalised(answer: &Answer, username: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("readable").to_owned()))
        .filter(|(name, _)| name != "x-request-id" && name != "date")
        .collect();
    headers.sort();
    let text = answer.text().replace(&format!("value=\"{username}\""), "value=\"\"");
    (answer.status, headers, text)
}

fn wrong_unknown_and_disabled_are_answered_alike(portal: Portal) {
    portal.user("adaa");
    portal.user("evee").disable();
    let answers = [
        ("adaa", "wrong password"),
        ("nobo", PASSWORD),
        ("evee", PASSWORD),
        ("evee", "wrong password"),
        ("a b?", PASSWORD),
        ("adaa", ""),
    ];
    let [first, rest @ ..] = answers.map(|(username, password)| {
        let answer = portal.visitor().try_sign_in(username, password).with(401);
        // The length of the page must not tell either.
        assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
        normalised(&answer, username)
    });
    for other in rest {
        assert_eq!(first, other);
    }
    assert!(
        first.2.contains(
            "Username or password is wrong, or the account is disabled. Check both, or ask an administrator."
        )
    );
    assert_eq!(portal.count("sessions"), 0);
}

fn a_refused_sign_in_keeps_the_username_and_not_the_password(portal: Portal) {
    let visitor = portal.visitor();
    let form = visitor.page("/login?next=/profile").form("Sign in");
    let page = visitor.submit(&form.fill("Username", "\"><b>ada").fill("Password", "geheim geheim")).with(401).page();
    assert_eq!(
        page.alerts(),
        ["Username or password is wrong, or the account is disabled. Check both, or ask an administrator."]
    );
    let again = page.form("Sign in");
    assert_eq!((again.value("username").as_str(), again.value("password").as_str()), ("\"><b>ada", ""));
    assert_eq!(again.value("next"), "/profile");
    assert!(page.title().starts_with("Error: Sign in"));
    page.does_not_say("geheim");
}

fn a_password_typed_as_username_comes_into_no_event(portal: Portal) {
    portal.user("ada");
    portal.visitor().try_sign_in("kupferwalneunlaterne", "ada").with(401);
    portal.visitor().try_sign_in("ada", "not this one").with(401);
    // Both leave the same trace, so that the one takes no longer than the other.
    assert_eq!(portal.actions(), ["session.sign_in_failed", "session.sign_in_failed"]);
    let events = format!("{:?}", portal.dump()["events"]);
    assert!(!events.contains("kupferwal") && !events.contains("not this one"), "{events}");
}

fn a_user_without_a_password_cannot_sign_in(portal: Portal) {
    portal.user("ada");
    portal.sql("UPDATE users SET password_hash = NULL");
    for password in ["", PASSWORD] {
        portal.visitor().try_sign_in("ada", password).with(401);
    }
}

#[track_caller]
fn retry_after(answer: Answer) -> i64 {
    let answer = answer.with(429);
    answer.page().says("Too many tries.");
    answer.header("retry-after").expect("it says when").parse().expect("whole seconds")
}

fn the_eleventh_failure_of_an_address_has_to_wait(portal: Portal) {
    portal.user("ada");
    let attacker = portal.visitor().at("203.0.113.7");
    for number in 0..10 {
        attacker.try_sign_in(&format!("user{number}"), "guess").with(401);
    }
    assert_eq!(retry_after(attacker.try_sign_in("ada", PASSWORD)), 300, "the right password changes nothing");
    portal.advance(299);
    assert_eq!(retry_after(attacker.try_sign_in("ada", PASSWORD)), 1);
    portal.visitor().at("203.0.113.8").try_sign_in("ada", PASSWORD).with(303);
    portal.advance(1);
    attacker.try_sign_in("ada", PASSWORD).with(303);
}

fn forwarded_address_with_port_or_brackets_is_the_client(portal: Portal) {
    portal.user("ada");
    for number in 0..10 {
        let attacker = portal.visitor().at(&format!("\"[2001:db8::7]:{}\", ", 40_000 + number));
        attacker.try_sign_in(&format!("user{number}"), "guess").with(401);
    }
    retry_after(portal.visitor().at("2001:db8::7").try_sign_in("ada", PASSWORD));
    let browser = portal.visitor().at("203.0.113.66:40001");
    browser.try_sign_in("ada", PASSWORD).with(303);
    browser.page("/profile/security").says("203.0.113.66").does_not_say("40001");
    let forwarded = "for=198.51.100.1, for=\"[2001:DB8:1:0::9]:4711\";proto=https;by=_proxy";
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/")];
    portal.visitor().request("POST", "/login").header("forwarded", forwarded).form(&fields).send().with(303);
    browser.page("/profile/security").says("2001:db8:1::9").does_not_say("198.51.100.1");
}

fn guessing_one_account_waits_longer_and_longer(portal: Portal) {
    portal.user("ada");
    let attacker = portal.visitor().at("203.0.113.7");
    // All spellings of the name are one account.
    for username in ["ada", "ADA", " ada ", "Ada", "aDa"] {
        attacker.try_sign_in(username, "guess").with(401);
    }
    for seconds in [1, 2, 4] {
        assert_eq!(retry_after(attacker.try_sign_in("ada", PASSWORD)), seconds);
        portal.advance(seconds);
        attacker.try_sign_in("ada", "guess").with(401);
    }
    assert_eq!(retry_after(attacker.try_sign_in("ada", PASSWORD)), 8);
    assert_eq!(portal.count("sessions"), 0);
}

fn an_owner_gets_in_from_a_known_device_during_an_attack(portal: Portal) {
    let known = portal.user("ada").sign_in();
    for number in 0..110 {
        portal.visitor().at(&format!("198.51.100.{number}")).try_sign_in("ada", "guess");
    }
    let elsewhere = portal.visitor().at("203.0.113.9");
    assert_eq!(retry_after(elsewhere.try_sign_in("ada", PASSWORD)), 30);
    known.try_sign_in("ada", PASSWORD).with(303);
    // The owner is not locked out on a new device either.
    portal.advance(30);
    elsewhere.try_sign_in("ada", PASSWORD).with(303);
}

fn a_device_cookie_of_another_user_or_of_no_signature_helps_nobody(portal: Portal) {
    let ada = portal.user("ada");
    let eve = portal.user("eve").sign_in();
    let attacker = eve.at("203.0.113.7");
    let forged = portal.visitor().at("203.0.113.8");
    forged.set_cookie(&portal.cookies().device, &ada.id.to_string());
    for browser in [&attacker, &forged] {
        for _ in 0..5 {
            browser.try_sign_in("ada", "guess").with(401);
        }
        assert_eq!(retry_after(browser.try_sign_in("ada", PASSWORD)), 1);
    }
}

fn next_leads_to_own_pages_only(portal: Portal) {
    portal.user("ada");
    let sign_in = |next: &str| {
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        let visitor = portal.visitor();
        let answer = visitor.post("/login", &fields);
        visitor.open(answer.location()).location().to_owned()
    };
    for own in ["/profile", "/profile/api-tokens?status=revoked", "/profile/api-tokens/new?name=a%20b&expiry=7"] {
        assert_eq!(sign_in(own), own);
    }
    for foreign in [
        "",
        "https://evil.example/",
        "//evil.example/profile",
        "/\\evil.example",
        "/%2F/evil.example",
        "\\/evil.example",
        "javascript:alert(1)",
        "/profile\r\nSet-Cookie: a=b",
        "/profile\u{2028}",
        "/login",
        "/logout",
        "/setup?code=x",
        "/reauthenticate?next=/profile",
        "/api/v1/me",
        "/static/portal.css",
        "/profile/",
        "/PROFILE",
        "/nowhere",
    ] {
        assert_eq!(sign_in(foreign), "/", "{foreign:?}");
    }
    let page = portal.visitor().page("/login?next=https://evil.example/");
    assert_eq!(page.form("Sign in").value("next"), "/");
}

/// Follows a redirect as a browser that keeps no cookie.
fn follow_without_cookies(portal: &Portal, answer: &Answer) -> Page {
    portal.visitor().open(answer.location()).with(200).page()
}

fn sign_in_without_kept_cookie_says_so(portal: Portal) {
    portal.user("ada");
    let visitor = portal.visitor();
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/profile/security")];
    let answer = visitor.post("/login", &fields);
    let page = follow_without_cookies(&portal, &answer);
    let sentence = format!(
        "Your browser did not keep the session cookie. \
         Allow cookies for {} in its settings, then sign in again.",
        portal.shared.settings.public_url.as_str()
    );
    assert_eq!(page.alerts(), [sentence]);
    assert!(page.title().starts_with("Error: Sign in"));
    assert_eq!(page.form("Sign in").value("next"), "/profile/security");
    // A browser that keeps it goes on to the page, and a session that ended is not mistaken for a lost cookie.
    assert_eq!(visitor.open(answer.location()).location(), "/profile/security");
    visitor.post("/logout", &[("", ""); 0]).with(303);
    assert!(visitor.page("/login?next=%2Fprofile").alerts().is_empty());
    // A foreign address is no better here.
    assert_eq!(portal.user("eve").sign_in().open("/login?signed_in=1&next=//evil.example").location(), "/");
}

fn setup_without_kept_cookie_says_so(portal: Portal) {
    let visitor = portal.visitor();
    let code = portal.setup_code.as_deref().expect("there is no user yet");
    let form = visitor.page(&format!("/setup?code={code}")).form("Create administrator");
    let form = form.fill("Username", "ada").fill("Display name", "Ada").fill("Email", "ada@example.org");
    let answer = visitor.submit(&form.fill("Password", PASSWORD));
    let page = follow_without_cookies(&portal, &answer);
    assert!(page.alerts()[0].starts_with("Your browser did not keep the session cookie."));
    assert_eq!(page.form("Sign in").value("next"), "/");
}

fn the_page_that_was_asked_for_comes_back_after_signing_in(portal: Portal) {
    portal.user("ada");
    let visitor = portal.visitor();
    let wanted = "/profile/api-tokens/new?name=K%C3%B6ln%20%26%20B&expiry=7";
    let page = visitor.follow(visitor.open(wanted));
    assert_eq!(page.heading(), "Sign in");
    let answer = visitor.submit(&page.form("Sign in").fill("Username", "ada").fill("Password", PASSWORD));
    let answer = visitor.open(answer.location());
    assert_eq!(answer.location(), wanted);
    let form = visitor.follow(answer).with(200).form("Create Token");
    assert_eq!((form.value("name").as_str(), form.value("expiry").as_str()), ("Köln & B", "7"));
}

fn the_username_may_be_typed_in_any_case(portal: Portal) {
    portal.user("ada");
    for typed in ["ada", "ADA", "  Ada "] {
        portal.visitor().try_sign_in(typed, PASSWORD).with(303);
    }
}

fn a_good_sign_in_is_an_event(portal: Portal) {
    let browser: Browser<'_> = portal.user("ada").sign_in();
    assert!(browser.is_signed_in());
    assert_eq!(portal.actions(), ["session.signed_in"]);
    assert_eq!(portal.count("sessions"), 1);
}
