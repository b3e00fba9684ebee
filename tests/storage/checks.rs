//! What checks are told while things change: the index in memory never tells what is no longer so.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use tokenhouse::domain::id::ApiTokenId;
use tokenhouse::domain::repository::RepositoryName;
use tokenhouse::domain::secret::{Digest, Secret, SecretKind};
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::Made;
use tokenhouse::storage::known::{Answer, Known, Question};
use tokenhouse::storage::schema::api_tokens;
use tokenhouse::storage::{StorageError, repositories};

use crate::house::{House, NOW, at_once, block_on, change, on_both, wish};

fn token(house: &House) -> (ApiTokenId, Digest) {
    let ada = house.user("ada");
    house
        .write(move |c| {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            match change(ada).create(c, rng, &wish("ci"), &secret, "nonce", 5)? {
                Made::Now(id) => Ok((id, secret.digest())),
                other => panic!("{other:?}"),
            }
        })
        .unwrap()
}

fn known(house: &House, digest: Digest, at: Option<&str>) -> Option<Answer> {
    let at = at.map(|name| RepositoryName::parse(name).unwrap());
    block_on(house.db.known(Question { kind: SecretKind::ApiToken, digest, at })).unwrap()
}

fn name(house: &House, digest: Digest) -> String {
    match known(house, digest, None).as_deref() {
        Some(Known::ApiToken(token)) => token.name.to_string(),
        other => panic!("{other:?}"),
    }
}

fn rename(house: &House, id: ApiTokenId, name: String) {
    let change = move |c: &mut _| -> Result<(), StorageError> {
        diesel::update(api_tokens::table.find(id)).set(api_tokens::name.eq(name)).execute(c)?;
        Ok(())
    };
    block_on(house.db.write(change)).unwrap();
}

#[test]
fn what_was_written_is_seen_by_the_very_next_check() {
    on_both(|house| {
        let (id, digest) = token(house);
        // One process owns a file of SQLite; PostgreSQL has many nodes.
        let another_node = (!house.database.is_sqlite()).then(|| House::beside(house));
        for number in 0..20 {
            rename(house, id, format!("ci {number}"));
            for _ in 0..3 {
                assert_eq!(name(house, digest), format!("ci {number}"));
            }
            if let Some(node) = &another_node {
                assert_eq!(name(node, digest), format!("ci {number}"));
            }
        }
    });
}

#[test]
fn an_unknown_token_and_a_repository_that_was_not_there_are_found_as_soon_as_they_are() {
    on_both(|house| {
        let secret = Secret::generate(SecretKind::ApiToken, &mut randomness::system());
        assert!(known(house, secret.digest(), None).is_none());
        let (_, digest) = token(house);
        let at = |name: &str| match known(house, digest, Some(name)).as_deref() {
            Some(Known::ApiToken(token)) => token.at.is_some(),
            other => panic!("{other:?}"),
        };
        assert!(!at("payments") && !at("payments"));
        let payments = RepositoryName::parse("payments").unwrap();
        house.write(move |c| Ok(repositories::insert(c, &payments, "", NOW, &mut randomness::system())?)).unwrap();
        assert!(at("payments") && !at("payments-x"));
    });
}

#[test]
fn no_check_sees_what_was_overwritten_before_it_began() {
    on_both(|house| {
        const ROUNDS: u64 = 200;
        let (id, digest) = token(house);
        rename(house, id, "0".to_owned());
        // The newest name that anybody was told of, by the answer to the write or by a check.
        let (newest, done) = (AtomicU64::new(0), AtomicBool::new(false));
        at_once(4, |thread| {
            if thread == 0 {
                for round in 1..=ROUNDS {
                    rename(house, id, round.to_string());
                    newest.fetch_max(round, Ordering::SeqCst);
                }
                done.store(true, Ordering::SeqCst);
                return;
            }
            while !done.load(Ordering::SeqCst) {
                let told = newest.load(Ordering::SeqCst);
                let seen: u64 = name(house, digest).parse().unwrap();
                assert!(seen >= told, "{seen} was seen after {told}");
                newest.fetch_max(seen, Ordering::SeqCst);
            }
        });
        assert_eq!(name(house, digest), ROUNDS.to_string());
    });
}
