//! `/api/v1/roles`: sets of privileges, by a token of somebody with *User Management*.

use serde_json::{Value, json};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::privilege::Privilege;

use crate::api_administration::administering;
use crate::api_tokens::{detail, refused, send};
use crate::support::{Answer, Portal, Token, at_once, on_both, rounds};

on_both![
    role_with_administration_privilege_is_not_created_or_extended,
    role_of_user_with_administration_privilege_is_not_changed,
    role_of_user_with_grants_beyond_own_access_is_not_changed,
    what_is_built_in_stays_as_it_is,
    a_privilege_that_one_does_not_hold_is_not_given,
    a_role_that_holds_more_is_not_touched,
    a_role_of_somebody_who_holds_more_is_not_touched,
    a_role_that_a_user_holds_is_not_deleted,
    an_unknown_role_is_not_there,
    fields_that_break_a_rule_are_named_all_at_once,
    a_taken_name_or_title_is_a_conflict,
    there_are_only_so_many_roles,
    a_role_is_made_changed_and_deleted,
    a_change_that_changes_nothing_leaves_no_event,
    a_changed_role_holds_at_the_very_next_request,
    the_list_of_roles_comes_in_pages,
    of_many_who_make_a_role_at_once_one_does,
    a_role_that_is_given_and_deleted_at_once_is_one_of_the_two,
];

const ROLES: &str = "/api/v1/roles";

fn root(portal: &Portal) -> Token {
    administering(portal, &portal.user_with("root", "administrator"), Permission::Write)
}

/// Of somebody with *User Management* and little more.
fn dee(portal: &Portal) -> Token {
    portal.role("desk", &[Privilege::ApiAccess, Privilege::UserManagement, Privilege::ViewRepositories]);
    administering(portal, &portal.user_with("dee", "desk"), Permission::Write)
}

fn create(portal: &Portal, token: &Token, name: &str, privileges: Value) -> Answer {
    let body = json!({"name": name, "title": format!("The {name}"), "privileges": privileges});
    send(portal, "POST", ROLES, &token.secret, body)
}

fn patch(portal: &Portal, token: &Token, name: &str, body: Value) -> Answer {
    send(portal, "PATCH", &format!("{ROLES}/{name}"), &token.secret, body)
}

fn delete(portal: &Portal, token: &Token, name: &str) -> Answer {
    send(portal, "DELETE", &format!("{ROLES}/{name}"), &token.secret, Value::Null)
}

fn role_with_administration_privilege_is_not_created_or_extended(portal: Portal) {
    let token = root(&portal);
    portal.role("mine", &[Privilege::ApiAccess]);
    portal.user_with("ada", "mine");
    portal.role("old", &[Privilege::ViewAuditLog]);
    let sentence =
        "privileges: The API cannot grant user_management, system_management or view_audit_log. Leave them out.";
    portal.unchanged("a privilege of Administration", || {
        for privilege in ["user_management", "system_management", "view_audit_log"] {
            let wish = json!(["api_access", privilege]);
            assert_eq!(refused(create(&portal, &token, "other", wish.clone())), sentence);
            assert_eq!(refused(patch(&portal, &token, "mine", json!({"privileges": wish}))), sentence);
            assert_eq!(refused(patch(&portal, &token, "old", json!({"privileges": wish}))), sentence);
        }
    });
    // A role from before that no user has can lose them and go.
    patch(&portal, &token, "old", json!({"privileges": []})).with(200);
    delete(&portal, &token, "old").with(204);
}

fn role_of_user_with_administration_privilege_is_not_changed(portal: Portal) {
    let token = root(&portal);
    portal.role("small", &[Privilege::ApiAccess]);
    portal.role("auditor", &[Privilege::ViewAuditLog]);
    let (other, ada) = (portal.user_with("other", "small"), portal.user_with("ada", "auditor"));
    other.add_role("administrator");
    portal.unchanged("a role of a user with a privilege of Administration", || {
        for role in ["small", "auditor"] {
            for body in [json!({"title": "x"}), json!({"privileges": []})] {
                let sentence = detail(patch(&portal, &token, role, body), 403);
                assert!(sentence.starts_with("A user with this role has User Management,"), "{sentence}");
            }
            delete(&portal, &token, role).with(403);
        }
    });
    other.strip();
    ada.strip();
    patch(&portal, &token, "small", json!({"privileges": []})).with(200);
    delete(&portal, &token, "auditor").with(204);
}

fn role_of_user_with_grants_beyond_own_access_is_not_changed(portal: Portal) {
    let token = dee(&portal);
    portal.role("small", &[Privilege::ApiAccess]);
    let (ada, bob) = (portal.user_with("ada", "small"), portal.user_with("bob", "small"));
    let alpha = portal.repository("alpha");
    bob.grant(alpha, Permission::Read);
    patch(&portal, &token, "small", json!({"title": "Small"})).with(200);
    ada.grant(alpha, Permission::Write);
    portal.unchanged("a role of a user with a write grant", || {
        for body in [json!({"title": "x"}), json!({"privileges": []})] {
            assert!(detail(patch(&portal, &token, "small", body), 403).starts_with("This role, or a user with it,"));
        }
    });
}

fn what_is_built_in_stays_as_it_is(portal: Portal) {
    let token = root(&portal);
    portal.unchanged("a role that is built in", || {
        for name in ["administrator", "repository-manager", "developer", "viewer"] {
            let sentence = "This role is built in and stays as it is. Create another in its place.";
            assert_eq!(detail(patch(&portal, &token, name, json!({"privileges": []})), 409), sentence);
            assert_eq!(detail(delete(&portal, &token, name), 409), sentence);
        }
    });
}

fn a_privilege_that_one_does_not_hold_is_not_given(portal: Portal) {
    let token = dee(&portal);
    portal.role("mine", &[Privilege::ApiAccess]);
    portal.unchanged("a privilege beyond", || {
        for privilege in ["view_audit_log", "system_management", "repository_management"] {
            let wish = json!(["api_access", privilege]);
            for answer in [
                create(&portal, &token, "other", wish.clone()),
                patch(&portal, &token, "mine", json!({"privileges": wish})),
            ] {
                let sentence = refused(answer);
                assert!(sentence.starts_with("privileges: There is a privilege among them that you do"), "{sentence}");
            }
        }
    });
}

fn a_role_that_holds_more_is_not_touched(portal: Portal) {
    let token = dee(&portal);
    portal.role("auditor", &[Privilege::ViewAuditLog]);
    portal.unchanged("a role that holds more", || {
        for body in [json!({"privileges": []}), json!({"title": "x"})] {
            assert!(detail(patch(&portal, &token, "auditor", body), 403).starts_with("This role, or a user with it,"));
        }
        delete(&portal, &token, "auditor").with(403);
    });
}

fn a_role_of_somebody_who_holds_more_is_not_touched(portal: Portal) {
    let token = dee(&portal);
    portal.role("small", &[Privilege::ApiAccess]);
    let root = portal.user_with("root", "administrator");
    root.add_role("small");
    portal.unchanged("a role of an Administrator", || {
        patch(&portal, &token, "small", json!({"privileges": []})).with(403);
        delete(&portal, &token, "small").with(403);
    });
    root.strip();
    patch(&portal, &token, "small", json!({"privileges": []})).with(200);
}

fn a_role_that_a_user_holds_is_not_deleted(portal: Portal) {
    let token = root(&portal);
    portal.role("held", &[]);
    let ada = portal.user_with("ada", "held");
    let bob = portal.user_with("bob", "held");
    let sentence = |answer| detail(answer, 409);
    portal.unchanged("a role that is held", || {
        let two = sentence(delete(&portal, &token, "held"));
        assert_eq!(two, "2 users hold this role. Take it from them first.");
    });
    bob.strip();
    assert_eq!(sentence(delete(&portal, &token, "held")), "1 user holds this role. Take it from that user first.");
    ada.strip();
    delete(&portal, &token, "held").with(204);
}

fn an_unknown_role_is_not_there(portal: Portal) {
    let token = root(&portal);
    portal.unchanged("nothing", || {
        for name in ["nothing", "VIEWER", "%20viewer", "a%2Fb", "%00", "Viewer"] {
            portal.api(&token.secret, &format!("{ROLES}/{name}")).with(404);
            patch(&portal, &token, name, json!({"title": "x"})).with(404);
            delete(&portal, &token, name).with(404);
        }
    });
    for query in ["q=a", "limit=0", "after=A", "after=%00"] {
        portal.api(&token.secret, &format!("{ROLES}?{query}")).with(400);
    }
}

fn fields_that_break_a_rule_are_named_all_at_once(portal: Portal) {
    let token = root(&portal);
    portal.role("mine", &[]);
    let fields = |answer: Answer| {
        let problem = answer.with(422).json();
        let errors = problem["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
    };
    portal.unchanged("wrong fields", || {
        let wrong = json!({"name": "A b", "title": " ", "privileges": ["root"]});
        assert_eq!(fields(send(&portal, "POST", ROLES, &token.secret, wrong)), ["name", "title", "privileges"]);
        let wrong = json!({"title": "a\u{202e}b", "privileges": ["api_access view_audit_log"]});
        assert_eq!(fields(patch(&portal, &token, "mine", wrong)), ["title", "privileges"]);
        for body in [json!({"name": "other"}), json!({"built_in": true}), json!({"privileges": "api_access"})] {
            assert_eq!(fields(patch(&portal, &token, "mine", body.clone())).len(), 1, "{body}");
        }
        let list = refused(patch(&portal, &token, "mine", json!({"privileges": {}})));
        assert_eq!(list, "privileges: Must be a list.");
    });
}

fn a_taken_name_or_title_is_a_conflict(portal: Portal) {
    let token = root(&portal);
    create(&portal, &token, "mine", json!([])).with(201);
    portal.unchanged("a taken name", || {
        for name in ["mine", "viewer"] {
            let sentence = "A role of this name already exists. Choose another name.";
            assert_eq!(detail(create(&portal, &token, name, json!([])), 409), sentence);
        }
        for title in ["Viewer", " viewer ", "ADMINISTRATOR"] {
            let sentence = "A role of this title already exists. Choose another title.";
            let made = send(&portal, "POST", ROLES, &token.secret, json!({"name": "other", "title": title}));
            assert_eq!(detail(made, 409), sentence, "{title}");
            assert_eq!(detail(patch(&portal, &token, "mine", json!({"title": title})), 409), sentence, "{title}");
        }
    });
    patch(&portal, &token, "mine", json!({"title": "THE MINE"})).with(200);
}

fn there_are_only_so_many_roles(portal: Portal) {
    let token = root(&portal);
    for number in 0..95 {
        portal.role(&format!("r{number}"), &[]);
    }
    create(&portal, &token, "hundredth", json!([])).with(201);
    let sentence = detail(create(&portal, &token, "another", json!([])), 409);
    assert_eq!(sentence, "There are 100 roles, and no more can be made. Delete one, then create another.");
    delete(&portal, &token, "r7").with(204);
    create(&portal, &token, "another", json!([])).with(201);
}

fn a_role_is_made_changed_and_deleted(portal: Portal) {
    let token = root(&portal);
    let answer = create(&portal, &token, "help-desk", json!(["view_repositories", "api_access"])).with(201);
    let url = format!("http://{}/api/v1/roles/help-desk", portal.address);
    assert_eq!(answer.header("location"), Some(&*url));
    let mut expected = json!({
        "id": answer.json()["id"], "name": "help-desk", "title": "The help-desk",
        "privileges": ["api_access", "view_repositories"], "built_in": false, "url": url,
    });
    assert_eq!(answer.json(), expected);
    let before = portal.api(&token.secret, "/api/v1/roles/help-desk").with(200);
    assert_eq!(before.json(), expected);
    expected["title"] = json!("Help Desk");
    assert_eq!(patch(&portal, &token, "help-desk", json!({"title": " Help Desk "})).with(200).json(), expected);
    expected["privileges"] = json!(["repository_management"]);
    let changed = patch(&portal, &token, "help-desk", json!({"privileges": ["repository_management"]})).with(200);
    assert_eq!(changed.json(), expected);
    let tag = before.header("etag").expect("a tag");
    let asked = portal.request("GET", "/api/v1/roles/help-desk").bearer(&token.secret).header("if-none-match", tag);
    assert_eq!(asked.send().with(200).json(), expected);
    delete(&portal, &token, "help-desk").with(204);
    portal.api(&token.secret, "/api/v1/roles/help-desk").with(404);
    delete(&portal, &token, "help-desk").with(404);
    let actions = ["api_token.created", "role.created", "role.deleted", "role.edited", "role.edited"];
    assert_eq!(portal.actions(), actions);
    let events = portal.dump()["events"].clone();
    let told = "Repository Management; was API Access, View Repositories";
    let edited = events.iter().find(|line| line.contains(told)).expect("an event says what changed");
    assert!(edited.contains("root with token “ci”"), "{edited}");
}

fn a_change_that_changes_nothing_leaves_no_event(portal: Portal) {
    let token = root(&portal);
    portal.role("mine", &[Privilege::ApiAccess]);
    portal.unchanged("what is so already", || {
        for body in [json!({}), json!({"title": "Role mine", "privileges": ["api_access", "api_access"]})] {
            patch(&portal, &token, "mine", body).with(200);
        }
    });
}

fn a_changed_role_holds_at_the_very_next_request(portal: Portal) {
    let token = root(&portal);
    portal.role("mine", &[Privilege::ApiAccess]);
    let ada = portal.user_with("ada", "mine");
    let hers = portal.token(&ada, |_| {});
    assert!(portal.accepts(&hers.secret));
    patch(&portal, &token, "mine", json!({"privileges": []})).with(200);
    assert!(!portal.accepts(&hers.secret));
    patch(&portal, &token, "mine", json!({"privileges": ["api_access"]})).with(200);
    assert!(portal.accepts(&hers.secret));
}

fn the_list_of_roles_comes_in_pages(portal: Portal) {
    let token = root(&portal);
    portal.role("desk", &[]);
    let page = |query: &str| {
        let list = portal.api(&token.secret, &format!("{ROLES}?{query}")).with(200).json();
        let names = list["roles"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), list["next"].as_str().map(|next| next.split('?').nth(1).unwrap().to_owned()))
    };
    let (first, next) = page("limit=3");
    assert_eq!(
        (first, next.as_deref()),
        (vec!["administrator".into(), "desk".into(), "developer".into()], Some("limit=3&after=developer"))
    );
    assert_eq!(page(&next.unwrap()), (vec!["repository-manager".to_owned(), "viewer".into()], None));
}

fn of_many_who_make_a_role_at_once_one_does(portal: Portal) {
    let token = root(&portal);
    for round in 0..rounds() {
        let name = format!("r{round}");
        let statuses = at_once(10, |_| create(&portal, &token, &name, json!([])).status);
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
        delete(&portal, &token, &name).with(204);
    }
}

fn a_role_that_is_given_and_deleted_at_once_is_one_of_the_two(portal: Portal) {
    let token = root(&portal);
    for round in 0..rounds() {
        portal.role("fleeting", &[]);
        let statuses = at_once(6, |number| {
            if number == 0 {
                return delete(&portal, &token, "fleeting").status;
            }
            let user = json!({
                "username": format!("u{round}-{number}"), "display_name": "x", "email": "x@example.org", "roles": ["fleeting"],
            });
            send(&portal, "POST", "/api/v1/users", &token.secret, user).status
        });
        let given = statuses[1..].contains(&201);
        assert_eq!(statuses[0], if given { 409 } else { 204 }, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
        portal.sql("DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE name = 'fleeting')");
        portal.sql("DELETE FROM roles WHERE name = 'fleeting'");
    }
}
