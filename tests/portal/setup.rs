//! `/setup`: the first administrator, made once and only by whoever read the program's output.

use crate::support::{Browser, Page, Portal, at_once, on_both, rounds};

on_both![
    the_address_without_its_code_is_refused,
    a_wrong_code_makes_nobody,
    there_is_nothing_to_set_up_where_there_is_a_user,
    a_refused_form_keeps_what_was_typed_but_not_the_password,
    every_refused_field_says_why,
    the_administrator_is_made_and_signed_in,
    the_set_up_disappears_for_ever,
    two_at_once_make_one_administrator,
];

fn form_fields(code: &str, username: &str) -> [(&'static str, String); 5] {
    [
        ("code", code.into()),
        ("username", username.into()),
        ("display_name", "Ada Lovelace".into()),
        ("email", "ada@example.org".into()),
        ("password", "zwölf blaue Elefanten".into()),
    ]
}

fn code(portal: &Portal) -> String {
    portal.setup_code.clone().expect("there is no user yet")
}

fn open<'p>(portal: &'p Portal) -> (Browser<'p>, Page) {
    let visitor = portal.visitor();
    let page = visitor.page(&format!("/setup?code={}", code(portal)));
    (visitor, page)
}

fn the_address_without_its_code_is_refused(portal: Portal) {
    let visitor = portal.visitor();
    for path in ["/setup", "/setup?code=", "/setup?code=0123456789012345678901"] {
        assert_eq!(visitor.open(path).with(403).page().heading(), "Not allowed");
    }
}

fn a_wrong_code_makes_nobody(portal: Portal) {
    portal.unchanged("a wrong code", || {
        for wrong in ["", "0123456789012345678901", &code(&portal).to_lowercase()] {
            portal.visitor().post("/setup", &form_fields(wrong, "ada")).with(403);
        }
    });
}

fn there_is_nothing_to_set_up_where_there_is_a_user(portal: Portal) {
    let code = code(&portal);
    portal.user("ada");
    let portal = portal.restarted(|_| {});
    assert_eq!(portal.setup_code, None, "no code is printed");
    portal.visitor().open(&format!("/setup?code={code}")).with(404);
    portal.unchanged("a late set-up", || portal.visitor().post("/setup", &form_fields(&code, "eve")).with(404));
}

fn a_refused_form_keeps_what_was_typed_but_not_the_password(portal: Portal) {
    let (visitor, page) = open(&portal);
    let form = page
        .form("Create administrator")
        .fill("Username", "ada")
        .fill("Display name", "Ada <Lovelace>")
        .fill("Email", "not an address")
        .fill("Password", "zwölf blaue Elefanten");
    let page = portal.unchanged("a refused set-up", || visitor.refused(&form));
    assert_eq!(page.error_at("Email"), "Email must look like name@example.org.");
    let again = page.form("Create administrator");
    assert_eq!(again.value("username"), "ada");
    assert_eq!(again.value("display_name"), "Ada <Lovelace>");
    assert_eq!(again.value("email"), "not an address");
    assert_eq!(again.value("password"), "");
    assert_eq!(again.value("code"), code(&portal));
    page.does_not_say("Elefanten");
}

fn every_refused_field_says_why(portal: Portal) {
    let (visitor, page) = open(&portal);
    let page = visitor.refused(&page.form("Create administrator"));
    for label in ["Username", "Display name", "Email", "Password"] {
        assert!(!page.error_at(label).is_empty(), "{label}");
    }
    assert_eq!(page.texts("[role=alert] h2"), ["4 things need your attention"]);
    for (password, reason) in [
        ("elf zeichen", "Password is too short"),
        ("корова", "Password is too short"),
        ("password1234", "Password is easy to guess"),
        ("tokenhouse12", "Password is easy to guess"),
        ("ada lovelace", "Password is easy to guess"),
        (&"x".repeat(1_025), "Password is too long"),
    ] {
        let form = page.form("Create administrator").fill("Username", "ada").fill("Display name", "Ada Lovelace");
        let refused = visitor.refused(&form.fill("Email", "ada@example.org").fill("Password", password));
        assert!(refused.error_at("Password").starts_with(reason), "{password}");
    }
    assert_eq!(portal.count("users"), 0);
}

fn the_administrator_is_made_and_signed_in(portal: Portal) {
    let (visitor, page) = open(&portal);
    assert_eq!(page.heading(), "Set up Tokenhouse");
    let form = page
        .form("Create administrator")
        .fill("Username", "Ada")
        .fill("Display name", "Ada Lovelace")
        .fill("Email", "ada@example.org")
        .fill("Password", "zwölf blaue Elefanten");
    let start = visitor.follow(visitor.submit(&form)).with(200);
    assert_eq!(start.heading(), "Repositories");
    let profile = visitor.page("/profile");
    assert_eq!(profile.definition("Username"), "ada");
    assert_eq!(profile.definition("Roles"), "Administrator");
    assert_eq!(portal.actions(), ["user.created"]);
    let elsewhere = portal.visitor();
    elsewhere.try_sign_in("ada", "zwölf blaue Elefanten").with(303);
    assert!(elsewhere.is_signed_in());
}

fn the_set_up_disappears_for_ever(portal: Portal) {
    let code = code(&portal);
    portal.visitor().post("/setup", &form_fields(&code, "ada")).with(303);
    let gone = |portal: &Portal| {
        portal.visitor().open(&format!("/setup?code={code}")).with(404);
        portal.visitor().open("/setup").with(404);
        portal.unchanged("a second set-up", || portal.visitor().post("/setup", &form_fields(&code, "eve")).with(404));
    };
    gone(&portal);
    gone(&portal.restarted(|_| {}));
}

fn two_at_once_make_one_administrator(portal: Portal) {
    let code = code(&portal);
    for _ in 0..rounds() {
        portal.sql("DELETE FROM users");
        let visitors = [portal.visitor(), portal.visitor()];
        let mut statuses = at_once(2, |number| {
            let username = ["ada", "eve"][number];
            visitors[number].post("/setup", &form_fields(&code, username)).status
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 404]);
        assert_eq!((portal.count("users"), portal.count("sessions")), (1, 1));
    }
}
