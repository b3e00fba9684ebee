//! The cookies: how they are set, and what is done about those that only look like ours.

use crate::support::browser::SESSION;
use crate::support::{PASSWORD, Portal, on_both};

const DEVICE: &str = "__Host-th_device";
const NOTICE: &str = "__Host-th_notice";

on_both![
    other_spellings_of_our_names_are_refused,
    one_of_our_cookies_twice_is_refused,
    what_is_not_ascii_is_refused,
    other_peoples_cookies_are_passed_over,
    an_api_does_not_mind_cookies,
    a_forged_notice_is_not_shown,
    cookies_are_set_for_this_host_alone,
    a_visitor_gets_no_cookie,
    a_notice_is_shown_once,
    every_cookie_that_is_removed_was_set_the_same_way,
];

fn other_spellings_of_our_names_are_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let session = browser.cookie(SESSION).expect("it is signed in");
    let planted = portal.user("eve").sign_in().cookie(SESSION).expect("it is signed in");
    for name in [
        "__Host%2Dth_session",
        "__Host-th%5Fsession",
        "%5F%5FHost-th_session",
        "__host-th_session",
        "__HOST-TH_SESSION",
        "__Host-th_session%20",
        "%09__Host-th_session",
        "%E2%80%80__Host-th_session",
        "%C2%A0__Host-th_session",
        "%C2%85__Host-th_session",
        "%E3%80%80__Host-th_session",
        "__Host-th_session ",
        "__Host%2Dth_device",
        "__host-th_notice",
        "__Host-TH_nav",
    ] {
        for cookies in [
            format!("{name}={planted}"),
            format!("{SESSION}={session}; {name}={planted}"),
            format!("{name}={planted}; {SESSION}={session}"),
            format!("theme=dark; {name}="),
        ] {
            for (method, path) in [("GET", "/profile"), ("GET", "/login"), ("POST", "/logout"), ("POST", "/login")] {
                let mut request = portal.request(method, path).by_own_page().header("cookie", &cookies);
                if method == "POST" {
                    request = request.form(&[("", ""); 0]);
                }
                let answer = request.send();
                assert_eq!(answer.status, 400, "{method} {path} with {cookies}");
                answer.page().says("The browser sent cookies that another site made to look like ours.");
            }
        }
    }
    assert!(browser.is_signed_in());
}

fn one_of_our_cookies_twice_is_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let session = browser.cookie(SESSION).expect("it is signed in");
    for cookies in [
        format!("{SESSION}={session}; {SESSION}={session}"),
        format!("{SESSION}=; a=b; {SESSION}={session}"),
        format!("{NOTICE}=a; {NOTICE}=b"),
    ] {
        portal.request("GET", "/profile").header("cookie", &cookies).send().with(400);
    }
    let request = portal.request("GET", "/profile").header("cookie", format!("{SESSION}={session}"));
    request.clone().header("cookie", format!("{SESSION}={session}")).send().with(400);
    request.header("cookie", "theme=dark").send().with(200);
}

fn what_is_not_ascii_is_refused(portal: Portal) {
    for cookies in ["\u{a0}__Host-th_session=x", "\u{2000}__Host-th_session=x", "thème=sombre", "a=ä"] {
        portal.request("GET", "/login").header("cookie", cookies).send().with(400);
    }
    portal.request("GET", "/login").header("cookie", b"a=\xff").send().with(400);
}

fn other_peoples_cookies_are_passed_over(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let session = browser.cookie(SESSION).expect("it is signed in");
    for other in [
        "theme=dark",
        "a",
        "=b",
        "th_session=x",
        "__Secure-th_session=x",
        "x__Host-th_session=x",
        "a=%E2%80%80",
        ";;",
        "a=\"b;c\"",
    ] {
        let cookies = format!("{other}; {SESSION}={session}; {other}");
        portal.request("GET", "/profile").header("cookie", &cookies).send().with(200);
    }
}

fn an_api_does_not_mind_cookies(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let request = portal.request("GET", "/api/v1/me").bearer(&token.secret);
    let answer = request.header("cookie", "__Host%2Dth_session=x; __Host-th_session=y; ä=ö").send().with(200);
    assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
}

fn a_forged_notice_is_not_shown(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for forged in ["Your%20account%20is%20closed", "x", "", &"A".repeat(44), &format!("{}hello", "A".repeat(44))] {
        browser.set_cookie(NOTICE, forged);
        let page = browser.page("/profile");
        assert_eq!(page.notice(), None);
        page.does_not_say("hello").does_not_say("closed");
    }
}

fn cookies_are_set_for_this_host_alone(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = portal.visitor();
    let signed_in = browser.try_sign_in("ada", PASSWORD);
    let renamed = browser.post(&token.page("name"), &[("name", "cd")]);
    for (answer, name) in [(&signed_in, SESSION), (&signed_in, DEVICE), (&renamed, NOTICE)] {
        let cookie = answer.cookie(name).expect("it is set");
        let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&attribute), "{attribute} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        assert_eq!(cookie.contains("Max-Age"), name == DEVICE, "{cookie}");
    }
    assert!(signed_in.cookie(DEVICE).is_some_and(|cookie| cookie.contains("Max-Age=34560000")), "400 days");
}

fn a_visitor_gets_no_cookie(portal: Portal) {
    portal.user("ada");
    let visitor = portal.visitor();
    for path in ["/login", "/", "/profile", "/nowhere", "/setup"] {
        assert_eq!(visitor.open(path).headers_named("set-cookie"), [""; 0], "{path}");
    }
    assert_eq!(visitor.try_sign_in("ada", "wrong").headers_named("set-cookie"), [""; 0]);
}

fn a_notice_is_shown_once(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    browser.post(&token.page("name"), &[("name", "<b>\"ö\"; x=y</b>")]).with(303);
    // What is no page leaves it for the next page.
    browser.open("/nowhere").with(404);
    browser.open("/").with(303);
    let page = browser.page("/profile");
    assert_eq!(page.notice().as_deref(), Some("Token “ci” was renamed to “<b>\"ö\"; x=y</b>”."));
    assert_eq!(browser.cookie(NOTICE), None);
    assert_eq!(browser.page("/profile").notice(), None);
    // The longest that there can be still fits into a cookie.
    let (long, longer) = ("🔑".repeat(100), "🗝".repeat(100));
    browser.post(&token.page("name"), &[("name", &long)]).with(303);
    let answer = browser.post(&token.page("name"), &[("name", &longer)]);
    assert!(answer.cookie(NOTICE).is_some_and(|cookie| cookie.len() < 4_096));
    assert_eq!(browser.page("/profile").notice(), Some(format!("Token “{long}” was renamed to “{longer}”.")));
}

fn every_cookie_that_is_removed_was_set_the_same_way(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let browser = ada.sign_in();
    browser.post(&token.page("name"), &[("name", "cd")]).with(303);
    let shown = browser.open("/profile");
    let signed_out = browser.post("/logout", &[("", ""); 0]);
    for (answer, name) in [(shown, NOTICE), (signed_out, SESSION)] {
        let cookie = answer.cookie(name).unwrap_or_else(|| panic!("{name} is removed: {answer:?}")).to_owned();
        assert!(cookie.starts_with(&format!("{name}=;")), "{cookie}");
        // A browser passes over a `__Host-` cookie without these, and would keep the old one.
        for attribute in ["Max-Age=0", "Secure", "Path=/"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}
