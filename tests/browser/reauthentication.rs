//! A password entered too long ago is asked for again, and one goes on where one was, with nothing typed lost.

use diesel::prelude::*;
use tokenhouse::storage::schema::sessions;

use crate::person::{self, NAME, PASSWORD, USERNAME};
use crate::support::server::Server;

#[test]
fn a_form_asks_for_the_password_first_and_comes_back() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    let_the_password_entry_age(&server);
    browser.go("/profile/api-tokens/new?name=ci-build&expiry=365");
    browser.expect_heading("Confirm your password");
    browser.fill("Password", "not the password");
    browser.press("Continue");
    browser.expect_text("The password is wrong.");
    browser.fill("Password", PASSWORD);
    browser.press("Continue");

    browser.expect_heading("Generate New Token");
    assert_eq!(browser.value("Name"), "ci-build");
    assert_eq!(browser.value_of("input[name=expiry]:checked"), "365");
}

#[test]
fn a_form_sent_too_late_keeps_what_was_typed_and_asks_for_the_password() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    browser.go("/profile/api-tokens/new");
    browser.fill("Name", "ci-build");
    browser.choose("Expiry date", "30 days");
    browser.choose("Account", "Read and write");
    let_the_password_entry_age(&server);
    browser.press("Create Token");

    browser.expect_text("Enter your password to go on.");
    assert!(browser.title().starts_with("Error: "), "{}", browser.title());
    assert_eq!(browser.value("Name"), "ci-build");
    assert_eq!(browser.value_of("input[name=expiry]:checked"), "30");
    assert_eq!(browser.value_of("input[name=account_permission]:checked"), "write");
    browser.fill("Password", PASSWORD);
    browser.press("Create Token");
    person::revealed(&browser);
}

#[test]
fn a_dialog_that_needs_the_password_becomes_a_page() {
    let server = Server::start();
    let browser = person::administrator(&server);
    let old = person::generate_token(&browser, "ci-build");
    person::open_token(&browser, "ci-build");
    let_the_password_entry_age(&server);
    browser.press("Rotate");
    browser.expect_heading("Confirm your password");
    browser.fill("Password", PASSWORD);
    browser.press("Continue");
    browser.expect_heading("Rotate “ci-build”?");

    let_the_password_entry_age(&server);
    browser.choose("Old token stops working", "after 24 hours");
    browser.press("Rotate token");
    browser.expect_text("Enter your password to go on.");
    assert_eq!(browser.value_of("input[name=grace]:checked"), "24h");
    browser.fill("Password", PASSWORD);
    browser.press("Rotate token");
    assert_ne!(person::revealed(&browser), old);
    browser.expect_text("still works until");
}

#[test]
fn signing_in_leads_to_where_one_was_going() {
    let server = Server::start();
    let browser = person::administrator_without_javascript(&server);
    browser.press(NAME);
    browser.press("Sign out");
    browser.expect_heading("Sign in");
    browser.go("/profile/api-tokens/new?name=ci-build");
    browser.expect_heading("Sign in");
    browser.fill("Username", USERNAME);
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.expect_heading("Generate New Token");
    assert_eq!(browser.value("Name"), "ci-build");
}

/// As if an hour had passed since the last password entry, and the sessions had been in use all the while.
fn let_the_password_entry_age(server: &Server) {
    let path = server.data_dir().join("tokenhouse.db");
    let mut database = SqliteConnection::establish(&path.to_string_lossy()).expect("the database opens");
    diesel::sql_query("PRAGMA busy_timeout = 5000").execute(&mut database).expect("SQLite waits its turn");
    let aged = diesel::update(sessions::table)
        .set(sessions::authenticated_at.eq(sessions::authenticated_at - 3_600))
        .execute(&mut database)
        .expect("the sessions can be changed");
    assert!(aged > 0, "there is no session");
}

#[test]
fn posts_of_own_pages_carry_their_origin() {
    let server = Server::start();
    let browser = person::administrator(&server);
    person::generate_token(&browser, "ci");
    let origins = browser.origins_of_posts();
    assert!(origins.len() >= 2, "set-up and token are both on the wire: {origins:?}");
    assert!(origins.iter().all(|origin| *origin == server.address("")), "{origins:?}");
}
