//! `/admin/users`: the list, a new user, and the page of one.

use tokenhouse::domain::privilege::Privilege;

use crate::support::form::Form;
use crate::support::{Browser, PASSWORD, Page, Portal, User, at_once, on_both, rounds};

on_both![
    a_refused_form_keeps_what_was_typed,
    a_taken_username_is_refused_in_any_case,
    only_roles_within_ones_own_privileges_are_offered_and_taken,
    a_form_without_its_number_is_refused_and_one_used_for_another_too,
    a_form_sent_too_late_asks_for_the_password_and_keeps_the_rest,
    whoever_holds_more_can_be_looked_at_and_nothing_else,
    a_user_that_is_not_there_is_not_found,
    nobody_but_the_maker_sees_the_link_and_only_by_looking,
    a_link_that_nobody_came_to_see_is_not_shown,
    a_new_user_sets_a_password_with_the_link_and_signs_in,
    a_user_may_have_no_role,
    twenty_presses_make_one_user_and_one_link,
    the_list_shows_every_user_with_all_its_columns,
    a_search_finds_parts_of_words_in_names_and_addresses,
    a_long_list_comes_in_pages_of_25_in_the_order_asked_for,
    the_page_tells_what_there_is_to_know,
    names_are_text_and_not_html,
    administration_leads_to_the_first_page_that_one_may_enter,
];

fn root(portal: &Portal) -> User<'_> {
    portal.user_with("root", "administrator")
}

fn filled(browser: &Browser<'_>, username: &str) -> Form {
    let form = browser.page("/admin/users/new").form("Create User");
    form.fill("Username", username).fill("Display name", "Grace Hopper").fill("Email", "grace@example.org")
}

/// The address that the page shows this once.
fn link(page: &Page) -> Option<String> {
    Some(page.all("input#password-link[data-secret]").into_iter().next()?.attr("value")?.to_owned())
}

fn a_refused_form_keeps_what_was_typed(portal: Portal) {
    let browser = root(&portal).sign_in();
    let form = browser.page("/admin/users/new").form("Create User");
    let page = portal.unchanged("an empty form", || browser.refused(&form));
    for label in ["Username", "Display name", "Email"] {
        assert!(!page.error_at(label).is_empty(), "{label}");
    }
    let form = filled(&browser, "a b").fill("Display name", "Grace <Hopper>").choose("Roles", "Viewer");
    let page = portal.unchanged("a wrong username", || browser.refused(&form));
    assert!(page.error_at("Username").starts_with("Username must be"));
    assert_eq!(page.form("Create User").fields(), form.fields());
}

fn a_taken_username_is_refused_in_any_case(portal: Portal) {
    let browser = root(&portal).sign_in();
    portal.user("grace");
    let page = portal.unchanged("a taken username", || browser.refused(&filled(&browser, "Grace")));
    assert_eq!(page.error_at("Username"), "A user with the username “grace” already exists. Choose another username.");
}

fn only_roles_within_ones_own_privileges_are_offered_and_taken(portal: Portal) {
    portal.role("desk", &[Privilege::UserManagement, Privilege::ViewRepositories]);
    let browser = portal.user_with("dee", "desk").sign_in();
    let form = filled(&browser, "grace");
    let offered: Vec<_> = form.choices("Roles").into_iter().map(|(label, _)| label).collect();
    assert_eq!(offered, ["Role desk", "Viewer"]);
    for role in ["administrator", "developer", "king", ""] {
        let page = portal.unchanged(role, || browser.refused(&form.clone().and("roles", role)));
        assert!(page.error_at("Roles").contains("you cannot give"), "{role}");
    }
    browser.submit(&form.choose("Roles", "Viewer").choose("Roles", "Role desk")).with(303);
}

fn a_form_without_its_number_is_refused_and_one_used_for_another_too(portal: Portal) {
    let browser = root(&portal).sign_in();
    let form = filled(&browser, "grace");
    for nonce in ["", "x", "0123456789012345678901"] {
        portal.unchanged("no number", || browser.submit(&form.clone().tampered("nonce", nonce)).with(400));
    }
    browser.submit(&form).with(303);
    let again = form.fill("Username", "hopper");
    portal.unchanged("a used form", || browser.submit(&again).with(409)).page().says("This form was used before.");
}

fn a_form_sent_too_late_asks_for_the_password_and_keeps_the_rest(portal: Portal) {
    let browser = root(&portal).sign_in();
    let form = filled(&browser, "grace").choose("Roles", "Developer");
    portal.flush();
    portal.advance(20 * 60);
    browser.page("/admin/users");
    portal.flush();
    portal.advance(10 * 60);
    let location = browser.open("/admin/users/new").location().to_owned();
    assert_eq!(location, "/reauthenticate?next=%2Fadmin%2Fusers%2Fnew");
    let page = portal.unchanged("a stale form", || browser.refused(&form));
    assert_eq!(page.error_at("Password"), "Enter your password to go on.");
    let again = page.form("Create User");
    let kept: Vec<_> = again.fields().into_iter().filter(|(name, _)| name != "password").collect();
    assert_eq!(kept, form.fields());
    let page = browser.follow(browser.submit(&again.fill("Password", PASSWORD))).with(200);
    assert!(link(&page).is_some());
}

fn whoever_holds_more_can_be_looked_at_and_nothing_else(portal: Portal) {
    let target = root(&portal);
    portal.role("desk", &[Privilege::UserManagement]);
    let browser = portal.user_with("dee", "desk").sign_in();
    let path = format!("/admin/users/{}", target.id);
    let page = browser.page(&path);
    page.says("You can view this user but not change anything: root of Tokenhouse has API Access,");
    assert_eq!(page.texts(".actions a"), [""; 0]);
    portal.unchanged("whoever holds less", || {
        for tail in ["edit", "disablement", "enablement", "password-link", "sign-out"] {
            let path = format!("{path}/{tail}");
            browser.open(&path).with(403).page().says("has privileges or access to repositories that you do not have");
            let fields = [("display_name", "x"), ("email", "x@example.org")];
            let fields = if tail == "edit" { &fields[..] } else { &[] };
            browser.post(&path, fields).with(403);
        }
    });
}

fn a_user_that_is_not_there_is_not_found(portal: Portal) {
    let browser = root(&portal).sign_in();
    for id in ["1", "x", "new/edit"] {
        for tail in ["", "/edit", "/disablement", "/enablement", "/password-link", "/sign-out"] {
            browser.open(&format!("/admin/users/{id}{tail}")).with(404);
            if !tail.is_empty() {
                browser.post(&format!("/admin/users/{id}{tail}"), &[("unknown", "x")]).with(404);
            }
        }
    }
}

fn nobody_but_the_maker_sees_the_link_and_only_by_looking(portal: Portal) {
    let (root, other) = (root(&portal), portal.user_with("other", "administrator"));
    let browser = root.sign_in();
    let path = browser.submit(&filled(&browser, "grace")).location().to_owned();
    assert_eq!(link(&other.sign_in().page(&path)), None);
    assert_eq!(link(&root.sign_in().page(&path)), None, "another session of the same user");
    browser.send(browser.request("HEAD", &path)).with(200);
    browser.send(browser.request("GET", &path).header("sec-purpose", "prefetch")).with(200);
    let answer = browser.open(&path).with(200);
    assert!(answer.cookie(&portal.cookies().navigation).is_some(), "it stays out of the back-forward cache");
    assert!(link(&answer.page()).is_some());
    let again = browser.page(&path);
    assert_eq!(link(&again), None);
    again.says("Not set. The set-password link can no longer be shown, but works until 22 Nov 2026, 14:06 UTC");
    assert!(portal.actions().contains(&"user.password_link_revealed".to_owned()));
}

fn a_link_that_nobody_came_to_see_is_not_shown(portal: Portal) {
    let browser = root(&portal).sign_in();
    let path = browser.submit(&filled(&browser, "grace")).location().to_owned();
    portal.advance(5 * 60);
    assert_eq!(link(&browser.page(&path)), None);
    portal.advance(60);
    browser.page(&path).says("Reset the password to make another.").does_not_say("code=");
}

fn a_new_user_sets_a_password_with_the_link_and_signs_in(portal: Portal) {
    let browser = root(&portal).sign_in();
    let form = filled(&browser, "Grace").choose("Roles", "Developer").choose("Roles", "Viewer");
    let page = browser.follow(browser.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("User “grace” was created."));
    assert_eq!(page.heading(), "Grace Hopper");
    page.says("Hand this link to Grace Hopper. It works once, until 22 Nov 2026, 14:06 UTC.");
    page.says("You will not be able to see it again.").says("Invited");
    assert_eq!(page.definition("Roles"), "DeveloperViewer");
    let address = link(&page).expect("it is shown");
    let path = address.strip_prefix(portal.shared.settings.public_url.as_str()).expect("an address of this portal");
    assert!(path.starts_with("/set-password?code=") && path.len() == "/set-password?code=".len() + 22, "{path}");
    assert!(!format!("{:?}", portal.dump()).contains(&path["/set-password?code=".len()..]), "it is stored nowhere");

    let grace = portal.visitor();
    grace.try_sign_in("grace", "").with(401);
    let form = grace.page(path).form("Set password").fill("New password", "kupfer wal zehn laterne");
    let page = grace.follow(grace.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("Your password was set. Sign in as grace with it."));
    grace.try_sign_in("grace", "kupfer wal zehn laterne").with(303);
    assert!(grace.is_signed_in());
    assert_eq!(browser.page("/admin/users?q=grace").rows()[0].cell("Status"), "Active");
    let actions: Vec<_> = portal.actions().into_iter().filter(|action| action.starts_with("user.")).collect();
    assert_eq!(actions, ["user.created", "user.password_link_revealed", "user.password_set"]);
}

fn a_user_may_have_no_role(portal: Portal) {
    let browser = root(&portal).sign_in();
    let form = browser.page("/admin/users/new");
    form.says("A user without a role can only use what is granted");
    let page = browser.follow(browser.submit(&filled(&browser, "grace")));
    assert_eq!((page.definition("Roles").as_str(), page.definition("Privileges").as_str()), ("None", "None"));
}

fn twenty_presses_make_one_user_and_one_link(portal: Portal) {
    let browser = root(&portal).sign_in();
    for round in 0..rounds() {
        let form = filled(&browser, &format!("grace{round}"));
        let copies: Vec<_> = (0..20).map(|_| browser.clone()).collect();
        let mut locations = at_once(20, |number| copies[number].submit(&form).location().to_owned());
        locations.dedup();
        assert_eq!(locations.len(), 1, "all of them lead to the one user");
        assert_eq!((portal.count("users"), portal.count("password_links")), (round + 2, round + 1));
        let address = link(&browser.page(&locations[0])).expect("the link is not lost");
        let path = address.split(&portal.host()).nth(1).expect("a path");
        assert_eq!(portal.visitor().page(path).heading(), "Set your password");
        portal.unchanged("a late press", || browser.submit(&form).with(303));
    }
}

fn the_list_shows_every_user_with_all_its_columns(portal: Portal) {
    let root = root(&portal);
    let gone = portal.user("gone");
    gone.add_role("viewer");
    gone.disable();
    let browser = root.sign_in();
    browser.submit(&filled(&browser, "grace")).with(303);
    let page = browser.page("/admin/users");
    assert_eq!(page.heading(), "Administration");
    assert_eq!(page.texts(".tabs [aria-current=page]"), ["Users"]);
    assert_eq!(page.link("Create User").as_deref(), Some("/admin/users/new"));
    let cells = |heading: &str| page.rows().iter().map(|row| row.cell(heading).to_owned()).collect::<Vec<_>>();
    assert_eq!(cells("Username"), ["grace", "gone", "root"]);
    assert_eq!(cells("Email"), ["grace@example.org", "gone@example.org", "root@example.org"]);
    assert_eq!(cells("Roles"), ["None", "Developer, Viewer", "Administrator"]);
    assert_eq!(cells("Status"), ["Invited", "Disabled", "Active"]);
    assert_eq!(cells("Date created"), ["21 Nov 2026, 14:06 UTC just now"; 3]);
    assert_eq!(page.link("root of Tokenhouse"), Some(format!("/admin/users/{}", root.id)));
}

fn a_search_finds_parts_of_words_in_names_and_addresses(portal: Portal) {
    let browser = root(&portal).sign_in();
    for name in ["ada", "grace", "g_n%a"] {
        if name != "g_n%a" {
            portal.user(name);
        }
    }
    let found = |query: &str| -> Vec<String> {
        let page = browser.page(&format!("/admin/users?q={query}"));
        page.rows().iter().map(|row| row.cell("Username").to_owned()).collect()
    };
    assert_eq!(found("GRA"), ["grace"]);
    assert_eq!(found("tokenhouse+ada%40"), ["ada"]);
    assert_eq!(found("example.org"), ["ada", "grace", "root"]);
    for nothing in ["%25", "_", "%5C", "ada+grace", "%27"] {
        assert_eq!(found(nothing), [""; 0], "{nothing}");
    }
    let page = browser.page("/admin/users?q=nobody");
    page.says("No user found");
    assert_eq!(page.link("Show all users").as_deref(), Some("/admin/users"));
    assert_eq!(page.all("input#q")[0].attr("value"), Some("nobody"));
}

fn a_long_list_comes_in_pages_of_25_in_the_order_asked_for(portal: Portal) {
    let browser = root(&portal).sign_in();
    for number in 0..29 {
        portal.user(String::leak(format!("user{number:02}")));
    }
    let page = browser.page("/admin/users");
    page.says("1 to 25 of 30");
    assert_eq!((page.rows().len(), page.rows()[0].cell("Username")), (25, "root"));
    assert_eq!(page.texts("[aria-sort=ascending]"), ["Name"]);
    let page = browser.page(&page.link("Next").expect("there are more"));
    page.says("26 to 30 of 30");
    assert_eq!(page.rows().len(), 5);
    let page = browser.page("/admin/users?sort=-username&q=user");
    page.says("1 to 25 of 29");
    assert_eq!(page.rows()[0].cell("Username"), "user28");
    for sort in ["name", "-name", "username", "email", "-email", "created", "-created", "nonsense"] {
        assert_eq!(browser.page(&format!("/admin/users?sort={sort}")).rows().len(), 25, "{sort}");
    }
    browser.page("/admin/users?page=9").says("Nothing on this page; there are 30");
}

fn the_page_tells_what_there_is_to_know(portal: Portal) {
    let ada = portal.user("ada");
    for name in ["a", "b"] {
        portal.token_named(&ada, name);
    }
    let of_ada = [ada.sign_in(), ada.sign_in()];
    let root = root(&portal);
    let browser = root.sign_in();
    let page = browser.page(&format!("/admin/users/{}", ada.id));
    assert_eq!(page.heading(), "ada of Tokenhouse");
    for (term, value) in [
        ("Username", "ada"),
        ("Email", "ada@example.org"),
        ("Roles", "Developer"),
        ("Privileges", "API AccessView Repositories"),
        ("Date created", "21 Nov 2026, 14:06 UTC just now"),
        ("API tokens", "2"),
        ("Active sessions", "2"),
        ("Last seen in a session", "21 Nov 2026, 14:06 UTC just now"),
    ] {
        assert_eq!(page.definition(term), value, "{term}");
    }
    let buttons = ["Edit", "Reset password", "Sign out everywhere", "Disable"];
    assert_eq!(page.texts(".actions a"), buttons);
    let rows = page.rows();
    assert_eq!((rows.len(), rows[0].cell("What"), rows[0].cell("Who")), (2, "signed in", "ada"));
    assert_eq!(rows[0].cell("Address"), "127.0.0.1");
    portal.advance(13 * 3_600);
    drop(of_ada);
    let browser = root.sign_in();
    let page = browser.page(&format!("/admin/users/{}", ada.id));
    assert_eq!(
        (page.definition("Active sessions").as_str(), page.definition("Last seen in a session").as_str()),
        ("0", "No active session")
    );
    let own = browser.page(&format!("/admin/users/{}", root.id));
    assert_eq!(own.texts(".actions a"), ["Edit", "Sign out everywhere"]);
}

fn names_are_text_and_not_html(portal: Portal) {
    let browser = root(&portal).sign_in();
    let name = "\"><script>alert(1)</script>'&amp;";
    let page = browser.follow(browser.submit(&filled(&browser, "grace").fill("Display name", name)));
    assert_eq!(page.heading(), name);
    let path = page.link("Edit").expect("it can be edited");
    assert_eq!(browser.page(&path).form("Save").value("display_name"), name);
    for path in [path.replace("/edit", ""), path.replace("/edit", "/disablement"), "/admin/users".into()] {
        assert_eq!(browser.page(&path).all("script").len(), 1, "the page's own");
    }
}

fn administration_leads_to_the_first_page_that_one_may_enter(portal: Portal) {
    let browser = root(&portal).sign_in();
    assert_eq!(browser.open("/admin").location(), "/admin/users");
    let ada = portal.user("ada").sign_in();
    ada.open("/admin").with(403).page().says("you hold none of them");
    assert_eq!(ada.page("/profile").link("Administration"), None);
}
