//! What happens when several people, or one impatient one, do the same thing at the same moment.

use tokenhouse::domain::id::{ApiTokenId, UserId};
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::{Made, Refusal, Rotation};
use tokenhouse::storage::sealing::Sealed;
use tokenhouse::storage::{Result, api_tokens, events, reveals};

use crate::house::{House, NOW, at_once, change, on_both};

#[test]
fn at_the_limit_exactly_one_of_many_gets_the_last_place() {
    on_both(|house| {
        let ada = house.user("ada");
        for number in 0..4 {
            house.token(ada, &format!("Token {number}"));
        }
        let answers = at_once(8, |number| house.create(ada, &format!("new {number}"), &format!("nonce {number}"), 5));
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Made::Now(_)))).count(), 1, "{answers:?}");
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Refusal::LimitReached(5)))).count();
        assert_eq!(refused, 7, "{answers:?}");
        assert_eq!(house.count_tokens(ada), 5);
    });
}

#[test]
fn a_name_is_given_once_in_whatever_case() {
    on_both(|house| {
        let ada = house.user("ada");
        let answers = at_once(6, |number| {
            house.create(
                ada,
                if number % 2 == 0 { "CI Größe" } else { "ci gRÖSSE".trim() },
                &format!("nonce {number}"),
                100,
            )
        });
        // "ß" and "SS" are different letters in lower case, so two names are given here.
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Refusal::NameTaken))), "{answers:?}");
        assert!(matches!(house.create(ada, "CI GRößE", "another", 100), Err(Refusal::NameTaken)));
        // Another's names are another's.
        let eve = house.user("eve");
        assert!(house.create(eve, "CI Größe", "eve's", 100).is_ok());
    });
}

#[test]
fn a_token_is_not_renamed_to_a_taken_name() {
    on_both(|house| {
        let ada = house.user("ada");
        let (one, two) = (house.token(ada, "one"), house.token(ada, "two"));
        let rename = |id: ApiTokenId, to: &str| {
            let to = TokenName::parse(to).unwrap();
            house.write(move |c| change(ada).rename(c, &mut randomness::system(), id, &to))
        };
        assert!(matches!(rename(two, "ONE"), Err(Refusal::NameTaken)));
        assert!(rename(one, "ONE").is_ok(), "its own name in another case");
        let both = at_once(2, |number| rename([one, two][number], "three"));
        assert_eq!(both.iter().filter(|answer| answer.is_ok()).count(), 1, "{both:?}");
        assert!(both.iter().any(|answer| matches!(answer, Err(Refusal::NameTaken))), "{both:?}");
    });
}

#[test]
fn of_rotations_that_replace_the_same_secret_one_wins() {
    on_both(|house| {
        let ada = house.user("ada");
        let token = house.token(ada, "ci");
        for round in 0..5 {
            let seen = current_secret(house, ada, token);
            let answers = at_once(6, |number| rotate(house, ada, token, seen, &format!("rotation {round} {number}")));
            assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Made::Now(_)))).count(), 1, "{answers:?}");
            let overtaken = answers.iter().filter(|answer| matches!(answer, Err(Refusal::Overtaken))).count();
            assert_eq!(overtaken, 5, "{answers:?}");
            assert_ne!(current_secret(house, ada, token), seen);
        }
    });
}

#[test]
fn a_form_that_is_sent_twice_makes_one_thing() {
    on_both(|house| {
        let ada = house.user("ada");
        let answers = at_once(6, |_| house.create(ada, "ci", "the form", 5));
        let answers: Vec<Made> = answers.into_iter().map(|answer| answer.expect("none is an error")).collect();
        let Some(&Made::Now(id)) = answers.iter().find(|made| matches!(made, Made::Now(_))) else {
            panic!("{answers:?}")
        };
        assert_eq!(answers.iter().filter(|&&made| made == Made::Before(id)).count(), 5, "{answers:?}");
        assert_eq!(house.count_tokens(ada), 1);

        let seen = current_secret(house, ada, id);
        let answers = at_once(4, |_| rotate(house, ada, id, seen, "the rotation").expect("none is an error"));
        assert_eq!(answers.iter().filter(|&&made| made == Made::Now(id)).count(), 1, "{answers:?}");
        let eve = house.user("eve");
        assert!(matches!(house.create(eve, "mine", "the form", 5), Err(Refusal::Overtaken)), "another's form");
    });
}

#[test]
fn each_change_of_a_token_has_its_one_event() {
    on_both(|house| {
        let ada = house.user("ada");
        let token = house.token(ada, "ci");
        at_once(4, |_| house.write(move |c| change(ada).disable(c, &mut randomness::system(), token)).unwrap());
        at_once(4, |_| house.write(move |c| change(ada).enable(c, &mut randomness::system(), token)).unwrap());
        at_once(4, |_| house.write(move |c| change(ada).revoke(c, &mut randomness::system(), token)).unwrap());
        let mut actions = house.read(move |c| events::actions_on(c, "api_token", &token.to_string(), 100)).unwrap();
        actions.sort();
        let once = ["created", "disabled", "enabled", "revoked"].map(|action| format!("api_token.{action}"));
        assert_eq!(actions, once);
    });
}

#[test]
fn a_secret_that_waits_is_shown_to_exactly_one() {
    on_both(|house| {
        let ada = house.user("ada");
        let (token, session, other) = (house.token(ada, "ci"), house.session(ada), house.session(ada));
        let put = move |now: Timestamp| {
            house
                .write(move |c| {
                    let sealed = Sealed { key_id: "01234567".to_owned(), bytes: b"sealed".to_vec() };
                    Ok(reveals::put(c, token, session, &sealed, now)?)
                })
                .unwrap();
        };
        let take = |session, now| -> Result<bool, Refusal> {
            house.write(move |c| Ok(reveals::take(c, token, session, now)?.is_some()))
        };
        for _ in 0..3 {
            put(NOW);
            assert!(!take(other, NOW).unwrap(), "another session's");
            assert!(!take(session, NOW.plus(reveals::LIFETIME)).unwrap(), "too late");
            let shown = at_once(20, |_| take(session, NOW).unwrap());
            assert_eq!(shown.iter().filter(|&&one| one).count(), 1);
        }
        put(NOW);
        put(NOW.plus(1));
        assert!(house.read(move |c| reveals::is_due(c, token, session, NOW)).unwrap());
        house.write(move |c| change(ada).revoke(c, &mut randomness::system(), token)).unwrap();
        assert!(!take(session, NOW).unwrap(), "withdrawn with its token");
    });
}

fn current_secret(house: &House, owner: UserId, id: ApiTokenId) -> i64 {
    house.read(move |c| api_tokens::find(c, owner, id)).unwrap().expect("the token is there").current_secret
}

fn rotate(house: &House, owner: UserId, id: ApiTokenId, seen: i64, nonce: &str) -> Result<Made, Refusal> {
    let rotation = Rotation { replaces: seen, nonce: nonce.to_owned(), old_ends_at: NOW, expires_at: None };
    house.write(move |c| {
        let rng = &mut randomness::system();
        let secret = Secret::generate(SecretKind::ApiToken, rng);
        change(owner).rotate(c, rng, id, &rotation, &secret)
    })
}
