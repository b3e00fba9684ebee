//! `/set-password`: the link that an administrator handed over, used once.

use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::support::{PASSWORD, Portal, User, at_once, on_both, rounds};

const NEW: &str = "kupfer wal zehn laterne";

on_both![
    a_wrong_code_opens_nothing,
    a_used_code_opens_nothing,
    an_expired_code_opens_nothing_and_is_removed,
    a_disabled_users_code_opens_nothing,
    a_link_goes_no_further_than_whoever_made_it,
    link_dies_with_what_its_maker_needed_for_it,
    link_outlives_sign_out_of_its_maker,
    a_refused_password_leaves_the_link_as_it_was,
    over_a_network_that_others_read_no_password_is_taken,
    a_password_is_set_and_every_session_ends,
    twenty_at_once_set_one_password,
];

/// The user, and the path of a link for them.
fn invited(portal: &Portal) -> (User<'_>, String) {
    let ada = portal.user("ada");
    let root = portal.user_with("root", "administrator");
    let path = link_for(&root, &ada);
    (ada, path)
}

fn link_for(root: &User<'_>, user: &User<'_>) -> String {
    let browser = root.sign_in();
    let answer = browser.post(&format!("/admin/users/{}/password-link", user.id), &[("", ""); 0]);
    let page = browser.follow(answer);
    let field = page.all("input#password-link").into_iter().next().expect("a link is shown");
    let address = field.attr("value").expect("a value");
    address[address.find("/set-password").expect("an address")..].to_owned()
}

fn code(path: &str) -> &str {
    path.rsplit('=').next().expect("a code")
}

#[track_caller]
fn is_dead(portal: &Portal, path: &str) {
    let visitor = portal.visitor();
    portal.unchanged("a dead link", || {
        let fields = [("code", code(path)), ("password", NEW)];
        for answer in [visitor.open(path), visitor.post("/set-password", &fields)] {
            answer
                .with(404)
                .page()
                .says("This link was used before or has expired. Ask an administrator for a new one.")
                .does_not_say("ada");
        }
    });
}

fn a_wrong_code_opens_nothing(portal: Portal) {
    let (_, path) = invited(&portal);
    for wrong in ["", "x", "0123456789012345678901", &code(&path).to_lowercase(), &format!("{}%00", code(&path))] {
        is_dead(&portal, &format!("/set-password?code={wrong}"));
    }
    is_dead(&portal, "/set-password");
    portal.visitor().post("/set-password", &[("code", "x"), ("code", "y")]).with(400);
    portal.visitor().page(&path);
}

fn a_used_code_opens_nothing(portal: Portal) {
    let (_, path) = invited(&portal);
    let visitor = portal.visitor();
    let form = visitor.page(&path).form("Set password").fill("New password", NEW);
    visitor.submit(&form).with(303);
    is_dead(&portal, &path);
    visitor.submit(&form).with(404);
    visitor.try_sign_in("ada", NEW).with(303);
}

fn an_expired_code_opens_nothing_and_is_removed(portal: Portal) {
    let (_, path) = invited(&portal);
    portal.advance(86_399);
    portal.visitor().page(&path);
    portal.prune();
    assert_eq!(portal.count("password_links"), 1);
    portal.advance(1);
    is_dead(&portal, &path);
    portal.prune();
    assert_eq!(portal.count("password_links"), 0);
}

fn a_disabled_users_code_opens_nothing(portal: Portal) {
    let (ada, path) = invited(&portal);
    ada.disable();
    is_dead(&portal, &path);
}

fn a_link_goes_no_further_than_whoever_made_it(portal: Portal) {
    portal.role("helpdesk", &[Privilege::ApiAccess, Privilege::ViewRepositories, Privilege::UserManagement]);
    let (help, eve) = (portal.user_with("help", "helpdesk"), portal.user("eve"));
    let path = link_for(&help, &eve);
    portal.visitor().open(&path).with(200);
    // The user has gained more than the maker of the link holds.
    eve.add_role("administrator");
    is_dead(&portal, &path);
    portal.sql("DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE name = 'administrator')");
    portal.visitor().open(&path).with(200);
    // The maker has lost what it took.
    help.strip();
    is_dead(&portal, &path);
    help.add_role("helpdesk");
    help.disable();
    is_dead(&portal, &path);
}

/// Disabled, demoted or reset: the link stays dead when the maker gets everything back.
fn link_dies_with_what_its_maker_needed_for_it(portal: Portal) {
    let (eve, second) = (portal.user("eve"), portal.user_with("second", "administrator"));
    let browser = second.sign_in();
    let page = |user: &User<'_>, tail: &str| format!("/admin/users/{}/{tail}", user.id);
    let edit = |user: &User<'_>, role: &str| {
        let fields = [("display_name", "x"), ("email", "x@example.org"), ("roles", role)];
        browser.post(&page(user, "edit"), &fields).with(303);
    };
    portal.role("helpdesk", &[Privilege::UserManagement, Privilege::ApiAccess, Privilege::ViewRepositories]);
    for (number, what) in ["disabled", "demoted", "narrowed", "reset"].into_iter().enumerate() {
        let maker = portal.user_with(String::leak(format!("maker{number}")), "helpdesk");
        let path = link_for(&maker, &eve);
        portal.visitor().open(&path).with(200);
        match what {
            "disabled" => {
                browser.post(&page(&maker, "disablement"), &[("", ""); 0]).with(303);
                browser.post(&page(&maker, "enablement"), &[("", ""); 0]).with(303);
            }
            "demoted" => {
                edit(&maker, "viewer");
                edit(&maker, "helpdesk");
            }
            "narrowed" => {
                portal.role("narrow", &[Privilege::UserManagement]);
                edit(&maker, "narrow");
                edit(&maker, "administrator");
            }
            _ => drop(browser.post(&page(&maker, "password-link"), &[("", ""); 0]).with(303)),
        }
        is_dead(&portal, &path);
    }
    // A grant that the user has and the maker lost.
    let alpha = portal.repository("alpha");
    let maker = portal.user_with("maker", "helpdesk");
    maker.grant(alpha, Permission::Write);
    eve.grant(alpha, Permission::Write);
    let path = link_for(&maker, &eve);
    portal.visitor().open(&path).with(200);
    maker.ungrant();
    is_dead(&portal, &path);
}

fn link_outlives_sign_out_of_its_maker(portal: Portal) {
    let (eve, maker) = (portal.user("eve"), portal.user_with("maker", "administrator"));
    let path = link_for(&maker, &eve);
    let (browser, other) = (maker.sign_in(), portal.user_with("second", "administrator").sign_in());
    browser.post("/logout", &[("", ""); 0]).with(303);
    other.post(&format!("/admin/users/{}/sign-out", maker.id), &[("", ""); 0]).with(303);
    // More roles take nothing away.
    let fields = [("display_name", "x"), ("email", "x@example.org"), ("roles", "administrator"), ("roles", "viewer")];
    other.post(&format!("/admin/users/{}/edit", maker.id), &fields).with(303);
    let visitor = portal.visitor();
    visitor.submit(&visitor.page(&path).form("Set password").fill("New password", NEW)).with(303);
}

fn a_refused_password_leaves_the_link_as_it_was(portal: Portal) {
    let (_, path) = invited(&portal);
    let visitor = portal.visitor();
    let page = visitor.page(&path);
    page.says("For ada of Tokenhouse, who signs in as ada.");
    assert_eq!(page.all("input[name=password]")[0].attr("autocomplete"), Some("new-password"));
    let form = page.form("Set password");
    for (password, reason) in [
        ("", "Password is empty"),
        ("elf zeichen", "Password is too short"),
        ("корова", "Password is too short"),
        ("password1234", "Password is easy to guess"),
        ("tokenhouse12", "Password is easy to guess"),
        (&"x".repeat(1_025), "Password is too long"),
    ] {
        let refused = portal.unchanged(reason, || visitor.refused(&form.clone().fill("New password", password)));
        assert!(refused.error_at("New password").starts_with(reason), "{password}");
        assert_eq!(refused.form("Set password").fields(), form.fields());
    }
    visitor.submit(&form.fill("New password", NEW)).with(303);
}

fn over_a_network_that_others_read_no_password_is_taken(portal: Portal) {
    let (_, path) = invited(&portal);
    portal.unchanged("plain http", || {
        let request = portal.request("POST", "/set-password").by_own_page();
        let request = request.header("x-forwarded-for", "203.0.113.5").header("x-forwarded-proto", "http");
        request.form(&[("code", code(&path)), ("password", NEW)]).send().with(403);
    });
}

fn a_password_is_set_and_every_session_ends(portal: Portal) {
    let (ada, path) = invited(&portal);
    // As if somebody had got in meanwhile.
    let hash = "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE username = 'root')";
    portal.sql(hash);
    let old = ada.sign_in();
    let visitor = portal.visitor();
    let answer = visitor.submit(&visitor.page(&path).form("Set password").fill("New password", NEW));
    assert_eq!(answer.location(), "/login");
    assert_eq!(visitor.session(), None, "nobody is signed in by it");
    assert_eq!(visitor.follow(answer).notice().as_deref(), Some("Your password was set. Sign in as ada with it."));
    assert!(!old.is_signed_in());
    visitor.try_sign_in("ada", PASSWORD).with(401);
    visitor.try_sign_in("ada", NEW).with(303);
    assert!(portal.actions().contains(&"user.password_set".to_owned()));
}

fn twenty_at_once_set_one_password(portal: Portal) {
    let (ada, mut path) = invited(&portal);
    let root = portal.user_with("second", "administrator");
    for round in 0..rounds() {
        let visitors: Vec<_> = (0..20).map(|_| portal.visitor()).collect();
        let statuses = at_once(20, |number| {
            let password = format!("{NEW} {number}");
            visitors[number].post("/set-password", &[("code", code(&path)), ("password", &password)]).status
        });
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [303, 404].contains(status)), "{statuses:?}");
        let winner = statuses.iter().position(|status| *status == 303).expect("one of them");
        portal.visitor().try_sign_in("ada", &format!("{NEW} {winner}")).with(303);
        assert_eq!(portal.actions().iter().filter(|action| *action == "user.password_set").count(), round + 1);
        path = link_for(&root, &ada);
    }
}
