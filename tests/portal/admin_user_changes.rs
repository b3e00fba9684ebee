//! What happens to a user in Administration: edited, disabled, enabled, given a new link, signed out.

use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::form::Form;
use crate::support::{Browser, PASSWORD, Portal, User, at_once, on_both, rounds};

on_both![
    a_role_beyond_ones_own_privileges_is_not_given,
    change_of_user_with_grants_beyond_own_access_returns_403,
    user_granted_access_during_reset_is_not_reset,
    a_refused_edit_keeps_what_was_typed,
    the_last_administrator_keeps_the_role_and_the_account,
    an_administrator_who_never_set_a_password_does_not_count,
    nobody_disables_or_resets_oneself,
    what_is_disabled_or_enabled_already_is_told,
    every_change_asks_for_the_password_where_it_was_entered_long_ago,
    an_edited_user_is_what_the_form_said,
    an_edit_that_changes_nothing_leaves_no_event,
    a_user_without_an_email_may_stay_so,
    roles_hold_at_the_very_next_request,
    whoever_gives_away_user_management_is_led_elsewhere,
    a_disabled_user_is_out_at_once_and_the_tokens_with_them,
    an_enabled_user_is_back_and_the_tokens_too,
    a_reset_password_stops_working_at_once,
    password_reset_revokes_api_tokens_where_wanted,
    the_link_of_a_disabled_user_works_once_enabled,
    signing_out_everywhere_ends_the_sessions_and_nothing_else,
    one_may_sign_out_oneself_everywhere,
    an_administrator_who_was_stripped_or_disabled_is_refused_at_the_next_request,
    administrators_who_demote_each_other_at_once_leave_one,
    administrators_who_disable_each_other_at_once_leave_one,
];

fn root(portal: &Portal) -> User<'_> {
    portal.user_with("root", "administrator")
}

fn page_of(user: &User<'_>, tail: &str) -> String {
    format!("/admin/users/{}/{tail}", user.id)
}

fn edit_form(browser: &Browser<'_>, user: &User<'_>) -> Form {
    browser.page(&page_of(user, "edit")).form("Save")
}

/// Lets the last password entry lie too far back.
fn age(browser: &Browser<'_>) {
    let portal = browser.portal;
    portal.flush();
    portal.advance(20 * 60);
    assert!(browser.is_signed_in());
    portal.flush();
    portal.advance(10 * 60);
}

fn a_role_beyond_ones_own_privileges_is_not_given(portal: Portal) {
    portal.role("desk", &[Privilege::UserManagement, Privilege::ViewRepositories]);
    let dee = portal.user_with("dee", "desk");
    let ada = portal.user_with("ada", "viewer");
    let browser = dee.sign_in();
    for user in [&ada, &dee] {
        let form = edit_form(&browser, user);
        assert_eq!(form.choices("Roles").len(), 2);
        for role in ["developer", "administrator", "king"] {
            let page = portal.unchanged(role, || browser.refused(&form.clone().and("roles", role)));
            assert!(page.error_at("Roles").contains("you cannot give"), "{role}");
        }
    }
    // A role that one could give a moment ago.
    let form = edit_form(&browser, &ada).choose("Roles", "Role desk");
    portal.sql("UPDATE roles SET privileges = 'user_management view_audit_log' WHERE name = 'desk'");
    portal.sql("DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE username = 'ada')");
    portal.unchanged("a role that grew", || {
        let form = form.clone().tampered("roles", "viewer");
        browser.refused(&form)
    });
}

const TAILS: [&str; 5] = ["edit", "disablement", "enablement", "password-link", "sign-out"];

fn change_of_user_with_grants_beyond_own_access_returns_403(portal: Portal) {
    portal.role("desk", &[Privilege::UserManagement]);
    let (dee, ada) = (portal.user_with("dee", "desk"), portal.user("ada"));
    ada.strip();
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    let browser = dee.sign_in();
    let path = format!("/admin/users/{}", ada.id);
    let refuses = |what: &str| {
        portal.unchanged(what, || {
            let page = browser.page(&path);
            page.says("You can view this user but not change anything: ada of Tokenhouse has access to repositories,");
            assert_eq!(page.texts(".actions a"), [""; 0]);
            for tail in TAILS {
                let path = page_of(&ada, tail);
                browser
                    .open(&path)
                    .with(403)
                    .page()
                    .says("has privileges or access to repositories that you do not have");
                let fields = [("display_name", "x"), ("email", "x@example.org")];
                browser.post(&path, if tail == "edit" { &fields[..] } else { &[] }).with(403);
            }
        });
    };
    ada.grant(alpha, Permission::Read);
    refuses("a read grant");
    dee.grant(beta, Permission::Write);
    refuses("a read grant, and a grant on another repository");
    dee.grant(alpha, Permission::Read);
    browser.post(&page_of(&ada, "sign-out"), &[("", ""); 0]).with(303);
    ada.grant(alpha, Permission::Write);
    refuses("a write grant");
    dee.add_role("viewer");
    refuses("a write grant, and View Repositories");
    dee.grant(alpha, Permission::Write);
    browser.follow(browser.post(&page_of(&ada, "password-link"), &[("", ""); 0])).with(200);
    dee.ungrant();
    refuses("a write grant again");
    dee.add_role("repository-manager");
    browser.post(&page_of(&ada, "password-link"), &[("", ""); 0]).with(303);
}

/// Whichever comes first: a reset that comes after the grant is refused, and a link from before is dead.
fn user_granted_access_during_reset_is_not_reset(portal: Portal) {
    portal.role("desk", &[Privilege::UserManagement]);
    let dee = portal.user_with("dee", "desk");
    portal.repository("alpha");
    let (browser, manager) = (dee.sign_in(), portal.user_with("mia", "repository-manager").sign_in());
    for round in 0..rounds() {
        let ada = portal.user(String::leak(format!("ada{round}")));
        ada.strip();
        let answers = at_once(4, |number| match number {
            0 => manager.post("/repositories/alpha/access", &[("username", ada.username), ("permission", "write")]),
            _ => browser.post(&page_of(&ada, "password-link"), &[("", ""); 0]),
        });
        answers[0].clone().with(303);
        assert!(answers[1..].iter().all(|answer| [303, 403].contains(&answer.status)), "{answers:?}");
        portal.unchanged("after the grant", || {
            browser.post(&page_of(&ada, "password-link"), &[("", ""); 0]).with(403);
        });
        if let Some(path) = answers.iter().skip(1).find(|answer| answer.status == 303) {
            let shown = browser.open(path.location()).with(200).page();
            for field in shown.all("input#password-link") {
                let address = field.attr("value").expect("a link");
                portal.visitor().open(&address[address.find("/set-password").expect("an address")..]).with(404);
            }
        }
    }
}

fn a_refused_edit_keeps_what_was_typed(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let form = edit_form(&browser, &ada).fill("Display name", " ").fill("Email", "x <y>").choose("Roles", "Viewer");
    let page = portal.unchanged("a wrong edit", || browser.refused(&form));
    assert!(page.error_at("Display name").starts_with("Display name is empty."));
    assert_eq!(page.error_at("Email"), "Email must look like name@example.org.");
    assert_eq!(page.form("Save").fields(), form.fields());
    portal.unchanged("a username", || browser.submit(&form.and("username", "eve")).with(400));
}

fn the_last_administrator_keeps_the_role_and_the_account(portal: Portal) {
    let root = root(&portal);
    portal.role("all", &Privilege::ALL);
    let other = portal.user_with("other", "all");
    for browser in [root.sign_in(), other.sign_in()] {
        let form = edit_form(&browser, &root).without("roles").and("roles", "all");
        let page = portal.unchanged("the last Administrator", || browser.refused(&form));
        assert_eq!(
            page.error_at("Roles"),
            "This is the last enabled user with the role Administrator. Give that role to another user first."
        );
    }
    let browser = other.sign_in();
    let form = browser.page(&page_of(&root, "disablement")).form("Disable user");
    portal.unchanged("the last Administrator", || {
        browser.submit(&form).with(409).page().says("Give that role to another user first.");
    });
    portal.user_with("disabled", "administrator").disable();
    portal.unchanged("a disabled one does not count", || browser.submit(&form).with(409));
    portal.user_with("third", "administrator");
    browser.submit(&form).with(303);
}

fn an_administrator_who_never_set_a_password_does_not_count(portal: Portal) {
    let (root, ghost) = (root(&portal), portal.user_with("ghost", "administrator"));
    let browser = root.sign_in();
    browser.post(&page_of(&ghost, "password-link"), &[("", ""); 0]).with(303);
    let fields = edit_form(&browser, &root).without("roles").fields();
    browser.post(&page_of(&root, "edit"), &fields).with(422);
    assert_eq!(portal.actions().iter().filter(|action| *action == "user.roles_changed").count(), 0);
}

fn nobody_disables_or_resets_oneself(portal: Portal) {
    let root = root(&portal);
    portal.user_with("other", "administrator");
    let browser = root.sign_in();
    portal.unchanged("oneself", || {
        for (tail, sentence) in
            [("disablement", "You cannot disable yourself."), ("password-link", "You cannot reset your own password.")]
        {
            browser.open(&page_of(&root, tail)).with(409).page().says(sentence);
            browser.post(&page_of(&root, tail), &[("", ""); 0]).with(409).page().says(sentence);
        }
    });
}

fn what_is_disabled_or_enabled_already_is_told(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    browser.open(&page_of(&ada, "enablement")).with(409).page().says("User “ada” is enabled already.");
    portal.unchanged("enabling again", || browser.post(&page_of(&ada, "enablement"), &[("", ""); 0]).with(303));
    ada.disable();
    browser.open(&page_of(&ada, "disablement")).with(409).page().says("User “ada” is disabled already.");
    portal.unchanged("disabling again", || browser.post(&page_of(&ada, "disablement"), &[("", ""); 0]).with(303));
}

fn every_change_asks_for_the_password_where_it_was_entered_long_ago(portal: Portal) {
    let root = root(&portal);
    let ada = portal.user("ada");
    for (tail, button) in [
        ("edit", "Save"),
        ("disablement", "Disable user"),
        ("enablement", "Enable user"),
        ("password-link", "Reset password"),
        ("sign-out", "Sign out everywhere"),
    ] {
        let browser = root.sign_in();
        let form = browser.page(&page_of(&ada, tail)).form(button);
        age(&browser);
        assert!(browser.open(&page_of(&ada, tail)).location().starts_with("/reauthenticate?next="), "{tail}");
        let page = portal.unchanged(tail, || browser.refused(&form));
        assert_eq!(page.error_at("Password"), "Enter your password to go on.");
        let again = page.form(button);
        let kept: Vec<_> = again.fields().into_iter().filter(|(name, _)| name != "password").collect();
        assert_eq!(kept, form.fields(), "{tail}");
        browser.submit(&again.fill("Password", PASSWORD)).with(303);
    }
}

fn an_edited_user_is_what_the_form_said(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let form = edit_form(&browser, &ada)
        .fill("Display name", "Ada Lovelace")
        .fill("Email", "countess@example.org")
        .without("roles")
        .and("roles", "viewer")
        .and("roles", "viewer")
        .and("roles", "repository-manager");
    let page = browser.follow(browser.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("User “ada” was edited."));
    assert_eq!((page.heading().as_str(), page.definition("Email").as_str()), ("Ada Lovelace", "countess@example.org"));
    assert_eq!(page.definition("Roles"), "Repository ManagerViewer");
    page.says("display name was “ada of Tokenhouse”, email was ada@example.org");
    page.says("Repository Manager, Viewer; was Developer");
    assert_eq!(browser.page("/admin/users?q=countess+lovelace").rows().len(), 1);
    assert_eq!(browser.page("/admin/users?q=ada%40example.org").rows().len(), 0);
}

fn an_edit_that_changes_nothing_leaves_no_event(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    ada.add_role("viewer");
    let form = edit_form(&browser, &ada);
    portal.unchanged("the same again", || browser.submit(&form).with(303));
}

fn a_user_without_an_email_may_stay_so(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    portal.sql("UPDATE users SET email = '' WHERE username = 'ada'");
    let form = edit_form(&browser, &ada).fill("Display name", "Ada");
    browser.submit(&form).with(303);
    browser.submit(&form.fill("Email", "ada@example.org")).with(303);
    let page = browser.refused(&edit_form(&browser, &ada).fill("Email", ""));
    assert_eq!(page.error_at("Email"), "Email is empty. Enter an address, such as name@example.org.");
}

fn roles_hold_at_the_very_next_request(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let of_ada = ada.sign_in();
    of_ada.page("/profile/api-tokens");
    browser.submit(&edit_form(&browser, &ada).without("roles").and("roles", "viewer")).with(303);
    of_ada.open("/profile/api-tokens").with(403);
    assert!(!portal.accepts(&token.secret));
    browser.submit(&edit_form(&browser, &ada).choose("Roles", "Administrator")).with(303);
    of_ada.page("/admin/users");
    assert!(portal.accepts(&token.secret));
}

fn whoever_gives_away_user_management_is_led_elsewhere(portal: Portal) {
    let root = root(&portal);
    portal.user_with("other", "administrator");
    let browser = root.sign_in();
    let answer = browser.submit(&edit_form(&browser, &root).without("roles").and("roles", "developer"));
    assert_eq!(answer.location(), "/");
    assert_eq!(browser.follow(answer).with(200).notice().as_deref(), Some("User “root” was edited."));
    browser.open("/admin/users").with(403);
}

fn a_disabled_user_is_out_at_once_and_the_tokens_with_them(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let tokens = ["a", "b"].map(|name| portal.token_named(&ada, name));
    let of_ada = ada.sign_in();
    let page = browser.page(&page_of(&ada, "disablement"));
    page.says("2 API tokens of this user are refused while the account is disabled.");
    let names: Vec<_> = page.rows().iter().map(|row| row.cell("Name").to_owned()).collect();
    assert_eq!(names, ["b", "a"]);
    let page = browser.follow(browser.submit(&page.form("Disable user"))).with(200);
    assert_eq!(page.notice().as_deref(), Some("User “ada” was disabled."));
    assert_eq!(page.definition("API tokens"), "2 refused while the user is disabled");
    assert_eq!(page.texts(".actions a"), ["Edit", "Enable", "Reset password", "Sign out everywhere"]);
    assert!(!of_ada.is_signed_in());
    assert!(tokens.iter().all(|token| !portal.accepts(&token.secret)));
    portal.visitor().try_sign_in("ada", PASSWORD).with(401);
    let eve = portal.user("eve");
    browser.page(&page_of(&eve, "disablement")).says("This user has no API tokens.");
}

fn an_enabled_user_is_back_and_the_tokens_too(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    ada.disable();
    let form = browser.page(&page_of(&ada, "enablement")).form("Enable user");
    let page = browser.follow(browser.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("User “ada” was enabled."));
    assert!(portal.accepts(&token.secret) && ada.sign_in().is_signed_in());
}

/// The path of the link that the page shows this once.
fn link(page: &crate::support::Page) -> String {
    let field = page.all("input#password-link[data-secret]").into_iter().next().expect("a link is shown");
    let address = field.attr("value").expect("a value");
    address[address.find("/set-password").expect("an address")..].to_owned()
}

fn a_reset_password_stops_working_at_once(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let of_ada = ada.sign_in();
    let page = browser.page(&page_of(&ada, "password-link"));
    page.says("The old password stops working immediately");
    let form = page.form("Reset password");
    let page = browser.follow(browser.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("The password of “ada” was reset."));
    let first = link(&page);
    assert!(!of_ada.is_signed_in() && portal.accepts(&token.secret));
    portal.visitor().try_sign_in("ada", PASSWORD).with(401);
    let second = link(&browser.follow(browser.submit(&form)));
    portal.visitor().open(&first).with(404);
    assert_eq!(portal.visitor().page(&second).heading(), "Set your password");
    // Another administrator's reset takes the link away from whoever has not looked yet.
    let path = browser.submit(&form).location().to_owned();
    let other = portal.user_with("other", "administrator").sign_in();
    other.submit(&form).with(303);
    assert!(browser.page(&path).all("#password-link").is_empty());
    link(&other.page(&path));
}

fn password_reset_revokes_api_tokens_where_wanted(portal: Portal) {
    let root = root(&portal);
    let browser = root.sign_in();
    let ada = portal.user("ada");
    let tokens = ["a", "b"].map(|name| portal.token_named(&ada, name));
    let of_eve = portal.token(&portal.user("eve"), |_| {});
    let form = browser.page(&page_of(&ada, "password-link")).form("Reset password");
    let form = form.choose("API tokens", "Also revoke this user's API tokens");
    age(&browser);
    let page = portal.unchanged("a stale form", || browser.refused(&form));
    assert!(tokens.iter().all(|token| portal.accepts(&token.secret)));
    let again = page.form("Reset password");
    assert!(again.fields().contains(&("revoke_tokens".to_owned(), "yes".to_owned())), "the choice is kept");
    let page = browser.follow(browser.submit(&again.fill("Password", PASSWORD))).with(200);
    assert_eq!(page.notice().as_deref(), Some("The password of “ada” was reset. Revoked: 2 API tokens."));
    page.says("API tokens revoked: 2");
    assert!(tokens.iter().all(|token| !portal.accepts(&token.secret)) && portal.accepts(&of_eve.secret));
    assert_eq!(portal.actions().iter().filter(|action| *action == "api_token.revoked").count(), 2);
}

fn the_link_of_a_disabled_user_works_once_enabled(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    ada.disable();
    let page = browser.page(&page_of(&ada, "password-link"));
    page.says("The link works only once you have enabled the user.");
    let path = link(&browser.follow(browser.submit(&page.form("Reset password"))));
    portal.visitor().open(&path).with(404);
    browser.post(&page_of(&ada, "enablement"), &[("", ""); 0]).with(303);
    portal.visitor().page(&path);
    browser.post(&page_of(&ada, "disablement"), &[("", ""); 0]).with(303);
    browser.post(&page_of(&ada, "enablement"), &[("", ""); 0]).with(303);
    portal.visitor().open(&path).with(404);
}

fn signing_out_everywhere_ends_the_sessions_and_nothing_else(portal: Portal) {
    let browser = root(&portal).sign_in();
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    let of_ada = [ada.sign_in(), ada.sign_in()];
    let form = browser.page(&page_of(&ada, "sign-out")).form("Sign out everywhere");
    let page = browser.follow(browser.submit(&form)).with(200);
    assert_eq!(page.notice().as_deref(), Some("User “ada” was signed out everywhere: 2 sessions ended."));
    assert!(of_ada.iter().all(|browser| !browser.is_signed_in()));
    assert!(portal.accepts(&token.secret) && ada.sign_in().is_signed_in() && browser.is_signed_in());
}

fn one_may_sign_out_oneself_everywhere(portal: Portal) {
    let root = root(&portal);
    let (browser, other) = (root.sign_in(), root.sign_in());
    let page = browser.page(&page_of(&root, "sign-out"));
    page.says("This is you: all your sessions end immediately");
    let page = browser.follow(browser.submit(&page.form("Sign out everywhere")));
    assert_eq!(page.heading(), "Sign in");
    assert!(!browser.is_signed_in() && !other.is_signed_in());
}

fn an_administrator_who_was_stripped_or_disabled_is_refused_at_the_next_request(portal: Portal) {
    let ada = portal.user("ada");
    let (stripped, disabled) = (portal.user_with("one", "administrator"), portal.user_with("two", "administrator"));
    let browsers = [stripped.sign_in(), disabled.sign_in()];
    let form = edit_form(&browsers[0], &ada).fill("Display name", "Changed");
    browsers[1].page("/admin/users");
    stripped.strip();
    disabled.disable();
    portal.unchanged("who lost the right", || {
        browsers[0].open("/admin/users").with(403);
        browsers[0].submit(&form).with(403);
        browsers[1].open("/admin/users").with(303);
        browsers[1].submit(&form).with(401);
    });
}

/// Twenty administrators, each signed in.
fn crowd(portal: &Portal, round: usize) -> Vec<(User<'_>, Browser<'_>)> {
    let name = |number: usize| -> &'static str { String::leak(format!("admin{round}x{number}")) };
    let users = (0..20).map(|number| portal.user_with(name(number), "administrator"));
    users.map(|user| (user, user.sign_in())).collect()
}

fn enabled_administrators(portal: &Portal) -> i64 {
    portal.read(|connection| tokenhouse::storage::users::count_enabled_with_role(connection, "administrator"))
}

fn administrators_who_demote_each_other_at_once_leave_one(portal: Portal) {
    for round in 0..rounds() {
        let crowd = crowd(&portal, round);
        let statuses = at_once(20, |number| {
            let fields = [("display_name", "x"), ("email", "x@example.org"), ("roles", "developer")];
            let other = &crowd[(number + 1) % 20].0;
            crowd[number].1.post(&page_of(other, "edit"), &fields).status
        });
        assert!(statuses.iter().all(|status| [303, 403, 422].contains(status)), "{statuses:?}");
        assert!(enabled_administrators(&portal) >= 1, "{statuses:?}");
        portal.sql("DELETE FROM users");
    }
}

fn administrators_who_disable_each_other_at_once_leave_one(portal: Portal) {
    for round in 0..rounds() {
        let crowd = crowd(&portal, round);
        let statuses = at_once(20, |number| {
            let other = &crowd[(number + 1) % 20].0;
            crowd[number].1.post(&page_of(other, "disablement"), &[("", ""); 0]).status
        });
        assert!(statuses.iter().all(|status| [303, 401, 409].contains(status)), "{statuses:?}");
        assert!(enabled_administrators(&portal) >= 1, "{statuses:?}");
        portal.sql("DELETE FROM users");
    }
}
