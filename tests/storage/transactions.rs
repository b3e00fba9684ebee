//! A closure is a transaction: all of it or nothing, whatever goes wrong inside.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use tokenhouse::domain::repository::RepositoryName;
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::Refusal;
use tokenhouse::storage::schema::{self, roles};
use tokenhouse::storage::{Connection, Result, StorageError, repositories, users};

use crate::house::{House, NOW, at_once, block_on, insert_user, on_both};

#[test]
fn a_change_that_fails_leaves_nothing() {
    on_both(|house| {
        let answer: Result<(), Refusal> = house.write(|c| {
            insert_user(c, "ada")?;
            Err(Refusal::LimitReached(5))
        });
        assert!(matches!(answer, Err(Refusal::LimitReached(5))));
        assert!(!house.knows("ada"));
    });
}

#[test]
fn a_change_that_fails_does_not_undo_those_that_share_its_commit() {
    on_both(|house| {
        at_once(20, |number| {
            let _ = house.write(move |c| -> Result<(), Refusal> {
                insert_user(c, &format!("user{number}"))?;
                if number % 2 == 0 { Ok(()) } else { Err(Refusal::NotFound) }
            });
        });
        for number in 0..20 {
            assert_eq!(house.knows(&format!("user{number}")), number % 2 == 0, "{number}");
        }
    });
}

#[test]
fn a_change_that_panics_leaves_nothing_and_the_writer_alive() {
    on_both(|house| {
        for number in 0..8 {
            let answer: Result<(), Refusal> = house.write(move |c| {
                insert_user(c, &format!("user{number}"))?;
                panic!("as it must in this test")
            });
            assert!(matches!(answer, Err(Refusal::Storage(StorageError::Interrupted))), "{answer:?}");
        }
        house.user("ada");
        assert!(house.knows("ada"));
        assert!((0..8).all(|number| !house.knows(&format!("user{number}"))));
    });
}

#[test]
fn a_change_that_panics_does_not_undo_those_that_share_its_commit() {
    on_both(|house| {
        let answers = at_once(24, |number| {
            house.write(move |c| {
                insert_user(c, &format!("user{number}"))?;
                assert!(number % 3 > 0, "as it must in this test");
                Ok(())
            })
        });
        // Another process, as far as the database can tell: it sees what is really committed.
        let other = House::beside(house);
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.is_ok(), number % 3 > 0, "{number}: {answer:?}");
            assert_eq!(other.knows(&format!("user{number}")), answer.is_ok(), "{number}");
        }
    });
}

#[test]
fn a_change_that_swallows_an_error_is_not_told_done_when_it_was_undone() {
    on_both(|house| {
        let answer = house.write(|c| {
            insert_user(c, "ada")?;
            let taken = (
                roles::id.eq(99),
                roles::name.eq("viewer"),
                roles::title.eq(""),
                roles::privileges.eq(""),
                roles::built_in.eq(false),
            );
            assert!(diesel::insert_into(roles::table).values(taken).execute(c).is_err());
            Ok(())
        });
        assert_eq!(answer.is_ok(), house.knows("ada"), "{answer:?}");
    });
}

#[test]
fn a_question_that_panics_leaves_the_readers_alive() {
    on_both(|house| {
        for _ in 0..8 {
            let asked = catch_unwind(AssertUnwindSafe(|| {
                house.read(|c| -> Result<bool> {
                    users::any(c)?;
                    panic!("as it must in this test")
                })
            }));
            assert!(!matches!(asked, Ok(Ok(_))));
        }
        assert!(!house.knows("ada"));
    });
}

#[test]
fn a_question_sees_one_moment_however_much_is_changed_meanwhile() {
    on_both(|house| {
        let db = house.db.clone();
        let same = house.read(move |c| {
            let before = users::any(c)?;
            // On a thread of its own, since this one may be the one that waits.
            thread::spawn(move || block_on(db.write(|c| insert_user(c, "ada")))).join().expect("it writes")?;
            Ok(before == users::any(c)?)
        });
        assert!(same.unwrap());
        assert!(house.knows("ada"));
    });
}

#[test]
fn a_question_cannot_change_anything() {
    on_both(|house| {
        assert!(house.read(|c| insert_user(c, "ada")).is_err());
        assert!(!house.knows("ada"));
        house.user("ada");
    });
}

#[test]
fn a_taken_name_is_an_answer_and_not_an_error_and_the_transaction_goes_on() {
    on_both(|house| {
        let made = house.write(|c| {
            let rng = &mut randomness::system();
            let name = RepositoryName::parse("payments").expect("a name");
            let first = repositories::insert(c, &name, "", NOW, rng)?.is_some();
            let second = repositories::insert(c, &name, "", NOW, rng)?.is_some();
            let ada = insert_user(c, "ada")?.is_some();
            let again = insert_user(c, "ada")?.is_some();
            let bob = insert_user(c, "bob")?.is_some();
            Ok([first, second, ada, again, bob])
        });
        assert_eq!(made.unwrap(), [true, false, true, false, true]);
        assert!(house.knows("bob"));
    });
}

#[test]
fn of_two_who_take_a_name_at_once_one_gets_it_and_the_other_is_told() {
    on_both(|house| {
        for round in 0..5 {
            let made = at_once(4, |number| {
                house.write(move |c| {
                    let name = RepositoryName::parse(&format!("payments{round}")).expect("a name");
                    let made = repositories::insert(c, &name, "", NOW, &mut randomness::system())?.is_some();
                    insert_user(c, &format!("user{round}-{number}"))?;
                    Ok(made)
                })
            });
            let made: Vec<bool> = made.into_iter().map(|answer| answer.expect("taken is no error")).collect();
            assert_eq!(made.iter().filter(|&&one| one).count(), 1, "{made:?}");
            assert!(
                (0..4).all(|number| house.knows(&format!("user{round}-{number}"))),
                "the rest of the change stands"
            );
        }
    });
}

#[test]
fn reading_and_then_writing_is_never_told_busy() {
    on_both(|house| {
        let user = house.user("ada");
        let other = House::beside(house);
        let answers = at_once(8, |number| {
            let house = if number % 2 == 0 { house } else { &other };
            (0..20).all(|_| {
                let locked = house.write(move |c| {
                    users::any(c)?;
                    Ok(users::lock(c, user)?)
                });
                locked.is_ok_and(|hit| hit)
            })
        });
        assert_eq!(answers, [true; 8]);
        assert_eq!(house.read(revision).unwrap(), 160, "none was lost");
    });
}

fn revision(connection: &mut Connection) -> Result<i64> {
    Ok(schema::users::table.select(schema::users::revision).get_result(connection)?)
}

#[test]
fn many_writes_at_once_are_all_answered_and_all_there() {
    on_both(|house| {
        at_once(8, |thread| {
            for number in 0..25 {
                house.user(&format!("user{thread}-{number}"));
            }
        });
        assert!((0..8).all(|thread| house.knows(&format!("user{thread}-24"))));
    });
}
