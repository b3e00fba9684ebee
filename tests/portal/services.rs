//! Administration › Services: systems that may ask about tokens, each with a token that is shown once.

use crate::support::{Browser, PASSWORD, Portal, at_once, on_both, rounds};

on_both![
    nobody_else_finds_it_linked,
    wrong_names_are_refused_at_the_field,
    a_name_that_is_taken_is_refused,
    the_password_is_asked_for_after_a_while,
    a_service_that_is_not_there_is_not_found,
    a_wrong_name_deletes_nothing,
    the_token_is_shown_once_and_to_nobody_else,
    pressing_create_twice_makes_one_service,
    two_at_once_of_one_name_make_one_service,
    rotating_stops_the_old_token_at_once,
    the_second_of_two_rotations_is_told_who_was_first,
    many_rotations_at_once_leave_one_token,
    whoever_lost_the_privilege_meanwhile_changes_nothing,
    deleting_takes_the_name_and_ends_the_token,
    the_list_is_searched_and_begins_empty,
    the_page_tells_callers_events_and_how_to_ask,
    the_token_opens_nothing_but_introspection_and_itself,
];

const SERVICES: &str = "/admin/services";

fn administrator(portal: &Portal) -> Browser<'_> {
    portal.user_with("ada", "administrator").sign_in()
}

/// Creates a service and looks at its token: its address, and the token.
#[track_caller]
fn create(browser: &Browser<'_>, name: &str) -> (String, String) {
    let form = browser.page("/admin/services/new").form("Create Service").fill("Name", name);
    let path = browser.submit(&form).location().to_owned();
    let token = browser.page(&path).secret().expect("the new token is shown");
    (path, token)
}

/// Whether a service's token may ask.
#[track_caller]
fn asks(portal: &Portal, token: &str) -> bool {
    match portal.introspect(token, "nonsense").status {
        200 => true,
        401 => false,
        other => panic!("it was answered {other}"),
    }
}

fn nobody_else_finds_it_linked(portal: Portal) {
    portal.role("users", &[tokenhouse::domain::privilege::Privilege::UserManagement]);
    portal.role("system", &[tokenhouse::domain::privilege::Privilege::SystemManagement]);
    let users = portal.user_with("grace", "users").sign_in();
    assert_eq!(users.page("/admin/users").link("Services"), None);
    users.open(SERVICES).with(403);
    let system = portal.user_with("linus", "system").sign_in();
    assert_eq!(system.page("/profile").link("Administration").as_deref(), Some(SERVICES));
    assert_eq!(system.page("/admin/policies").link("Services").as_deref(), Some(SERVICES));
    assert_eq!(system.page(SERVICES).link("Users"), None);
}

fn wrong_names_are_refused_at_the_field(portal: Portal) {
    let ada = administrator(&portal);
    let form = ada.page("/admin/services/new").form("Create Service");
    portal.unchanged("a refused form", || {
        for name in ["", " ", "Wiki", "wiki--x", "-wiki", "wiki:x", "wiki/x", "wïki", "a b", &"a".repeat(101)] {
            let page = ada.refused(&form.clone().fill("Name", name).fill("Description (optional)", "Of the <b>team"));
            assert!(page.error_at("Name").starts_with("Name must be 1 to 100 lower-case letters"), "{name}");
            page.form("Create Service").fields().iter().find(|(field, _)| field == "description").expect("it is kept");
        }
        let long = form.clone().fill("Name", "wiki").fill("Description (optional)", &"x".repeat(301));
        assert_eq!(
            ada.refused(&long).error_at("Description (optional)"),
            "Description has 301 characters. Use at most 300."
        );
        ada.submit(&form.clone().fill("Name", "wiki").without("nonce")).with(400);
        ada.submit(&form.clone().fill("Name", "wiki").and("token", "x")).with(400);
    });
}

fn a_name_that_is_taken_is_refused(portal: Portal) {
    let ada = administrator(&portal);
    create(&ada, "wiki");
    let form = ada.page("/admin/services/new").form("Create Service").fill("Name", " wiki ");
    portal.unchanged("a name that is taken", || {
        assert_eq!(ada.refused(&form).error_at("Name"), "A service named “wiki” already exists. Choose another name.");
    });
}

fn the_password_is_asked_for_after_a_while(portal: Portal) {
    let ada = administrator(&portal);
    let (path, token) = create(&ada, "wiki");
    let creation = ada.page("/admin/services/new").form("Create Service").fill("Name", "other");
    let rotation = ada.page(&format!("{path}/rotation")).form("Rotate token");
    let deletion = ada.page(&format!("{path}/deletion")).form("Delete service").fill("Name of the service", "wiki");
    for _ in 0..2 {
        portal.advance(16 * 60);
        ada.page("/profile");
        portal.flush();
    }
    for form in [&creation, &rotation, &deletion] {
        portal.unchanged("a form without the password", || {
            ada.refused(form).error_at("Password");
        });
        ada.refused(&form.clone().and("password", "wrong")).error_at("Password");
    }
    for page in ["/admin/services/new", &format!("{path}/rotation"), &format!("{path}/deletion")] {
        assert!(ada.open(page).location().starts_with("/reauthenticate?next="), "{page}");
    }
    assert!(asks(&portal, &token));
    ada.submit(&deletion.and("password", PASSWORD)).with(303);
    assert!(!asks(&portal, &token));
}

fn a_service_that_is_not_there_is_not_found(portal: Portal) {
    let ada = administrator(&portal);
    for id in ["1", "wiki", "new2", "%00"] {
        for page in ["", "/rotation", "/deletion"] {
            ada.open(&format!("{SERVICES}/{id}{page}")).with(404);
        }
        let fields = [("nonce", "1111111111111111111111"), ("replaces", "1")];
        ada.post(&format!("{SERVICES}/{id}/rotation"), &fields).with(404);
        ada.post(&format!("{SERVICES}/{id}/deletion"), &[("name", id)]).with(404);
    }
}

fn a_wrong_name_deletes_nothing(portal: Portal) {
    let ada = administrator(&portal);
    let (path, token) = create(&ada, "wiki");
    let form = ada.page(&format!("{path}/deletion")).form("Delete service");
    portal.unchanged("a wrong name", || {
        for name in ["", "Wiki", "wik", "wikii", "new"] {
            let page = ada.refused(&form.clone().fill("Name of the service", name));
            assert_eq!(
                page.error_at("Name of the service"),
                "That is not the name of this service. Type “wiki” to delete it."
            );
        }
    });
    assert!(asks(&portal, &token));
}

fn the_token_is_shown_once_and_to_nobody_else(portal: Portal) {
    let ada = administrator(&portal);
    let eve = portal.user_with("eve", "administrator").sign_in();
    let form = ada.page("/admin/services/new").form("Create Service").fill("Name", "wiki");
    let path = ada.submit(&form).location().to_owned();
    assert_eq!(eve.page(&path).secret(), None, "it waits for the session that asked for it");
    ada.send(ada.request("HEAD", &path)).with(200);
    ada.send(ada.request("GET", &path).header("sec-purpose", "prefetch")).with(200);
    let answer = ada.open(&path).with(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let page = answer.page();
    let token = page.secret().expect("it is shown");
    assert!(token.starts_with("ths_") && token.len() == 42);
    page.says("You will not be able to see this token again.");
    assert_eq!(page.heading(), "New Service Token");
    assert_eq!(page.link("Close").as_deref(), Some(SERVICES));
    assert_eq!(page.texts("button[data-copy='token'] .visually-hidden"), ["Copy to Clipboard"]);
    assert_eq!(page.texts("button[data-then]"), ["Copy to Clipboard & Close"]);
    let again = ada.page(&path);
    again.says("This token can no longer be shown.").does_not_say(&token[..20]);
    assert!(again.definition("Token").starts_with(&token[..10]));
    ada.page(SERVICES).does_not_say(&token[..20]);
    assert!(asks(&portal, &token));
    let mut told = portal.actions();
    told.retain(|action| action.starts_with("service."));
    assert_eq!(told, ["service.created", "service.token_revealed"]);
}

fn pressing_create_twice_makes_one_service(portal: Portal) {
    let ada = administrator(&portal);
    for round in 0..rounds() {
        let name = format!("wiki{round}");
        let form = ada.page("/admin/services/new").form("Create Service").fill("Name", &name);
        let answers = at_once(4, |_| ada.submit(&form).location().to_owned());
        assert!(answers.iter().all(|path| *path == answers[0]), "{answers:?}");
        let token = ada.page(&answers[0]).secret().expect("it is shown");
        assert!(asks(&portal, &token));
        assert_eq!(portal.count("services"), round + 1);
    }
}

fn two_at_once_of_one_name_make_one_service(portal: Portal) {
    let (ada, eve) = (administrator(&portal), portal.user_with("eve", "administrator").sign_in());
    for round in 0..rounds() {
        let name = format!("wiki{round}");
        let forms = [&ada, &eve, &ada, &eve]
            .map(|browser| (browser, browser.page("/admin/services/new").form("Create Service").fill("Name", &name)));
        let mut statuses = at_once(4, |number| forms[number].0.submit(&forms[number].1).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422, 422, 422]);
        assert_eq!(portal.count("services"), round + 1);
    }
}

fn rotating_stops_the_old_token_at_once(portal: Portal) {
    let ada = administrator(&portal);
    let (path, old) = create(&ada, "wiki");
    assert!(asks(&portal, &old));
    portal.flush();
    let confirmation = ada.page(&format!("{path}/rotation"));
    confirmation.says("The old token stops working at once.");
    assert_eq!(confirmation.rows()[0].cell("Address"), "127.0.0.1");
    let form = confirmation.form("Rotate token");
    let answer = ada.submit(&form);
    assert!(!asks(&portal, &old));
    assert_eq!(answer.location(), path);
    let new = ada.page(&path).secret().expect("the new token is shown");
    assert!(new != old && asks(&portal, &new));
    assert_eq!(ada.submit(&form).location(), path, "pressing twice rotates once");
    assert_eq!(ada.page(&path).secret(), None);
    assert!(asks(&portal, &new));
}

fn the_second_of_two_rotations_is_told_who_was_first(portal: Portal) {
    let (ada, eve) = (administrator(&portal), portal.user_with("eve", "administrator").sign_in());
    let (path, _) = create(&ada, "wiki");
    let [first, second] = [&ada, &eve].map(|browser| browser.page(&format!("{path}/rotation")).form("Rotate token"));
    ada.submit(&first).with(303);
    let token = ada.page(&path).secret().expect("it is shown");
    let page = portal.unchanged("a rotation that came second", || eve.submit(&second).with(409).page());
    page.says("ada rotated the token at 21 Nov 2026, 14:06 UTC, after your page was loaded.");
    assert_eq!(page.link("Back to the service"), Some(path));
    assert!(asks(&portal, &token));
}

fn many_rotations_at_once_leave_one_token(portal: Portal) {
    let ada = administrator(&portal);
    let (path, old) = create(&ada, "wiki");
    for _ in 0..rounds() {
        let forms: Vec<_> = (0..10).map(|_| ada.page(&format!("{path}/rotation")).form("Rotate token")).collect();
        let statuses = at_once(10, |number| ada.submit(&forms[number]).status);
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [303, 409].contains(status)), "{statuses:?}");
        let token = ada.page(&path).secret().expect("the winner's token is shown");
        assert!(asks(&portal, &token) && !asks(&portal, &old));
    }
}

fn whoever_lost_the_privilege_meanwhile_changes_nothing(portal: Portal) {
    let user = portal.user_with("ada", "administrator");
    let ada = user.sign_in();
    let (path, _) = create(&ada, "wiki");
    let rotation = ada.page(&format!("{path}/rotation")).form("Rotate token");
    let deletion = ada.page(&format!("{path}/deletion")).form("Delete service").fill("Name of the service", "wiki");
    user.strip();
    portal.unchanged("without the privilege", || {
        for form in [&rotation, &deletion] {
            ada.submit(form).with(403);
        }
    });
}

fn deleting_takes_the_name_and_ends_the_token(portal: Portal) {
    let ada = administrator(&portal);
    let (path, token) = create(&ada, "wiki");
    assert!(asks(&portal, &token));
    portal.flush();
    assert_eq!(portal.count("token_clients"), 1);
    let form = ada.page(&format!("{path}/deletion")).form("Delete service").fill("Name of the service", "wiki");
    let answer = ada.submit(&form);
    assert_eq!(answer.location(), SERVICES);
    assert_eq!(ada.follow(answer).notice().as_deref(), Some("Service “wiki” was deleted."));
    assert!(!asks(&portal, &token));
    ada.open(&path).with(404);
    ada.submit(&form).with(404);
    assert_eq!((portal.count("services"), portal.count("token_clients")), (0, 0));
    let (_, second) = create(&ada, "wiki");
    assert!(asks(&portal, &second) && !asks(&portal, &token));
}

fn the_list_is_searched_and_begins_empty(portal: Portal) {
    let ada = administrator(&portal);
    ada.page(SERVICES).says("No services yet").says("Create Service");
    for (name, description) in [("wiki", "Pages of the team"), ("billing", "100% invoices"), ("registry-2", "")] {
        let form = ada.page("/admin/services/new").form("Create Service");
        let form = form.fill("Name", name).fill("Description (optional)", description);
        ada.submit(&form).with(303);
    }
    let names = |query: &str| -> Vec<String> {
        ada.page(&format!("{SERVICES}{query}")).rows().iter().map(|row| row.cell("Name").to_owned()).collect()
    };
    assert_eq!(names(""), ["billing", "registry-2", "wiki"]);
    assert_eq!(names("?sort=-name"), ["wiki", "registry-2", "billing"]);
    assert_eq!(names("?q=TEAM+pages"), ["wiki"]);
    assert_eq!(names("?q=100%25"), ["billing"]);
    ada.page(&format!("{SERVICES}?q=nothing")).says("No service found");
    let rows = ada.page(SERVICES).rows();
    assert_eq!((rows[0].cell("Description"), rows[0].cell("Last used")), ("100% invoices", "Never"));
    assert!(rows[0].cell("Token").starts_with("ths_") && rows[1].cell("Description") == "None");
}

fn the_page_tells_callers_events_and_how_to_ask(portal: Portal) {
    let ada = administrator(&portal);
    let (path, token) = create(&ada, "wiki");
    for _ in 0..3 {
        assert!(asks(&portal, &token));
    }
    portal.flush();
    let page = ada.page(&path);
    assert_eq!(page.rows()[0].cell("Uses"), "3");
    assert!(page.definition("Last used").contains("from 127.0.0.1"));
    let address = portal.shared.settings.public_url.join("/oauth/introspect");
    page.says(&address).says("created the service").says("saw the token");
    assert!(page.texts("pre").iter().any(|code| code.contains("user = \"wiki:%s\"") && code.ends_with(&address)));
}

fn the_token_opens_nothing_but_introspection_and_itself(portal: Portal) {
    portal.repository("alpha");
    let (_, token) = portal.service("wiki");
    assert_eq!(portal.api(&token, "/api/v1/me").with(200).json()["kind"], "service_token");
    portal.api(&token, "/api/v1/repositories").with(403);
    portal.api(&token, "/api/v1/repositories/alpha").with(403);
    for page in ["/", "/profile", SERVICES] {
        let answer = portal.request("GET", page).bearer(&token).send();
        assert!(answer.location().starts_with("/login?next="), "{page}");
    }
}
