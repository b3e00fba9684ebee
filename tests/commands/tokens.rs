//! `tokenhouse token revoke`

use tokenhouse::clock::Clock;
use tokenhouse::domain::api_token::{NewApiToken, RepositorySelection};
use tokenhouse::domain::event::Actor;
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permissions;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::domain::user::Username;
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::{Change, Refusal};
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::{Db, Result, users};

use crate::house::{House, alone_and_beside_a_server};

#[test]
fn a_token_from_standard_input_is_revoked() {
    alone_and_beside_a_server(|house| {
        let token = token_of_ada(house);
        let said = house.run(&["token", "revoke"], &format!("\n\t {token}\r\n\n"));
        assert_eq!(said.succeeds(), "Token “ci” of ada was revoked.\n");
        assert_eq!(house.count("api_tokens WHERE revoked_at IS NOT NULL"), 1);
        assert_eq!(house.count("api_token_secrets WHERE valid_until IS NULL"), 0);
        let again = house.run(&["token", "revoke"], &token);
        assert_eq!(again.succeeds(), "Token “ci” of ada was revoked before; nothing was changed.\n");
        assert_eq!(house.events().last().unwrap(), "shell api_token.revoked ci");
        assert_eq!(house.count("events WHERE action = 'api_token.revoked'"), 1);
    });
}

#[test]
fn a_former_secret_that_ended_does_not_revoke_the_token() {
    let house = House::new();
    let token = token_of_ada(&house);
    house.sql("UPDATE api_token_secrets SET valid_until = 1000000000");
    house.run(&["token", "revoke"], &token).fails(1, &["former secret of token “ci” of ada", "nothing was revoked"]);
    house.sql("UPDATE api_token_secrets SET valid_until = 9000000000");
    house.run(&["token", "revoke"], &token).succeeds();
}

#[test]
fn what_is_no_token_here_is_told_apart_from_what_is_no_token_at_all() {
    alone_and_beside_a_server(|house| {
        house.run(&["migrate"], "").succeeds();
        let rng = &mut randomness::system();
        for kind in [SecretKind::ApiToken, SecretKind::RepositoryToken, SecretKind::ServiceToken] {
            let unknown = Secret::generate(kind, rng);
            let said = house.run(&["token", "revoke"], unknown.reveal());
            said.fails(1, &["no such token", "nothing was revoked"]);
            house.run(&["token", "revoke"], &unknown.reveal()[..41]).fails(1, &["holds no token", "42 characters"]);
        }
        house.run(&["token", "revoke"], "").fails(1, &["no token on standard input"]);
        let mut with_argument = house.command(&["token", "revoke", "thp_x"]);
        crate::house::run(&mut with_argument, "").fails(2, &["not expected"]);
    });
}

#[test]
fn what_a_command_ends_is_refused_by_the_very_next_request() {
    for ends in [&["token", "revoke"][..], &["user", "disable", "ada"]] {
        let mut house = House::new();
        let token = token_of_ada(&house);
        house.serve();
        // The second answer comes out of the memory of the server.
        assert_eq!([house.status(&token), house.status(&token)], [200, 200]);
        house.run(ends, &token).succeeds();
        assert_eq!(house.status(&token), 401, "after {ends:?}");
    }
}

#[test]
fn a_token_that_is_revoked_through_the_server_is_in_no_log() {
    let mut house = House::new();
    let token = token_of_ada(&house);
    house.serve();
    let said = house.run(&["token", "revoke", "--log-level", "trace"], &token);
    said.succeeds();
    for text in [&said.out, &said.err, &house.server().log()] {
        assert!(!text.contains(&token[..20]), "{text}");
    }
}

/// A fresh token named "ci", made as the portal makes it.
fn token_of_ada(house: &House) -> String {
    house.create_user("ada", "developer").succeeds();
    let secret = Secret::generate(SecretKind::ApiToken, &mut randomness::system());
    let text = secret.reveal().to_owned();
    let db = Db::open(&Target::Sqlite(house.data().join("tokenhouse.db")), 1).unwrap();
    let create = async {
        let name = Username::parse("ada").unwrap();
        let owner = db.look_up(move |c| -> Result<_> { users::credentials(c, &name) }).await.unwrap().unwrap().id;
        let wish = NewApiToken {
            note: None,
            name: TokenName::parse("ci").unwrap(),
            permissions: Permissions::default(),
            repositories: RepositorySelection::All,
            expires_at: None,
            recreates: None,
        };
        db.write(move |c| -> Result<_, Refusal> {
            let change = Change { owner, actor: Actor::System, by: None, now: Clock::System.now() };
            change.create(c, &mut randomness::system(), &wish, &secret, "nonce", 5)
        })
        .await
        .unwrap();
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(create);
    text
}
