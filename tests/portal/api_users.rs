//! `/api/v1/users`: everybody's accounts, by a token of somebody with *User Management*.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::api_administration::administering;
use crate::api_tokens::{detail, refused, send};
use crate::support::{Answer, PASSWORD, Portal, Token, at_once, on_both, rounds};

on_both![
    nobody_touches_whoever_holds_more,
    a_role_beyond_ones_own_privileges_is_not_given,
    the_last_administrator_stays,
    nobody_disables_or_resets_themselves,
    an_unknown_username_is_not_there,
    fields_that_break_a_rule_are_named_all_at_once,
    a_taken_username_is_a_conflict,
    parameters_that_are_not_known_are_refused,
    a_user_is_made_with_a_link_that_is_told_once,
    a_user_is_changed_field_by_field,
    a_change_that_changes_nothing_leaves_no_event,
    a_disabled_user_is_out_at_once_and_back_once_enabled,
    a_reset_password_stops_working_and_the_link_sets_another,
    signing_out_ends_the_sessions_and_not_the_tokens,
    the_list_comes_in_pages_and_is_searched,
    of_many_who_make_a_user_at_once_one_does,
    changes_of_different_fields_at_once_all_hold,
    administrators_who_disable_each_other_at_once_leave_one,
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

fn nobody_touches_whoever_holds_more(portal: Portal) {
    let token = desk(&portal);
    portal.user_with("root", "administrator");
    portal.unchanged("somebody who holds more", || {
        let mut answers = vec![patch(&portal, &token, "root", json!({"display_name": "x"}))];
        for what in ["disablement", "enablement", "password-link", "sign-out"] {
            answers.push(post(&portal, &token, "root", what));
        }
        for answer in answers {
            let sentence = detail(answer, 403);
            assert!(sentence.starts_with("This user holds privileges that you do not hold"), "{sentence}");
        }
    });
    portal.api(&token.secret, "/api/v1/users/root").with(200);
}

fn a_role_beyond_ones_own_privileges_is_not_given(portal: Portal) {
    let token = desk(&portal);
    portal.user_with("ada", "viewer");
    portal.unchanged("a role beyond", || {
        for role in ["administrator", "repository-manager", "king", "", "Viewer"] {
            let sentence = "roles: There is a role among them that you cannot give. List the roles to see which privileges each needs.";
            assert_eq!(refused(create(&portal, &token, "eve", json!(["viewer", role]))), sentence, "{role}");
            for user in ["ada", "dee"] {
                assert_eq!(refused(patch(&portal, &token, user, json!({"roles": [role]}))), sentence, "{role}");
            }
        }
    });
    create(&portal, &token, "eve", json!(["viewer", "developer", "viewer"])).with(201);
}

fn the_last_administrator_stays(portal: Portal) {
    let token = root(&portal);
    portal.role("all", &Privilege::ALL);
    let other = administering(&portal, &portal.user_with("other", "all"), Permission::Write);
    let sentence = "This is the last enabled user with the role Administrator. Give that role to another user first.";
    portal.unchanged("the last Administrator", || {
        assert_eq!(detail(patch(&portal, &token, "root", json!({"roles": ["all"]})), 409), sentence);
        assert_eq!(detail(patch(&portal, &other, "root", json!({"roles": []})), 409), sentence);
        assert_eq!(detail(post(&portal, &other, "root", "disablement"), 409), sentence);
        assert_eq!(detail(post(&portal, &other, "root", "password-link"), 409), sentence);
    });
    portal.user_with("third", "administrator");
    post(&portal, &other, "root", "disablement").with(200);
}

fn nobody_disables_or_resets_themselves(portal: Portal) {
    let token = root(&portal);
    portal.user_with("other", "administrator");
    portal.unchanged("oneself", || {
        let disabling = detail(post(&portal, &token, "root", "disablement"), 409);
        assert_eq!(disabling, "You cannot disable yourself. Ask another administrator to do it.");
        let resetting = detail(post(&portal, &token, "root", "password-link"), 409);
        assert!(resetting.starts_with("You cannot reset your own password."), "{resetting}");
    });
    post(&portal, &token, "root", "sign-out").with(200);
}

fn an_unknown_username_is_not_there(portal: Portal) {
    let token = root(&portal);
    portal.unchanged("nobody", || {
        for name in ["nobody", "ROOT", "%20root", "a%2Fb", "%00", "%F0%9F%9A%80"] {
            portal.api(&token.secret, &format!("{USERS}/{name}")).with(404);
            patch(&portal, &token, name, json!({"display_name": "x"})).with(404);
            for what in ["disablement", "enablement", "password-link", "sign-out"] {
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

fn a_user_is_made_with_a_link_that_is_told_once(portal: Portal) {
    let token = root(&portal);
    let answer = create(&portal, &token, " Eve.Adams ", json!(["viewer", "developer"])).with(201);
    let url = format!("http://{}/api/v1/users/eve.adams", portal.address);
    assert_eq!(answer.header("location"), Some(&*url));
    let made = answer.json();
    let link = made["password_link"].as_str().expect("a link").to_owned();
    let known = portal.api(&token.secret, "/api/v1/users/eve.adams").with(200);
    let mut expected = json!({
        "id": made["id"], "username": "eve.adams", "display_name": "Eve", "email": "eve@example.org",
        "status": "invited", "roles": ["developer", "viewer"], "privileges": ["api_access", "view_repositories"],
        "created_at": "2026-11-21T14:06:40Z", "url": url,
    });
    assert_eq!(known.json(), expected);
    expected["password_link"] = json!(link);
    expected["password_link_ends_at"] = json!("2026-11-22T14:06:40Z");
    assert_eq!(made, expected);
    let code = link.rsplit('=').next().expect("a code");
    for path in ["/api/v1/users", "/api/v1/users/eve.adams"] {
        assert!(!portal.api(&token.secret, path).text().contains(code), "{path}");
    }
    assert!(!format!("{:?}", portal.dump()).contains(code), "only its digest is stored");

    let fields = [("code", code), ("password", "kupfer wal zehn laterne")];
    portal.visitor().post("/set-password", &fields).with(303);
    let again = [("code", code), ("password", "kupfer wal elf laterne")];
    portal.visitor().post("/set-password", &again).with(404);
    assert_eq!(portal.api(&token.secret, "/api/v1/users/eve.adams").json()["status"], "active");
    portal.visitor().try_sign_in("eve.adams", "kupfer wal zehn laterne").with(303);
    let events = portal.dump()["events"].clone();
    let created = events.iter().find(|line| line.contains("user.created")).expect("an event");
    assert!(created.contains("root with token “ci”") && created.contains(&token.id.to_string()), "{created}");
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

fn a_reset_password_stops_working_and_the_link_sets_another(portal: Portal) {
    let token = root(&portal);
    let browser = portal.user("ada").sign_in();
    let first = post(&portal, &token, "ada", "password-link").with(200).json();
    assert_eq!((&first["username"], &first["password_link_ends_at"]), (&json!("ada"), &json!("2026-11-22T14:06:40Z")));
    assert!(!browser.is_signed_in());
    portal.visitor().try_sign_in("ada", PASSWORD).with(401);
    let second = post(&portal, &token, "ada", "password-link").with(200).json();
    let code = |body: &Value| body["password_link"].as_str().unwrap().rsplit('=').next().unwrap().to_owned();
    let set = |code: String| portal.visitor().post("/set-password", &[("code", code.as_str()), ("password", PASSWORD)]);
    set(code(&first)).with(404);
    set(code(&second)).with(303);
    portal.visitor().try_sign_in("ada", PASSWORD).with(303);
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
        assert!(lost.iter().all(|answer| answer.status == 409 && !answer.text().contains("set-password")), "{lost:?}");
        let link = won[0].json()["password_link"].as_str().expect("a link").to_owned();
        portal.visitor().open(&link[link.find("/set-password").expect("an address")..]).with(200);
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

fn administrators_who_disable_each_other_at_once_leave_one(portal: Portal) {
    for round in 0..rounds() {
        let crowd: Vec<_> = (0..8)
            .map(|number| portal.user_with(String::leak(format!("a{round}-{number}")), "administrator"))
            .map(|user| administering(&portal, &user, Permission::Write))
            .collect();
        let statuses =
            at_once(8, |number| post(&portal, &crowd[number], crowd[(number + 1) % 8].username, "disablement").status);
        assert!(statuses.iter().all(|status| [200, 401, 409].contains(status)), "{statuses:?}");
        let left = crowd.iter().filter(|token| portal.accepts(&token.secret)).count();
        assert!(left >= 1 && statuses.contains(&200), "{statuses:?}");
        for token in crowd {
            portal.sql(&format!("UPDATE users SET disabled_at = 1 WHERE id = '{}'", token.owner));
        }
    }
}
