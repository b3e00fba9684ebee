//! `/repositories`: the list, and Create Repository.

use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::{Browser, Portal, at_once, on_both};

on_both![
    the_start_is_where_the_work_is,
    whoever_sees_no_repository_is_told_what_is_missing,
    a_user_with_grants_sees_those_repositories_and_no_others,
    an_empty_list_says_what_to_do_next,
    a_search_finds_words_in_names_and_descriptions_in_any_case,
    every_page_of_every_order_has_what_comes_after_the_page_before,
    a_long_list_has_pages_and_can_be_ordered,
    names_that_are_no_names_are_refused_and_stay_in_the_form,
    a_name_is_taken_once_whoever_is_faster,
    pressing_create_twice_makes_one_repository,
    a_form_cannot_be_used_by_another_or_for_something_else,
    creating_needs_a_password_entered_lately,
    creating_is_for_repository_managers,
    the_new_token_is_shown_once_to_the_session_that_made_it,
    who_may_create_but_not_configure_is_not_led_to_the_token,
    nobody_else_learns_of_a_repository,
];

fn names(page: &crate::support::Page) -> Vec<String> {
    page.rows().iter().map(|row| row.cell("Name").to_owned()).collect()
}

fn the_start_is_where_the_work_is(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve"));
    eve.strip();
    assert_eq!(ada.sign_in().open("/").location(), "/repositories");
    let browser = eve.sign_in();
    assert_eq!(browser.open("/").location(), "/profile");
    assert_eq!(browser.page("/profile").link("Repositories"), None);
    eve.grant(portal.repository("alpha"), Permission::Read);
    assert_eq!(browser.open("/").location(), "/repositories");
    assert_eq!(browser.page("/profile").link("Repositories").as_deref(), Some("/repositories"));
}

fn whoever_sees_no_repository_is_told_what_is_missing(portal: Portal) {
    portal.repository("alpha");
    let eve = portal.user("eve");
    eve.strip();
    let page = eve.sign_in().open("/repositories").with(403).page();
    page.says("View Repositories").does_not_say("alpha");
}

fn a_user_with_grants_sees_those_repositories_and_no_others(portal: Portal) {
    let eve = portal.user("eve");
    eve.strip();
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    portal.repository("gamma");
    eve.grant(alpha, Permission::Read);
    eve.grant(beta, Permission::Write);
    let browser = eve.sign_in();
    let page = browser.page("/repositories");
    assert_eq!(names(&page), ["alpha", "beta"]);
    assert_eq!(page.rows()[0].cell("Your access"), "Read");
    assert_eq!(page.rows()[1].cell("Your access"), "Read and write");
    page.says("1 to 2 of 2");
    assert_eq!(names(&browser.page("/repositories?q=a&sort=-name")), ["beta", "alpha"]);
    browser.page("/repositories?q=gamma").says("Nothing found");
    eve.ungrant();
    browser.open("/repositories").with(403);
}

fn an_empty_list_says_what_to_do_next(portal: Portal) {
    let manager = portal.user_with("ada", "repository-manager").sign_in();
    let page = manager.page("/repositories");
    page.says("No repositories yet");
    assert_eq!(page.link("Create Repository").as_deref(), Some("/repositories/new"));
    let viewer = portal.user("eve").sign_in().page("/repositories");
    viewer.says("A repository manager creates the first one.");
    assert_eq!(viewer.link("Create Repository"), None);
}

fn a_search_finds_words_in_names_and_descriptions_in_any_case(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    for (name, description) in
        [("payments", "Größe und Kosten 100%"), ("web_shop", "Team Finance"), ("web-shop", ""), ("other", "x")]
    {
        let form = browser.page("/repositories/new").form("Create Repository").fill("Name", name);
        browser.submit(&form.fill("Description (optional)", description)).with(303);
    }
    let expected = [
        ("PAY", vec!["payments"]),
        ("gr%C3%B6%C3%9Fe", vec!["payments"]),
        ("100%25", vec!["payments"]),
        ("%25", vec!["payments"]),
        ("_", vec!["web_shop"]),
        ("finance%20shop", vec!["web_shop"]),
        ("shop", vec!["web-shop", "web_shop"]),
        ("%5C", vec![]),
        ("%27%20OR%201=1", vec![]),
    ];
    for (search, found) in &expected {
        let mut names = names(&browser.page(&format!("/repositories?q={search}")));
        names.sort();
        assert_eq!(names, *found, "{search}");
    }
}

fn every_page_of_every_order_has_what_comes_after_the_page_before(portal: Portal) {
    for number in 0..80 {
        portal.repository(&format!("r{number:02}"));
        if number % 7 == 0 {
            portal.advance(60);
        }
    }
    portal.sql("UPDATE repositories SET last_used_at = created_at WHERE name LIKE '%3'");
    let browser = portal.user("eve").sign_in();
    let read = |sort: &str| {
        let pages: Vec<_> =
            (1..=5).map(|page| names(&browser.page(&format!("/repositories?sort={sort}&page={page}")))).collect();
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 25, 5, 0], "{sort}");
        pages.concat()
    };
    let by_name: Vec<String> = (0..80).map(|number| format!("r{number:02}")).collect();
    assert_eq!(read("name"), by_name);
    assert_eq!(read("created"), by_name);
    let (used, unused): (Vec<String>, Vec<String>) = by_name.into_iter().partition(|name| name.ends_with('3'));
    assert_eq!(read("used"), [unused, used].concat());
    for sort in ["name", "created", "used"] {
        let mut backwards = read(&format!("-{sort}"));
        backwards.reverse();
        assert_eq!(backwards, read(sort));
    }
}

fn a_long_list_has_pages_and_can_be_ordered(portal: Portal) {
    for number in 0..30 {
        portal.repository(&format!("r{number:02}"));
        portal.advance(60);
    }
    let browser = portal.user("eve").sign_in();
    let first = browser.page("/repositories");
    assert_eq!(names(&first).len(), 25);
    first.says("1 to 25 of 30");
    let second = browser.page(&first.link("Next").expect("there is more"));
    assert_eq!(names(&second), ["r25", "r26", "r27", "r28", "r29"]);
    assert_eq!(second.link("Next"), None);
    assert_eq!(second.link("Previous").as_deref(), Some("/repositories"));
    let newest = browser.page("/repositories?sort=-created");
    assert_eq!(names(&newest)[0], "r29");
    assert_eq!(newest.all("th[aria-sort=descending]").len(), 1);
    portal.sql("UPDATE repositories SET last_used_at = 5 WHERE name = 'r07'");
    assert_eq!(names(&browser.page("/repositories?sort=-used"))[0], "r07");
    assert_eq!(names(&browser.page("/repositories?sort=used&page=2"))[4], "r07", "what was never used comes first");
    for odd in ["page=0", "page=99999", "page=x&sort=%27", "sort=-size&q=", "q=r&q=x"] {
        browser.open(&format!("/repositories?{odd}")).with(200);
    }
}

fn form(browser: &Browser<'_>, name: &str) -> crate::support::form::Form {
    browser.page("/repositories/new").form("Create Repository").fill("Name", name)
}

fn names_that_are_no_names_are_refused_and_stay_in_the_form(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let long = "a".repeat(101);
    for name in ["", " ", "new", "Payments", "a/b", "..", ".", "a..b", "-a", "a-", "a b", "größe", "a\u{202e}b", &long]
    {
        let page = browser.refused(&form(&browser, name).fill("Description (optional)", "kept"));
        assert!(!page.error_at("Name").is_empty(), "{name}");
        let kept = page.form("Create Repository");
        assert_eq!((kept.value("name"), kept.value("description")), (name.to_owned(), "kept".to_owned()));
    }
    let page = browser.refused(&form(&browser, "alpha").fill("Description (optional)", &"x".repeat(301)));
    assert_eq!(page.error_at("Description (optional)"), "Description has 301 characters. Use at most 300.");
    let page = browser.refused(&form(&browser, "alpha").fill("Description (optional)", "a\nb"));
    assert!(page.error_at("Description (optional)").contains("control"));
    browser.page("/repositories").says("No repositories yet");
    browser.submit(&form(&browser, " alpha ")).with(303);
    let page = browser.refused(&form(&browser, "alpha"));
    assert_eq!(page.error_at("Name"), "A repository named “alpha” already exists. Choose another name.");
}

fn a_name_is_taken_once_whoever_is_faster(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let forms: Vec<_> = (0..20).map(|_| form(&browser, "alpha")).collect();
    let mut statuses = at_once(20, |number| browser.clone().submit(&forms[number]).status);
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (303, [422; 19].as_slice()));
    assert_eq!(names(&browser.page("/repositories")), ["alpha"]);
}

fn pressing_create_twice_makes_one_repository(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let form = form(&browser, "alpha");
    let places = at_once(20, |_| browser.clone().submit(&form).location().to_owned());
    assert!(places.iter().all(|place| place == "/repositories/alpha/configure"), "{places:?}");
    let token = browser.page("/repositories/alpha/configure").secret().expect("it is shown, once");
    assert!(portal.accepts(&token));
    assert_eq!(portal.count("repository_tokens"), 1);
}

fn a_form_cannot_be_used_by_another_or_for_something_else(portal: Portal) {
    let (ada, bob) = (portal.user_with("ada", "administrator"), portal.user_with("bob", "administrator"));
    let (ada, bob) = (ada.sign_in(), bob.sign_in());
    let form = form(&ada, "alpha");
    ada.submit(&form).with(303);
    bob.submit(&form).with(409);
    ada.submit(&form.clone().fill("Name", "gamma")).with(409);
    let renewal = ada.page("/repositories/alpha/token/new").form("OK");
    ada.submit(&renewal.tampered("nonce", &form.value("nonce"))).with(303);
    let other = ada.page("/repositories/new").form("Create Repository").fill("Name", "beta");
    let nonce = ada.page("/repositories/alpha/token/new").form("OK");
    ada.submit(&nonce).with(303);
    ada.submit(&other.tampered("nonce", &nonce.value("nonce"))).with(409);
    for broken in ["", "x", "aaaaaaaaaaaaaaaaaaaaa!"] {
        ada.submit(&form.clone().tampered("nonce", broken)).with(400);
    }
    assert_eq!(portal.count("repositories"), 1);
}

fn creating_needs_a_password_entered_lately(portal: Portal) {
    let browser = portal.user_with("ada", "repository-manager").sign_in();
    let form = form(&browser, "alpha").fill("Description (optional)", "kept");
    portal.advance(20 * 60);
    browser.open("/profile").with(200);
    portal.flush();
    portal.advance(15 * 60);
    assert!(browser.open("/repositories/new").location().starts_with("/reauthenticate?next="));
    let page = browser.refused(&form);
    page.error_at("Password");
    let again = page.form("Create Repository");
    assert_eq!((again.value("name"), again.value("description")), ("alpha".into(), "kept".into()));
    browser.refused(&again.clone().fill("Password", "wrong")).error_at("Password");
    let answer = browser.submit(&again.fill("Password", crate::support::PASSWORD));
    assert!(browser.follow(answer).secret().is_some());
}

fn creating_is_for_repository_managers(portal: Portal) {
    let browser = portal.user("eve").sign_in();
    browser.open("/repositories/new").with(403).page().says("Repository Management");
    browser.post("/repositories", &[("nonce", "a".repeat(22).as_str()), ("name", "alpha")]).with(403);
    assert_eq!(portal.count("repositories"), 0);
}

fn the_new_token_is_shown_once_to_the_session_that_made_it(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let (browser, elsewhere) = (ada.sign_in(), ada.sign_in());
    browser.submit(&form(&browser, "alpha")).with(303);
    let place = "/repositories/alpha/configure";
    assert_eq!(elsewhere.page(place).secret(), None);
    let mut notices = Vec::new();
    for (name, value) in [("sec-purpose", "prefetch"), ("purpose", "prefetch"), ("sec-fetch-dest", "empty")] {
        let page = browser.send(browser.request("GET", place).header(name, value)).with(200).page();
        assert_eq!(page.secret(), None);
        notices.extend(page.notice());
    }
    assert_eq!(notices, ["Repository “alpha” was created."]);
    browser.send(browser.request("HEAD", place)).with(200);
    let page = browser.page(place);
    let token = page.secret().expect("it is shown");
    assert_eq!(page.answer.header("cache-control"), Some("no-store"));
    assert!(page.answer.cookie(&portal.cookies().navigation).is_some(), "it stays out of the back-forward cache");
    assert!(portal.accepts(&token));
    browser.page(place).does_not_say(&token);
    assert!(!format!("{:?}", portal.dump()).contains(&token), "the database does not hold it in clear");
}

fn who_may_create_but_not_configure_is_not_led_to_the_token(portal: Portal) {
    portal.role("maker", &[Privilege::RepositoryManagement]);
    let browser = portal.user_with("ada", "maker").sign_in();
    let answer = browser.submit(&form(&browser, "alpha"));
    assert_eq!(answer.location(), "/repositories/alpha");
    browser.follow(answer).says("alpha");
    browser.open("/repositories/alpha/configure").with(403).page().says("View Repositories");
    assert_eq!(portal.count("reveals"), 0);
}

fn nobody_else_learns_of_a_repository(portal: Portal) {
    portal.repository("alpha");
    let eve = portal.user("eve");
    eve.strip();
    let browser = eve.sign_in();
    for path in ["", "/configure", "/access", "/activity", "/description", "/deletion", "/token/new"] {
        let there = browser.open(&format!("/repositories/alpha{path}"));
        let missing = browser.open(&format!("/repositories/omega{path}"));
        assert_eq!((there.status, missing.status), (404, 404), "{path}");
        assert_eq!(there.page().main().replace("alpha", "omega").len(), missing.page().main().len());
    }
    let viewer = portal.user_with("viewer", "viewer").sign_in();
    for name in ["ALPHA", "alpha%20", "alpha/", "alpha%2F", "..", "%2e%2e", "alpha%00"] {
        viewer.open(&format!("/repositories/{name}")).with(404);
    }
}
