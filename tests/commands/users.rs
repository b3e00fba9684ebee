//! `tokenhouse user …`

use crate::house::{House, PASSWORD, alone_and_beside_a_server};

#[test]
fn a_user_is_created_with_a_role_and_a_hashed_password() {
    alone_and_beside_a_server(|house| {
        let said = house.run(
            &[
                "user",
                "create",
                "Ada",
                "--role",
                "Administrator",
                "--display-name",
                "Ada Lovelace",
                "--email",
                "ada@example.org",
                "--password-stdin",
            ],
            &format!("{PASSWORD}\n"),
        );
        assert_eq!(said.succeeds(), "User ada was created with the role Administrator.\n");
        assert_eq!(
            house.text("SELECT display_name || ' ' || email AS words FROM users WHERE username = 'ada'"),
            "Ada Lovelace ada@example.org"
        );
        let hash = house.text("SELECT password_hash AS words FROM users");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(house.count("user_roles JOIN roles ON roles.id = role_id WHERE roles.name = 'administrator'"), 1);
        assert_eq!(house.events(), ["shell user.created ada"]);
    });
}

#[test]
fn a_user_that_cannot_be_is_refused_and_leaves_nothing() {
    alone_and_beside_a_server(|house| {
        house.run(&["migrate"], "").succeeds();
        let create = |name: &str, role: &str, more: &[&str], password: &str| {
            let mut arguments = vec!["user", "create", name, "--role", role, "--password-stdin"];
            arguments.extend(more);
            house.run(&arguments, password)
        };
        create("ada", "king", &[], PASSWORD)
            .fails(1, &["“king”", "administrator, developer, repository-manager, viewer"]);
        create("a da", "viewer", &[], PASSWORD).fails(1, &["Username"]);
        create("ada", "viewer", &["--email", "ada"], PASSWORD).fails(1, &["Email"]);
        create("ada", "viewer", &["--display-name", " "], PASSWORD).fails(1, &["Display name"]);
        create("ada", "viewer", &[], "short").fails(1, &["Password is too short"]);
        create("ada", "viewer", &[], "password1234").fails(1, &["Password is easy to guess"]);
        create("ada", "viewer", &[], "").fails(1, &["no password on standard input"]);
        create("ada", "viewer", &[], "two lines\nof password").fails(1, &["more than a password"]);
        assert_eq!((house.count("users"), house.events().len()), (0, 0));
    });
}

#[test]
fn a_taken_username_is_refused_in_any_case() {
    alone_and_beside_a_server(|house| {
        house.create_user("ada", "viewer").succeeds();
        house.create_user("ADA", "viewer").fails(1, &["the username ada is taken"]);
        assert_eq!(house.events().len(), 1);
    });
}

#[test]
fn disabling_a_user_ends_all_sessions_and_twice_is_no_error() {
    alone_and_beside_a_server(|house| {
        house.create_user("ada", "administrator").succeeds();
        house.create_user("bob", "developer").succeeds();
        for name in ["ada", "bob", "bob"] {
            house.sign_in(name);
        }
        assert_eq!(
            house.run(&["user", "disable", "Bob"], "").succeeds(),
            "User bob was disabled; sessions ended: 2.\n"
        );
        assert_eq!(house.count("users WHERE disabled_at IS NOT NULL"), 1);
        assert_eq!(house.count("sessions"), 1);
        assert!(house.run(&["user", "disable", "bob"], "").succeeds().contains("disabled already"));
        house.run(&["user", "disable", "eve"], "").fails(1, &["there is no user eve"]);
        assert_eq!(house.events()[2..], ["shell user.disabled bob"]);
    });
}

#[test]
fn the_last_enabled_administrator_stays() {
    alone_and_beside_a_server(|house| {
        house.create_user("ada", "administrator").succeeds();
        house.sign_in("ada");
        house.run(&["user", "disable", "ada"], "").fails(1, &["last enabled Administrator", "user create"]);
        assert_eq!(house.count("sessions") + house.count("users WHERE disabled_at IS NULL"), 2, "nothing changed");
        house.create_user("eve", "administrator").succeeds();
        house.run(&["user", "disable", "ada"], "").succeeds();
        house.run(&["user", "disable", "eve"], "").fails(1, &["last enabled Administrator"]);
    });
}

#[test]
fn a_password_reset_ends_all_sessions_and_any_link() {
    alone_and_beside_a_server(|house| {
        house.create_user("ada", "viewer").succeeds();
        house.sign_in("ada");
        house.sql("INSERT INTO password_links (user_id, made_by, digest, created_at, expires_at) SELECT id, id, x'00', 1, 9999999999 FROM users");
        let before = house.text("SELECT password_hash AS words FROM users");
        let said = house.run(&["user", "reset-password", "ada", "--password-stdin"], "another Wal entirely");
        assert_eq!(said.succeeds(), "The password of ada was reset; sessions ended: 1.\n");
        assert_ne!(house.text("SELECT password_hash AS words FROM users"), before);
        assert_eq!(house.count("password_links"), 0, "a link from before would set another");
        house.run(&["user", "reset-password", "ada", "--password-stdin"], "short").fails(1, &["too short"]);
        house.run(&["user", "reset-password", "eve"], "").fails(1, &["there is no user eve"]);
        assert_eq!(house.events()[1..], ["shell user.password_reset ada"]);
    });
}

#[test]
fn password_reset_with_revoke_tokens_revokes_all_tokens_of_user() {
    alone_and_beside_a_server(|house| {
        house.create_user("ada", "developer").succeeds();
        for (id, name) in [(1, "one"), (2, "two")] {
            house.sql(&format!(
                "INSERT INTO api_tokens (id, user_id, name, name_key, hint, secret_number, repositories_permission, account_permission, administration_permission, repository_selection, created_at)
                 SELECT {id}, id, '{name}', '{name}', 'thp_x', 1, 'read', 'none', 'none', 'all', 1 FROM users"
            ));
        }
        let said = house
            .run(&["user", "reset-password", "ada", "--revoke-tokens", "--password-stdin"], "another Wal entirely");
        assert_eq!(said.succeeds(), "The password of ada was reset; sessions ended: 0, API tokens revoked: 2.\n");
        assert_eq!(house.count("api_tokens WHERE revoked_at IS NULL"), 0);
        assert_eq!(
            house.events()[1..],
            ["shell api_token.revoked two", "shell api_token.revoked one", "shell user.password_reset ada"]
        );
    });
}

#[test]
fn a_generated_password_is_printed_once_and_stored_nowhere() {
    let mut house = House::new();
    house.serve();
    house.create_user("ada", "viewer").succeeds();
    let said = house.run(&["user", "reset-password", "ada"], "");
    let password = said.succeeds().lines().last().unwrap().strip_prefix("New password, shown this once: ").unwrap();
    assert!(password.len() >= 22 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{password}");
    let other = house.run(&["user", "reset-password", "ada"], "");
    assert_ne!(other.succeeds(), said.out);
    assert!(!house.server().log().contains(password));
    for entry in std::fs::read_dir(house.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.ends_with("control.sock") { Vec::new() } else { std::fs::read(&path).unwrap() };
        assert!(!bytes.windows(password.len()).any(|window| window == password.as_bytes()), "{}", path.display());
    }
}
