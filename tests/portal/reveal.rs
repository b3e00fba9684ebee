//! The one time that a new token is shown.

use crate::support::{Browser, Portal, at_once, on_both, rounds};

on_both![
    a_second_session_of_the_same_user_sees_nothing_and_takes_nothing,
    another_user_finds_nothing,
    whoever_only_asks_for_the_head_takes_nothing,
    a_prefetch_takes_nothing,
    after_five_minutes_nothing_is_shown,
    a_second_look_shows_the_details,
    signing_out_ends_it,
    signing_in_again_ends_it,
    a_token_that_is_disabled_or_revoked_is_not_shown,
    a_password_entry_in_between_does_no_harm,
    a_sealed_secret_in_another_row_does_not_open,
    the_page_says_what_the_token_may_do_and_how_to_use_it,
    the_page_is_kept_by_nobody,
    a_name_is_text_and_not_html,
    twenty_looks_at_once_show_it_once,
];

const GONE: &str = "This token can no longer be shown.";

/// A token that waits to be shown: the path of its page.
fn made(browser: &Browser<'_>) -> String {
    browser.submit(&browser.token_form("ci")).location().to_owned()
}

fn a_second_session_of_the_same_user_sees_nothing_and_takes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let (browser, other) = (ada.sign_in(), ada.sign_in());
    let path = made(&browser);
    portal.unchanged("another session", || {
        let page = other.page(&path);
        assert_eq!(page.secret(), None);
        page.says(GONE);
    });
    assert!(browser.page(&path).secret().is_some());
}

fn another_user_finds_nothing(portal: Portal) {
    let (browser, eve) = (portal.user("ada").sign_in(), portal.user("eve").sign_in());
    let path = made(&browser);
    portal.unchanged("another user", || {
        eve.open(&path).with(404);
        portal.visitor().open(&path).with(303);
    });
    assert!(browser.page(&path).secret().is_some());
}

fn whoever_only_asks_for_the_head_takes_nothing(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    portal.unchanged("HEAD", || {
        let answer = browser.send(browser.request("HEAD", &path)).with(200);
        assert!(answer.body.is_empty());
    });
    assert!(browser.page(&path).secret().is_some());
}

fn a_prefetch_takes_nothing(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    portal.unchanged("a prefetch", || {
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-purpose", "prefetch;anonymous-client-ip"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            let page = browser.send(browser.request("GET", &path).header(name, value)).with(200).page();
            assert_eq!(page.secret(), None, "{name}: {value}");
        }
    });
    assert!(browser.page(&path).secret().is_some());
}

fn after_five_minutes_nothing_is_shown(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let (first, second) = (made(&browser), browser.submit(&browser.token_form("cd")).location().to_owned());
    portal.advance(299);
    assert!(browser.page(&first).secret().is_some());
    portal.advance(1);
    let page = browser.page(&second);
    assert_eq!(page.secret(), None);
    page.says(GONE);
    assert_eq!(portal.count("reveals"), 1, "it still lies there, sealed");
    portal.prune();
    assert_eq!(portal.count("reveals"), 0);
}

fn a_second_look_shows_the_details(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    assert_eq!(portal.count("reveals"), 1);
    let secret = browser.page(&path).secret().expect("it is shown");
    assert_eq!(portal.count("reveals"), 0);
    for other in [&browser, &browser.clone()] {
        let page = other.page(&path);
        assert_eq!(page.heading(), "ci");
        page.says(GONE).does_not_say(&secret);
        page.says(&format!("{}…", &secret[..10]));
    }
    let revealed = portal.actions().iter().filter(|action| *action == "api_token.revealed").count();
    assert_eq!(revealed, 1);
}

fn signing_out_ends_it(portal: Portal) {
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    let path = made(&browser);
    browser.submit(&browser.page("/profile").form("Sign out")).with(303);
    assert_eq!(portal.count("reveals"), 0);
    assert_eq!(ada.sign_in().page(&path).secret(), None);
}

fn signing_in_again_ends_it(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    browser.try_sign_in("ada", crate::support::PASSWORD).with(303);
    assert_eq!(browser.page(&path).secret(), None);
}

fn a_token_that_is_disabled_or_revoked_is_not_shown(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for (page, button) in [("disablement", "Disable token"), ("revocation", "Revoke token")] {
        let path = browser.submit(&browser.token_form(page)).location().to_owned();
        browser.submit(&browser.page(&format!("{path}/{page}")).form(button)).with(303);
        assert_eq!(browser.page(&path).secret(), None);
        assert_eq!(portal.count("reveals"), 0);
    }
}

fn a_password_entry_in_between_does_no_harm(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    browser.reauthenticate();
    assert!(browser.page(&path).secret().is_some());
}

fn a_sealed_secret_in_another_row_does_not_open(portal: Portal) {
    let (ada, eve) = (portal.user("ada").sign_in(), portal.user("eve").sign_in());
    made(&ada);
    let path = made(&eve);
    // Somebody with the database gives Eve's page what waits for Ada.
    let id = path.rsplit('/').next().expect("an id");
    portal.sql(&format!(
        "UPDATE reveals SET sealed = (SELECT sealed FROM reveals WHERE subject_id <> '{id}') WHERE subject_id = '{id}'"
    ));
    let answer = eve.open(&path).with(500);
    answer.page().says("Something went wrong here, and it was logged.");
    assert!(!answer.text().contains("thp_"));
}

fn the_page_says_what_the_token_may_do_and_how_to_use_it(portal: Portal) {
    portal.repository("alpha");
    let browser = portal.user("ada").sign_in();
    let form = browser
        .token_form("ci")
        .choose("Repositories", "Read and write")
        .choose("Repositories", "Only selected repositories")
        .choose("Only selected repositories", "alpha");
    let path = browser.submit(&form).location().to_owned();
    let page = browser.page(&path);
    let secret = page.secret().expect("it is shown");
    assert_eq!(page.heading(), "New API Token");
    page.says("You will not be able to see this token again.");
    assert_eq!(page.definition("Permissions"), "Repositories: Read and write");
    assert_eq!(page.definition("Repositories"), "alpha");
    assert!(page.definition("Expires").starts_with("19 Feb 2027, 14:06 UTC"));
    let field = page.all("#token")[0];
    assert!(
        field.attr("readonly").is_some() && field.attr("autocomplete") == Some("off") && field.attr("name").is_none()
    );
    assert_eq!(page.texts("label[for=token]"), ["Token “ci”"]);
    assert_eq!(page.link("Close").as_deref(), Some("/profile/api-tokens"));
    let examples = [
        "First: set a variable",
        "curl with Bearer",
        "curl with Basic",
        "Docker, Podman or Skopeo login",
        "Python",
        ".netrc",
    ];
    assert_eq!(page.texts("h3"), examples);
    let login = "printf %s \"$TOKENHOUSE_TOKEN\" | docker login --username ada --password-stdin registry.example.org";
    assert_eq!(page.texts("#example-login"), [login]);
    page.says("After a token is revoked, the registry may take what it gave out for 6 minutes more.");
    // Once in its field, once on its way into the environment, and in no other command line.
    assert_eq!(page.answer.text().matches(&secret).count(), 2);
    let me = format!("http://{}/api/v1/me", portal.address);
    assert_eq!(page.texts("pre").iter().filter(|code| code.contains(&me)).count(), 4);
}

fn the_page_is_kept_by_nobody(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let path = made(&browser);
    let answer = browser.open(&path).with(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let set = answer.cookie(&portal.cookies().navigation).expect("it is set");
    assert!(["HttpOnly", "SameSite=Lax", "Path=/"].iter().all(|attribute| set.contains(attribute)), "{set}");
    // The next page changes that cookie, which throws the page with the secret out of the back-forward cache.
    let at_reveal = browser.cookie(&portal.cookies().navigation);
    let next = browser.open("/profile/api-tokens").with(200);
    assert!(next.cookie(&portal.cookies().navigation).is_some());
    assert_ne!(browser.cookie(&portal.cookies().navigation), at_reveal);
    assert_eq!(
        browser.open("/profile/api-tokens").cookie(&portal.cookies().navigation),
        None,
        "the others change nothing"
    );
}

fn a_name_is_text_and_not_html(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    let name = "\"><script>alert(1)</script>'&amp;";
    let path = browser.submit(&browser.token_form(name)).location().to_owned();
    let page = browser.page(&path);
    assert!(page.secret().is_some());
    assert_eq!(page.texts("label[for=token]"), [format!("Token “{name}”")]);
    assert_eq!(page.definition("Name"), name);
    assert_eq!(page.all("script").len(), 1, "the page's own");
}

fn twenty_looks_at_once_show_it_once(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.set_policy("max_api_tokens", "1000");
    for round in 0..rounds() {
        let path = browser.submit(&browser.token_form(&format!("round {round}"))).location().to_owned();
        let copies: Vec<Browser<'_>> = (0..20).map(|_| browser.clone()).collect();
        let shown = at_once(20, |number| copies[number].page(&path).secret());
        assert_eq!(shown.iter().flatten().count(), 1);
        assert_eq!(portal.actions().iter().filter(|action| *action == "api_token.revealed").count(), round + 1);
    }
}
