//! `tokenhouse key …`, and a start with the wrong key file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tokenhouse::clock::Clock;
use tokenhouse::domain::event::Actor;
use tokenhouse::domain::id::UserId;
use tokenhouse::domain::privilege::Privileges;
use tokenhouse::domain::repository::{Description, RepositoryName};
use tokenhouse::domain::secret::{Secret, SecretKind, random_code};
use tokenhouse::randomness;
use tokenhouse::storage::acting::{Acting, By};
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::repository_changes::{Change, NewRepository, Refusal};
use tokenhouse::storage::sealing::SealingKeys;
use tokenhouse::storage::{Db, sessions};

use crate::house::{House, run};
use crate::support::database::Schema;
use crate::support::process::Process;

/// Makes repositories whose tokens are sealed with the house's own key, and returns the tokens.
fn repositories(house: &House, names: &[&str]) -> Vec<String> {
    house.create_user("ada", "administrator").succeeds();
    let user: UserId =
        house.text("SELECT CAST(id AS TEXT) AS words FROM users WHERE username = 'ada'").parse().unwrap();
    let keys = load_or_generate(key_file(house));
    let db = Db::open(&Target::Sqlite(house.data().join("tokenhouse.db")), 1).unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let now = Clock::System.now();
    let made = db.write(move |connection| -> Result<Vec<String>, Refusal> {
        let rng = &mut randomness::system();
        let session = sessions::insert(connection, user, "192.0.2.1", "x", now, rng)?;
        let (user, by) = (Some(user), By::Session(session));
        let change = Change { acting: Acting { user, actor: Actor::System, by, needs: Privileges::NONE, now } };
        let mut tokens = Vec::new();
        for name in names {
            let wish = NewRepository {
                name: RepositoryName::parse(&name).expect("a name"),
                description: Description::parse("").expect("a description"),
            };
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let nonce = random_code(rng);
            change.create(connection, rng, &keys, &wish, &secret, &nonce)?;
            tokens.push(secret.reveal().to_owned());
        }
        Ok(tokens)
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(made).unwrap()
}

fn key_file(house: &House) -> PathBuf {
    house.data().join("secret.key")
}

fn load_or_generate(path: PathBuf) -> SealingKeys {
    SealingKeys::load_or_generate(&path, &mut randomness::system()).unwrap()
}

/// The id of the house's own key.
fn key_id(house: &House) -> String {
    load_or_generate(key_file(house)).ids().concat()
}

fn with_key_file(house: &House, arguments: &[&str], path: &Path) -> Command {
    let mut command = house.command(arguments);
    command.env("TOKENHOUSE_SECRET_KEY_FILE", path);
    command
}

#[test]
fn with_the_right_key_file_it_starts_wherever_that_lies() {
    let mut house = House::new();
    let tokens = repositories(&house, &["alpha"]);
    house.serve();
    assert_eq!(house.status(&tokens[0]), 200);
    house.kill_server();
    let elsewhere = house.data().with_extension("key");
    fs::rename(key_file(&house), &elsewhere).unwrap();
    let server = Process::start(&mut with_key_file(&house, &["serve"], &elsewhere));
    server.line("Tokenhouse is listening on ");
}

#[test]
fn with_the_wrong_key_file_it_does_not_start_and_says_what_to_do() {
    let house = House::new();
    repositories(&house, &["alpha", "beta"]);
    let id = key_id(&house);
    let wrong = house.data().with_extension("key");
    load_or_generate(wrong.clone());
    let said = run(&mut with_key_file(&house, &["serve"], &wrong), "");
    let lost = format!("{id} (2 tokens)");
    let command = format!("tokenhouse key forget {id}.");
    let path = wrong.display().to_string();
    said.fails(1, &[&path, &lost, "Put the right key file back from your backup.", &command, "Generate New"]);
    assert!(!house.data().join("control.sock").exists(), "it was not there for anybody");

    // A key file that is gone is not made anew: that would be in the way when it comes back.
    let right = fs::read(key_file(&house)).unwrap();
    fs::remove_file(key_file(&house)).unwrap();
    house.run(&["serve"], "").fails(1, &["secret.key", &lost]);
    assert!(!key_file(&house).exists());
    fs::write(key_file(&house), right).unwrap();
    fs::set_permissions(key_file(&house), fs::Permissions::from_mode(0o600)).unwrap();
    let mut house = house;
    house.serve();
}

#[test]
fn every_missing_key_is_told_and_one_that_is_there_is_not() {
    let house = House::new();
    repositories(&house, &["alpha", "beta", "gamma"]);
    let id = key_id(&house);
    house.sql("UPDATE repository_tokens SET key_id = '00000001' WHERE repository_id = (SELECT id FROM repositories WHERE name = 'alpha')");
    house.sql("UPDATE repository_tokens SET key_id = '00000002' WHERE repository_id = (SELECT id FROM repositories WHERE name = 'beta')");
    let said = house.run(&["serve"], "");
    said.fails(
        1,
        &[
            "00000001 (1 token), 00000002 (1 token).",
            "tokenhouse key forget 00000001 && tokenhouse key forget 00000002.",
        ],
    );
    assert!(!said.err.contains(&id), "{}", said.err);
}

#[test]
fn a_forgotten_key_lets_it_start_and_its_tokens_go_on_working() {
    let mut house = House::new();
    let tokens = repositories(&house, &["alpha", "beta"]);
    let id = key_id(&house);
    fs::remove_file(key_file(&house)).unwrap();
    house.run(&["serve"], "").fails(1, &[&id]);
    let said = house.run(&["key", "forget", &id], "");
    assert_eq!(
        said.succeeds(),
        format!(
            "The key {id} was forgotten; repository tokens that can no longer be shown: 2. They go on working until Generate New replaces them.\n"
        )
    );
    assert_eq!(house.count("repository_tokens WHERE sealed IS NOT NULL OR key_id IS NOT NULL"), 0);
    assert_eq!(house.events().last().map(String::as_str), Some(format!("shell key.forgotten {id}").as_str()));
    house.serve();
    assert_eq!(tokens.iter().map(|token| house.status(token)).collect::<Vec<_>>(), [200, 200]);
    house.run(&["key", "forget", &id], "").fails(1, &["nothing is sealed with a key of the id", &id]);
}

#[test]
fn a_key_that_is_there_is_not_forgotten() {
    let mut house = House::new();
    repositories(&house, &["alpha"]);
    let id = key_id(&house);
    let refused = ["is in the key file in use", "nothing was changed"];
    house.run(&["key", "forget", &id], "").fails(1, &refused);
    house.run(&["key", "forget", &id.to_uppercase()], "").fails(1, &refused);
    // The server knows it, whatever file whoever asks points at.
    house.serve();
    let before = house.events();
    house.run(&["key", "forget", &id], "").fails(1, &refused);
    let wrong = house.data().with_extension("key");
    load_or_generate(wrong.clone());
    run(&mut with_key_file(&house, &["key", "forget", &id], &wrong), "").fails(1, &refused);
    assert_eq!(house.events(), before);
    assert_eq!(house.count("repository_tokens WHERE sealed IS NOT NULL"), 1);
}

#[test]
fn a_key_that_never_was_is_not_forgotten_and_no_key_file_is_made() {
    let house = House::new();
    house.run(&["migrate"], "").succeeds();
    for id in ["00000000", "nonsense", "'"] {
        house.run(&["key", "forget", id], "").fails(1, &["nothing is sealed with a key of the id", id]);
    }
    house.run(&["key", "forget"], "").fails(2, &["<ID>"]);
    assert!(!key_file(&house).exists());
    assert_eq!(house.count("events"), 0);
}

#[test]
fn on_postgresql_a_missing_key_is_told_and_forgotten_too() {
    let schema = Schema::create();
    let house = House::new();
    let run = |arguments: &[&str]| run(house.command(arguments).env("TOKENHOUSE_DATABASE_URL", schema.url()), "");
    run(&["migrate"]).succeeds();
    let mut connection = PgConnection::establish(&schema.url()).unwrap();
    connection
        .batch_execute(
            "INSERT INTO repositories (id, name, description, created_at, search_key, revision) VALUES (1, 'alpha', '', 1, '', 0);
             INSERT INTO repository_tokens (id, repository_id, generation, digest, hint, sealed, key_id, created_at, created_by, form_nonce)
             VALUES (2, 1, 1, 'd', 'thr_', 's', '00000001', 1, 'ada', 1)",
        )
        .unwrap();
    run(&["serve"]).fails(1, &["00000001 (1 token).", "tokenhouse key forget 00000001."]);
    assert!(!key_file(&house).exists(), "none is made in the place of a lost one");
    run(&["key", "forget", "00000001"]).fails(1, &["there is no key file", "--secret-key-file", "--lost"]);
    run(&["key", "forget", "00000001", "--lost"]).succeeds();
    run(&["key", "forget", "00000001", "--lost"]).fails(1, &["nothing is sealed with a key of the id"]);
}

/// Ids and states of the signing keys, the next one first.
fn signing_keys(house: &House) -> Vec<String> {
    let sql = "SELECT group_concat(state || ' ' || id, ',') AS words FROM (SELECT * FROM signing_keys ORDER BY state DESC, id)";
    house.text(sql).split(',').map(str::to_owned).collect()
}

#[test]
fn signing_keys_are_rotated_alone_and_beside_a_server() {
    let mut house = House::new();
    house.run(&["migrate"], "").succeeds();
    let none = ["there are no signing keys yet", "when tokenhouse serve starts"];
    house.run(&["key", "rotate"], "").fails(1, &["secret.key", "TOKENHOUSE_SECRET_KEY_FILE"]);
    assert!(!key_file(&house).exists(), "no key file is made");
    load_or_generate(key_file(&house));
    house.run(&["key", "rotate"], "").fails(1, &none);
    house.serve();
    for alone in [false, true] {
        if alone {
            house.kill_server();
        }
        let before = signing_keys(&house);
        let (next, current) = (before[0].replace("next ", ""), before.last().unwrap().replace("current ", ""));
        // Nobody can know the next key yet: whoever runs this twice breaks nothing.
        house
            .run(&["key", "rotate"], "")
            .fails(1, &[&next, "no bundle was written", "--force", "Nothing was changed."]);
        assert_eq!(signing_keys(&house), before);
        let bundle = house.data().with_extension("pem").display().to_string();
        let address = "https://tokens.example.org";
        for events in [1, 0] {
            let before = house.events().len();
            house.run(&["oci", "registry-config", "--bundle", &bundle, "--public-url", address], "").succeeds();
            assert_eq!(house.events().len() - before, events, "only what is news is an event");
        }
        let said = house.run(&["key", "rotate"], "");
        let said = said.succeeds();
        assert!(said.contains(&format!("signed with the key {next} from now on")), "{said}");
        assert!(
            said.contains(
                "restart the registries before you rotate again: tokenhouse oci registry-config --bundle FILE"
            ),
            "{said}"
        );
        let after = signing_keys(&house);
        assert!(
            after.contains(&format!("current {next}")) && after.contains(&format!("former {current}")),
            "{after:?}"
        );
        assert_eq!(after.len(), before.len() + 1);
        assert!(house.events().contains(&format!("shell signing_key.rotated {next}")));
    }
    assert_eq!(house.count("signing_keys WHERE state = 'former' AND (sealed IS NOT NULL OR key_id IS NOT NULL)"), 0);
}

#[test]
fn signing_keys_are_not_rotated_with_another_key_file_than_the_servers() {
    let mut house = House::new();
    house.serve();
    let id = key_id(&house);
    let wrong = house.data().with_extension("key");
    load_or_generate(wrong.clone());
    // The server has the right one.
    run(&mut with_key_file(&house, &["key", "rotate", "--force"], &wrong), "").succeeds();
    house.kill_server();
    let (keys, events) = (signing_keys(&house), house.events());
    run(&mut with_key_file(&house, &["key", "rotate", "--force"], &wrong), "")
        .fails(1, &["lacks the key", &id, "Nothing was changed."]);
    assert_eq!((signing_keys(&house), house.events()), (keys, events));
}

#[test]
fn signing_keys_whose_sealing_key_is_lost_are_made_anew_once_it_is_forgotten() {
    let mut house = House::new();
    house.serve();
    house.kill_server();
    let (id, before) = (key_id(&house), signing_keys(&house));
    fs::remove_file(key_file(&house)).unwrap();
    let lost = format!("{id} (signing keys)");
    house.run(&["serve"], "").fails(1, &[&lost, &format!("tokenhouse key forget {id}."), "need a new bundle"]);
    let said = house.run(&["key", "forget", &id], "");
    assert!(said.succeeds().contains("tokenhouse oci registry-config --bundle FILE"), "{}", said.out);
    house.serve();
    let after = signing_keys(&house);
    let former = before.last().unwrap().replace("current", "former");
    assert!(after.contains(&former) && after.len() == 3, "{after:?}");
    assert!(!before.iter().any(|key| after.contains(key)), "{after:?}");
    house.run(&["key", "rotate", "--force"], "").succeeds();
}

#[test]
fn the_token_of_a_repository_is_revoked_by_its_text_and_another_is_in_its_place() {
    let house = House::new();
    let token = repositories(&house, &["payments"]).remove(0);
    let said = house.run(&["token", "revoke"], &token);
    assert!(said.succeeds().starts_with("The token of a repository was revoked; another that nobody has seen"));
    assert_eq!(house.count("repository_tokens WHERE valid_until IS NULL"), 1);
    assert_eq!(house.count("repository_tokens WHERE valid_until IS NOT NULL AND sealed IS NULL"), 1);
    assert_eq!(house.events().last().unwrap(), "shell repository_token.revoked payments");
    house.run(&["token", "revoke"], &token).fails(1, &["no such token works here"]);
}
