//! `/profile`: who one is.

use crate::support::{Portal, on_both};

on_both![
    a_visitor_is_led_to_the_sign_in,
    a_user_sees_who_they_are,
    who_may_not_use_the_api_is_not_led_to_tokens,
    a_display_name_is_text_and_not_html,
    roles_of_one_user_add_up,
];

fn a_visitor_is_led_to_the_sign_in(portal: Portal) {
    assert_eq!(portal.visitor().open("/profile").location(), "/login?next=%2Fprofile");
    assert_eq!(portal.visitor().open("/").location(), "/login?next=%2F");
}

fn a_user_sees_who_they_are(portal: Portal) {
    let page = portal.user("ada").sign_in().page("/profile");
    assert_eq!(page.heading(), "My Profile");
    assert_eq!(page.title(), "My Profile · Tokenhouse");
    assert_eq!(page.definition("Display name"), "ada of Tokenhouse");
    assert_eq!(page.definition("Username"), "ada");
    assert_eq!(page.definition("Email"), "ada@example.org");
    assert_eq!(page.definition("Roles"), "Developer");
    assert_eq!(page.definition("Privileges"), "API AccessView Repositories");
    assert_eq!(page.link("API Token Management").as_deref(), Some("/profile/api-tokens"));
    assert_eq!(page.texts("[aria-current=page]"), ["User Information"]);
    assert_eq!(page.texts("header summary"), ["ada of Tokenhouse"]);
}

fn who_may_not_use_the_api_is_not_led_to_tokens(portal: Portal) {
    let browser = portal.user_with("vera", "viewer").sign_in();
    assert_eq!(browser.page("/profile").link("API Token Management"), None);
    let page = browser.open("/profile/api-tokens").with(403).page();
    assert_eq!(page.heading(), "Not allowed");
    page.says("This needs the privilege API Access, which you do not hold. Ask an administrator for it.");
}

fn a_display_name_is_text_and_not_html(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    portal.sql("UPDATE users SET display_name = '<img src=x onerror=alert(1)>&amp;', email = '\"><b>@x'");
    let page = browser.page("/profile");
    assert_eq!(page.definition("Display name"), "<img src=x onerror=alert(1)>&amp;");
    assert_eq!(page.definition("Email"), "\"><b>@x");
    assert_eq!(page.texts("header summary"), ["<img src=x onerror=alert(1)>&amp;"]);
    assert!(page.all("img").is_empty());
}

fn roles_of_one_user_add_up(portal: Portal) {
    let vera = portal.user_with("vera", "viewer");
    vera.add_role("repository-manager");
    let page = vera.sign_in().page("/profile");
    assert_eq!(
        page.texts("dd li"),
        ["Repository Manager", "Viewer", "API Access", "View Repositories", "Repository Management"]
    );
}
