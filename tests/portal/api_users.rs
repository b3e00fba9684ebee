//! `/api/v1/users`: everybody's accounts, by a token of somebody with *User Management*.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::api_administration::administering;
use crate::api_tokens::{detail, refused, send};
use crate::support::{Answer, PASSWORD, Portal, Token, at_once, on_both, rounds};

on_both![
    change_of_user_with_administration_privilege_returns_403,
    change_of_user_with_grants_beyond_own_access_returns_403,
    grant_of_administration_privilege_returns_422,
    create_user_returns_invited_user_without_link,
    user_promoted_during_disablement_is_not_changed_by_token,
    nobody_touches_whoever_holds_more,
    a_role_beyond_ones_own_privileges_is_not_given,
    an_unknown_username_is_not_there,
    fields_that_break_a_rule_are_named_all_at_once,
    a_taken_username_is_a_conflict,
    parameters_that_are_not_known_are_refused,
    a_user_is_changed_field_by_field,
    a_change_that_changes_nothing_leaves_no_event,
    a_disabled_user_is_out_at_once_and_back_once_enabled,
    signing_out_ends_the_sessions_and_not_the_tokens,
    the_list_comes_in_pages_and_is_searched,
    of_many_who_make_a_user_at_once_one_does,
    changes_of_different_fields_at_once_all_hold,
];

const USERS: &str = "/api/v1/users";

fn root(portal: &Portal) -> Token {
    administering(portal, &portal.user_with("root", "administrator"), Permission::Write)
}

fn create(portal: &Portal, token: &Token, username: &str, roles: Value) -> Answer {
    let body = json!({"username": username, "display_name": "Eve", "email": "eve@example.org", "roles": roles});
    send(portal, "POST", USERS, &token.secret, body)
}

fn patch(portal: &Portal, token: &Token, username: &str, body: Value) -> Answer {
    send(portal, "PATCH", &format!("{USERS}/{username}"), &token.secret, body)
}

fn post(portal: &Portal, token: &Token, username: &str, what: &str) -> Answer {
    send(portal, "POST", &format!("{USERS}/{username}/{what}"), &token.secret, Value::Null)
}

/// Of somebody with *User Management* and little more.
fn desk(portal: &Portal) -> Token {
    portal.role("desk", &[Privilege::ApiAccess, Privilege::UserManagement, Privilege::ViewRepositories]);
    administering(portal, &portal.user_with("dee", "desk"), Permission::Write)
}

fn change_of_user_with_administration_privilege_returns_403(portal: Portal) {
    let token = root(&portal);
    portal.user_with("other", "administrator");
    for privilege in [Privilege::UserManagement, Privilege::SystemManagement, Privilege::ViewAuditLog] {
        portal.role(privilege.name(), &[privilege]);
    }
    portal.user_with("users", "user_management");
    portal.user_with("system", "system_management");
    portal.user_with("audit", "view_audit_log").disable();
    portal.unchanged("a user with a privilege of Administration", || {
        for name in ["root", "other", "users", "system", "audit"] {
            let mut answers = vec![
                patch(&portal, &token, name, json!({"display_name": "x"})),
                patch(&portal, &token, name, json!({"roles": ["viewer"]})),
                patch(&portal, &token, name, json!({"roles": []})),
            ];
            for what in ["disablement", "enablement", "sign-out"] {
                answers.push(post(&portal, &token, name, what));
            }
            for answer in answers {
                assert_eq!(
                    detail(answer, 403),
                    "This user has User Management, System Management or View Audit Log, so the API cannot change this \
                     user. Sign in and use the pages of Administration."
                );
            }
            post(&portal, &token, name, "password-link").with(404);
        }
    });
}

fn change_of_user_with_grants_beyond_own_access_returns_403(portal: Portal) {
    let token = desk(&portal);
    let (alpha, beta) = (portal.repository("alpha"), portal.repository("beta"));
    let ada = portal.user_with("ada", "viewer");
    ada.grant(alpha, Permission::Write);
    let changes = || {
        let mut answers = vec![patch(&portal, &token, "ada", json!({"display_name": "x"}))];
        answers.extend(["disablement", "enablement", "sign-out"].map(|what| post(&portal, &token, "ada", what)));
        answers
    };
    portal.unchanged("a user with a write grant", || {
        for answer in changes() {
            assert!(detail(answer, 403).starts_with("This user has privileges or access to repositories that you do"));
        }
    });
    ada.ungrant();
    ada.grant(beta, Permission::Read);
    changes().into_iter().for_each(|answer| drop(answer.with(200)));
}

fn grant_of_administration_privilege_returns_422(portal: Portal) {
    let token = root(&portal);
    portal.user_with("ada", "viewer");
    for privilege in [Privilege::UserManagement, Privilege::SystemManagement, Privilege::ViewAuditLog] {
        portal.role(privilege.name(), &[privilege]);
    }
    portal.unchanged("a role with a privilege of Administration", || {
        for role in ["administrator", "user_management", "system_management", "view_audit_log"] {
            for roles in [json!([role]), json!(["viewer", role])] {
                let sentence = refused(create(&portal, &token, "eve", roles.clone()));
                assert!(sentence.ends_with("are given on pages only."), "{sentence}");
                refused(patch(&portal, &token, "ada", json!({"roles": roles})));
            }
        }
    });
}

fn create_user_returns_invited_user_without_link(portal: Portal) {
    let token = root(&portal);
    let answer = create(&portal, &token, " Eve.Adams ", json!(["viewer", "developer"])).with(201);
    let url = format!("http://{}/api/v1/users/eve.adams", portal.address);
    assert_eq!(answer.header("location"), Some(&*url));
    let expected = json!({
        "id": answer.json()["id"], "username": "eve.adams", "display_name": "Eve", "email": "eve@example.org",
        "status": "invited", "roles": ["developer", "viewer"], "privileges": ["api_access", "view_repositories"],
        "created_at": "2026-11-21T14:06:40Z", "url": url,
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(portal.api(&token.secret, "/api/v1/users/eve.adams").with(200).json(), expected);
    assert_eq!(portal.count("password_links"), 0);
    let events = portal.dump()["events"].clone();
    let created = events.iter().find(|line| line.contains("user.created")).expect("an event");
    assert!(created.contains("root with token “ci”") && created.contains(&token.id.to_string()), "{created}");

    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let browser = portal.user_with("other", "administrator").sign_in();
    browser.page(&format!("/admin/users/{id}")).says("There is no valid set-password link.");
    let form = browser.page(&format!("/admin/users/{id}/password-link")).form("Reset password");
    let page = browser.follow(browser.submit(&form)).with(200);
    let address = page.all("input#password-link")[0].attr("value").expect("a link").to_owned();
    let link = &address[address.find("/set-password").expect("an address")..];
    let visitor = portal.visitor();
    visitor.submit(&visitor.page(link).form("Set password").fill("New password", PASSWORD)).with(303);
    assert_eq!(portal.api(&token.secret, "/api/v1/users/eve.adams").json()["status"], "active");
    visitor.try_sign_in("eve.adams", PASSWORD).with(303);
}

/// The check before the transaction and the one inside it are apart: a promotion between them must count.
fn user_promoted_during_disablement_is_not_changed_by_token(portal: Portal) {
    let token = root(&portal);
    let browser = portal.user_with("other", "administrator").sign_in();
    for round in 0..rounds() {
        let ada = portal.user(String::leak(format!("ada{round}")));
        let edit = format!("/admin/users/{}/edit", ada.id);
        let fields = [("display_name", "x"), ("email", "x@example.org"), ("roles", "administrator")];
        let statuses = at_once(8, |number| {
            if number == 0 {
                return browser.post(&edit, &fields).status;
            }
            post(&portal, &token, ada.username, if number % 2 == 0 { "disablement" } else { "enablement" }).status
        });
        assert_eq!(statuses[0], 303, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| [200, 403].contains(status)), "{statuses:?}");
        portal.unchanged("the promoted user", || {
            post(&portal, &token, ada.username, "disablement").with(403);
            post(&portal, &token, ada.username, "enablement").with(403);
        });
    }
}

fn nobody_touches_whoever_holds_more(portal: Portal) {
    let token = desk(&portal);
    portal.user_with("root", "administrator");
    portal.unchanged("somebody who holds more", || {
        let mut answers = vec![patch(&portal, &token, "root", json!({"display_name": "x"}))];
        for what in ["disablement", "enablement", "sign-out"] {
            answers.push(post(&portal, &token, "root", what));
        }
        for answer in answers {
            let sentence = detail(answer, 403);
            assert!(
                sentence.starts_with("This user has privileges or access to repositories that you do"),
                "{sentence}"
            );
        }
    });
    portal.api(&token.secret, "/api/v1/users/root").with(200);
}

fn a_role_beyond_ones_own_privileges_is_not_given(portal: Portal) {
    let token = desk(&portal);
    portal.user_with("ada", "viewer");
    portal.unchanged("a role beyond", || {
        for role in ["administrator", "repository-manager", "king", "", "Viewer"] {
            let sentence = "roles: There is a role among them that you cannot give. List the roles to see which privileges \
                        each needs; roles with user_management, system_management or view_audit_log are given on pages only.";
            assert_eq!(refused(create(&portal, &token, "eve", json!(["viewer", role]))), sentence, "{role}");
            assert_eq!(refused(patch(&portal, &token, "ada", json!({"roles": [role]}))), sentence, "{role}");
        }
    });
    create(&portal, &token, "eve", json!(["viewer", "developer", "viewer"])).with(201);
}

fn an_unknown_username_is_not_there(portal: Portal) {
    let token = root(&portal);
    portal.unchanged("nobody", || {
        for name in ["nobody", "ROOT", "%20root", "a%2Fb", "%00", "%F0%9F%9A%80"] {
            portal.api(&token.secret, &format!("{USERS}/{name}")).with(404);
            patch(&portal, &token, name, json!({"display_name": "x"})).with(404);
            for what in ["disablement", "enablement", "sign-out"] {
                post(&portal, &token, name, what).with(404);
            }
        }
    });
}

fn fields_that_break_a_rule_are_named_all_at_once(portal: Portal) {
    let token = root(&portal);
    portal.user("ada");
    let fields = |answer: Answer| {
        let problem = answer.with(422).json();
        let errors = problem["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
    };
    portal.unchanged("wrong fields", || {
        let wrong = json!({"username": "-", "display_name": " ", "email": "x"});
        let answer = send(&portal, "POST", USERS, &token.secret, wrong);
        assert_eq!(fields(answer), ["username", "display_name", "email"]);
        let wrong = json!({"display_name": "a\u{202e}b", "email": ""});
        assert_eq!(fields(patch(&portal, &token, "ada", wrong)), ["display_name", "email"]);
        for body in [
            json!({"username": "eve"}),
            json!({"is_admin": true}),
            json!({"roles": "viewer"}),
            json!({"password": "x"}),
        ] {
            assert_eq!(fields(patch(&portal, &token, "ada", body.clone())).len(), 1, "{body}");
        }
        let answer = send(&portal, "POST", USERS, &token.secret, json!({"username": "eve"}));
        assert_eq!(refused(answer), "display_name: This field is missing.");
    });
}

fn a_taken_username_is_a_conflict(portal: Portal) {
    let token = root(&portal);
    create(&portal, &token, "eve", json!([])).with(201);
    portal.unchanged("a taken username", || {
        for name in ["eve", "EVE", " eve ", "root"] {
            let sentence = "A user with this username already exists. Choose another username.";
            assert_eq!(detail(create(&portal, &token, name, json!([])), 409), sentence);
        }
    });
}

fn parameters_that_are_not_known_are_refused(portal: Portal) {
    let token = root(&portal);
    for query in ["sort=name", "q=a&q=b", "limit=0", "limit=101", "limit=x", "after=%2F", "after=-"] {
        portal.api(&token.secret, &format!("{USERS}?{query}")).with(400);
    }
}

fn a_user_is_changed_field_by_field(portal: Portal) {
    let token = root(&portal);
    let ada = portal.user("ada");
    let hers = portal.token(&ada, |_| {});
    let of = |body| patch(&portal, &token, "ada", body).with(200).json();
    let tag = portal.api(&token.secret, "/api/v1/users/ada").header("etag").expect("a tag").to_owned();
    let named = of(json!({"display_name": " Ada L. "}));
    assert_eq!((&named["display_name"], &named["email"]), (&json!("Ada L."), &json!("ada@example.org")));
    let request = portal.request("GET", "/api/v1/users/ada").bearer(&token.secret).header("if-none-match", &tag);
    assert_eq!(request.send().with(200).json(), named);
    let mailed = of(json!({"email": "a@b.example"}));
    assert_eq!((&mailed["display_name"], &mailed["email"]), (&json!("Ada L."), &json!("a@b.example")));
    assert_eq!(mailed["roles"], json!(["developer"]));
    assert!(portal.accepts(&hers.secret));
    assert_eq!(of(json!({"roles": []}))["roles"], json!([]));
    assert!(!portal.accepts(&hers.secret), "API Access is gone with the role");
    assert_eq!(of(json!({"roles": ["developer", "viewer"]}))["roles"], json!(["developer", "viewer"]));
    assert!(portal.accepts(&hers.secret));
    let found = portal.api(&token.secret, "/api/v1/users?q=b.example").with(200).json();
    assert_eq!(found["users"].as_array().map(Vec::len), Some(1), "the search knows the new address");
    let actions = ["api_token.created", "api_token.created", "user.edited", "user.edited"];
    assert_eq!(portal.actions(), [&actions[..], &["user.roles_changed", "user.roles_changed"]].concat());
}

fn a_change_that_changes_nothing_leaves_no_event(portal: Portal) {
    let token = root(&portal);
    portal.user("ada");
    portal.unchanged("what is so already", || {
        for body in [
            json!({}),
            json!({"roles": ["developer"], "display_name": "ada of Tokenhouse", "email": "ada@example.org"}),
            json!({"roles": null, "display_name": null, "email": null}),
        ] {
            patch(&portal, &token, "ada", body).with(200);
        }
        post(&portal, &token, "ada", "enablement").with(200);
        assert_eq!(post(&portal, &token, "ada", "sign-out").with(200).json(), json!({"ended_sessions": 0}));
    });
}

fn a_disabled_user_is_out_at_once_and_back_once_enabled(portal: Portal) {
    let token = root(&portal);
    let ada = portal.user("ada");
    let (browser, hers) = (ada.sign_in(), portal.token(&ada, |_| {}));
    for _ in 0..2 {
        assert_eq!(post(&portal, &token, "ada", "disablement").with(200).json()["status"], "disabled");
    }
    assert!(!browser.is_signed_in() && !portal.accepts(&hers.secret));
    assert_eq!(post(&portal, &token, "ada", "enablement").with(200).json()["status"], "active");
    assert!(!browser.is_signed_in() && portal.accepts(&hers.secret));
    let actions = portal.actions();
    assert_eq!(actions.iter().filter(|action| *action == "user.disabled").count(), 1, "{actions:?}");
}

fn signing_out_ends_the_sessions_and_not_the_tokens(portal: Portal) {
    let token = root(&portal);
    let ada = portal.user("ada");
    let (one, two, hers) = (ada.sign_in(), ada.sign_in(), portal.token(&ada, |_| {}));
    assert_eq!(post(&portal, &token, "ada", "sign-out").with(200).json(), json!({"ended_sessions": 2}));
    assert!(!one.is_signed_in() && !two.is_signed_in() && portal.accepts(&hers.secret));
}

fn the_list_comes_in_pages_and_is_searched(portal: Portal) {
    let token = root(&portal);
    for name in ["eve", "ada", "bob"] {
        portal.user(name);
    }
    let page = |query: &str| {
        let list = portal.api(&token.secret, &format!("{USERS}?{query}")).with(200).json();
        let names = list["users"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), list["next"].as_str().map(|next| next.split('?').nth(1).unwrap().to_owned()))
    };
    let (first, next) = page("limit=2&q=example");
    assert_eq!((first, next.as_deref()), (vec!["ada".into(), "bob".into()], Some("limit=2&after=bob&q=example")));
    assert_eq!(page(&next.unwrap()), (vec!["eve".to_owned(), "root".into()], None));
    assert_eq!(page("q=ADA+example").0, ["ada"]);
    for (query, count) in [("%25", 0), ("_", 0), ("nothing", 0), ("%00", 4), ("", 4)] {
        assert_eq!(page(&format!("q={query}")).0.len(), count, "{query}");
    }
}

fn of_many_who_make_a_user_at_once_one_does(portal: Portal) {
    let token = root(&portal);
    for round in 0..rounds() {
        let answers = at_once(10, |_| create(&portal, &token, &format!("eve{round}"), json!(["viewer"])));
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|answer| answer.status == 409), "{lost:?}");
    }
}

fn changes_of_different_fields_at_once_all_hold(portal: Portal) {
    let token = root(&portal);
    portal.user("ada");
    for round in 0..rounds() {
        let bodies = [
            json!({"display_name": format!("Ada {round}")}),
            json!({"email": format!("ada{round}@example.org")}),
            json!({"roles": if round % 2 == 0 { ["viewer"] } else { ["developer"] }}),
        ];
        let statuses = at_once(3, |number| patch(&portal, &token, "ada", bodies[number].clone()).status);
        assert_eq!(statuses, [200, 200, 200]);
        let user = portal.api(&token.secret, "/api/v1/users/ada").with(200).json();
        for (field, body) in ["display_name", "email", "roles"].iter().zip(&bodies) {
            assert_eq!(user[field], body[field], "{user}");
        }
    }
}
