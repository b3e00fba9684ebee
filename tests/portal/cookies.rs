//! The cookies: how they are set, and what is done about those that only look like ours.

use crate::support::portal::https;
use crate::support::{Browser, Database, PASSWORD, Portal, on_both};

on_both![
    other_spellings_of_our_names_are_refused,
    one_of_our_cookies_twice_is_refused,
    cookies_of_other_sites_are_ignored,
    instances_on_one_host_keep_their_own_sessions,
    an_api_does_not_mind_cookies,
    a_forged_notice_is_not_shown,
    cookies_are_set_for_this_host_alone,
    cookies_on_http_are_not_secure,
    a_visitor_gets_no_cookie,
    a_notice_is_shown_once,
    every_cookie_that_is_removed_was_set_the_same_way,
];

/// Cookies that another site on this host may have set, as bytes.
const FOREIGN: [&[u8]; 14] = [
    b"theme=dark",
    b"a",
    b"=b",
    b"th_session=x",
    b"__Host-th_session_1=x",
    b"__Secure-th_session=x",
    b"x__Host-th_session=x",
    b"a=%E2%80%80",
    b";;",
    b"a=\"b;c\"",
    "analytics=Unders\u{f8}gelse".as_bytes(),
    "th\u{e8}me=\u{1f36a}".as_bytes(),
    b"th\xe8me=sombre",
    b"\xff\xfe=\x80; \xe2\x82=1; %ff=%ff",
];

/// An instance with https, and one with http.
fn each_scheme(portal: Portal, test: impl Fn(&Portal)) {
    test(&portal);
    test(&portal.restarted(https));
}

fn other_spellings_of_our_names_are_refused(portal: Portal) {
    portal.user("ada");
    portal.user("eve");
    each_scheme(portal, |portal| {
        let browser = portal.visitor();
        browser.try_sign_in("ada", PASSWORD).with(303);
        let session = browser.session().expect("it is signed in");
        let attacker = portal.visitor();
        attacker.try_sign_in("eve", PASSWORD).with(303);
        let planted = attacker.session().expect("it is signed in");
        let own = portal.cookies();
        let name = &own.session;
        for imitation in [
            name.replacen('h', "%68", 1),
            name.replace('_', "%5F"),
            name.replacen('_', "%5f", 1),
            name.to_lowercase().replace("th_", "Th_"),
            name.to_uppercase(),
            format!("{name}%20"),
            format!("%09{name}"),
            format!("%E2%80%80{name}"),
            format!("%C2%A0{name}"),
            format!("%C2%85{name}"),
            format!("%E3%80%80{name}"),
            format!("{name} "),
            format!("\u{a0}{name}"),
            format!("\u{2000}{name}"),
            own.device.replace('_', "%5F"),
            own.notice.replace("th_", "tH_"),
            own.navigation.replace("nav", "NAV"),
        ] {
            for cookies in [
                format!("{imitation}={planted}"),
                format!("{name}={session}; {imitation}={planted}"),
                format!("{imitation}={planted}; {name}={session}"),
                format!("theme=dark; {imitation}="),
                format!("a=\u{f8}; {imitation}={planted}"),
            ] {
                for (method, path) in [("GET", "/profile"), ("GET", "/login"), ("POST", "/logout"), ("POST", "/login")]
                {
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
    });
}

fn one_of_our_cookies_twice_is_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let session = browser.session().expect("it is signed in");
    let (name, notice) = (&portal.cookies().session, &portal.cookies().notice);
    for cookies in [
        format!("{name}={session}; {name}={session}"),
        format!("{name}=; a=b; {name}={session}"),
        format!("{name}={session}; {name}=\u{f8}"),
        format!("{notice}=a; {notice}=b"),
    ] {
        portal.request("GET", "/profile").header("cookie", &cookies).send().with(400);
    }
    let request = portal.request("GET", "/profile").header("cookie", format!("{name}={session}"));
    request.clone().header("cookie", format!("{name}={session}")).send().with(400);
    request.header("cookie", "theme=dark").send().with(200);
}

fn cookies_of_other_sites_are_ignored(portal: Portal) {
    portal.user("ada");
    each_scheme(portal, |portal| {
        let browser = portal.visitor();
        for other in FOREIGN {
            // Signing in, and what follows.
            portal.request("GET", "/login").header("cookie", other).send().with(200);
            let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/profile")];
            let request = browser.request("POST", "/login").form(&fields).header("cookie", other);
            let answer = browser.send(request).with(303);
            let landed = browser.send(browser.request("GET", answer.location()).header("cookie", other));
            assert_eq!(landed.location(), "/profile");
            assert_page(&browser, portal, other);
        }
    });
}

/// A page for this browser, with its own and another site's cookies in one header.
fn assert_page(browser: &Browser<'_>, portal: &Portal, other: &[u8]) {
    let own = format!("{}={}", portal.cookies().session, browser.session().expect("it is signed in"));
    for cookies in [[other, own.as_bytes()], [own.as_bytes(), other]] {
        portal.request("GET", "/profile").at("192.0.2.1").header("cookie", cookies.join(&b"; "[..])).send().with(200);
    }
}

fn instances_on_one_host_keep_their_own_sessions(portal: Portal) {
    let other = Portal::start(Database::sqlite());
    let both = [&portal, &other];
    for portal in both {
        portal.user("ada");
    }
    // One browser: it sends the cookies of both ports to each.
    let (here, there) = (portal.visitor(), other.visitor());
    here.try_sign_in("ada", PASSWORD).with(303);
    there.try_sign_in("ada", PASSWORD).with(303);
    let pair = |browser: &Browser<'_>| {
        format!("{}={}", browser.portal.cookies().session, browser.session().expect("it is signed in"))
    };
    let cookies = format!("{}; {}", pair(&here), pair(&there));
    for portal in both {
        portal.request("GET", "/profile").header("cookie", &cookies).send().with(200);
        let answer = portal.request("GET", "/profile").header("cookie", &cookies).send();
        let others = both.into_iter().find(|one| one.address != portal.address).expect("there are two");
        for name in others.cookies().names() {
            assert_eq!(answer.cookie(name), None, "the other instance's cookie stays");
        }
    }
    let port = format!("_{}", portal.address.port());
    assert!(portal.cookies().names().iter().all(|name| name.ends_with(&port)), "{:?}", portal.cookies());
}

fn an_api_does_not_mind_cookies(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let request = portal.request("GET", "/api/v1/me").bearer(&token.secret);
    let answer = request.header("cookie", "__Host%2Dth_session=x; th_session=y; ä=ö").send().with(200);
    assert_eq!(answer.headers_named("set-cookie"), [""; 0]);
}

fn a_forged_notice_is_not_shown(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let notice = &portal.cookies().notice;
    for forged in ["Your%20account%20is%20closed", "x", "", &"A".repeat(44), &format!("{}hello", "A".repeat(44))] {
        browser.set_cookie(notice, forged);
        let page = browser.page("/profile");
        assert_eq!(page.notice(), None);
        page.does_not_say("hello").does_not_say("closed");
    }
}

/// What a browser is told of each cookie: attributes, without name and value.
fn attributes_of_each(portal: &Portal) -> Vec<(String, Vec<String>)> {
    let browser = portal.visitor();
    let signed_in = browser.try_sign_in("ada", PASSWORD);
    let form = browser.token_form("ab");
    let (path, _) = browser.create(&form);
    let renamed = browser.post(&format!("{path}/name"), &[("name", "cd")]);
    browser.post(&format!("{path}/revocation"), &[("", ""); 0]).with(303);
    browser.forget_cookie(&portal.cookies().navigation);
    let page = browser.open("/profile");
    let own = portal.cookies();
    [(&signed_in, &own.session), (&signed_in, &own.device), (&renamed, &own.notice), (&page, &own.navigation)]
        .into_iter()
        .map(|(answer, name)| {
            let cookie = answer.cookie(name).expect("it is set");
            (name.clone(), cookie.split("; ").skip(1).map(str::to_owned).collect())
        })
        .collect()
}

fn cookies_are_set_for_this_host_alone(portal: Portal) {
    portal.user("ada");
    let portal = portal.restarted(https);
    let device = portal.cookies().device.clone();
    for (name, attributes) in attributes_of_each(&portal) {
        assert!(name.starts_with("__Host-"), "{name}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(attributes.iter().any(|own| own == attribute), "{attribute} in {name}: {attributes:?}");
        }
        assert!(!attributes.iter().any(|own| own.starts_with("Domain")), "{name}: {attributes:?}");
        let age: Vec<&String> = attributes.iter().filter(|own| own.starts_with("Max-Age")).collect();
        assert_eq!(age, if name == device { vec!["Max-Age=34560000"] } else { vec![] }, "400 days for the device");
    }
}

fn cookies_on_http_are_not_secure(portal: Portal) {
    portal.user("ada");
    for (name, attributes) in attributes_of_each(&portal) {
        assert!(name.starts_with("th_"), "{name}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.iter().any(|own| own == attribute), "{attribute} in {name}: {attributes:?}");
        }
        let refused = ["Domain", "Secure"];
        assert!(!attributes.iter().any(|own| refused.iter().any(|start| own.starts_with(start))), "{attributes:?}");
    }
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
    assert_eq!(browser.cookie(&portal.cookies().notice), None);
    assert_eq!(browser.page("/profile").notice(), None);
    // The longest that there can be still fits into a cookie.
    let (long, longer) = ("🔑".repeat(100), "🗝".repeat(100));
    browser.post(&token.page("name"), &[("name", &long)]).with(303);
    let answer = browser.post(&token.page("name"), &[("name", &longer)]);
    assert!(answer.cookie(&portal.cookies().notice).is_some_and(|cookie| cookie.len() < 4_096));
    assert_eq!(browser.page("/profile").notice(), Some(format!("Token “{long}” was renamed to “{longer}”.")));
}

fn every_cookie_that_is_removed_was_set_the_same_way(portal: Portal) {
    portal.user("ada");
    each_scheme(portal, |portal| {
        let browser = portal.visitor();
        browser.try_sign_in("ada", PASSWORD).with(303);
        let (path, _) = browser.create(&browser.token_form("ab"));
        browser.post(&format!("{path}/name"), &[("name", "cd")]).with(303);
        let shown = browser.open("/profile");
        browser.post(&format!("{path}/revocation"), &[("", ""); 0]).with(303);
        let signed_out = browser.post("/logout", &[("", ""); 0]);
        let own = portal.cookies();
        for (answer, name) in [(shown, &own.notice), (signed_out, &own.session)] {
            let cookie = answer.cookie(name).unwrap_or_else(|| panic!("{name} is removed: {answer:?}")).to_owned();
            assert!(cookie.starts_with(&format!("{name}=;")), "{cookie}");
            // A browser passes over a `__Host-` cookie without these, and would keep the old one.
            for attribute in ["Max-Age=0", "Path=/"] {
                assert!(cookie.contains(attribute), "{attribute} in {cookie}");
            }
            assert_eq!(cookie.contains("Secure"), own.secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    });
}
