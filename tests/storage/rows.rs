//! Single rows: what is added up, pruned, never changed, or recognised as broken.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use tokenhouse::domain::caller::{Caller, MOST_CALLERS, UsedToken};
use tokenhouse::domain::event::{Action, Actor, NewEvent};
use tokenhouse::domain::id::ApiTokenId;
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::repository::RepositoryName;
use tokenhouse::domain::session::MOST_SESSIONS;
use tokenhouse::domain::timestamp::{DAY, Timestamp};
use tokenhouse::randomness;
use tokenhouse::storage::caller_list::Of;
use tokenhouse::storage::callers::Gathered;
use tokenhouse::storage::repositories::{Among, Visible};
use tokenhouse::storage::schema::{self, events, roles};
use tokenhouse::storage::sealing::Sealed;
use tokenhouse::storage::{
    StorageError, api_tokens, caller_list, callers, events as log, grants, repositories, reveals, sessions, users,
};

use crate::house::{NOW, change, on_both};

#[test]
fn an_event_is_never_changed_and_never_deleted() {
    on_both(|house| {
        house
            .write(|c| {
                let event = NewEvent {
                    actor: Actor::Shell,
                    action: Action::UserCreated,
                    subject_kind: "user",
                    subject_id: "1".to_owned(),
                    subject_name: "ada".to_owned(),
                    detail: String::new(),
                };
                Ok(log::append(c, &event, NOW, &mut randomness::system())?)
            })
            .unwrap();
        let changed = house.write(|c| Ok(diesel::update(events::table).set(events::detail.eq("x")).execute(c)?));
        let deleted = house.write(|c| Ok(diesel::delete(events::table).execute(c)?));
        assert!(changed.is_err() && deleted.is_err());
        let left = house.read(|c| log::actions_on(c, "user", "1", 10)).unwrap();
        assert_eq!(left, ["user.created"]);
    });
}

fn used(token: ApiTokenId, at: Timestamp, agent: &str, uses: i64) -> Gathered {
    let caller = Caller {
        address: "192.0.2.1".to_owned(),
        user_agent: agent.to_owned(),
        first_used_at: at,
        last_used_at: at,
        uses,
        writes: 0,
    };
    Gathered { token: UsedToken::Api(token, 1), repository: None, day: at.day_number(), caller }
}

#[test]
fn uses_add_up_by_day_and_are_shown_by_caller() {
    on_both(|house| {
        let ada = house.user("ada");
        let token = house.token(ada, "ci");
        let add = |gathered: Vec<Gathered>| house.write(move |c| Ok(callers::add(c, &gathered)?)).unwrap();
        let yesterday = NOW.minus(DAY);
        add(vec![used(token, yesterday, "curl", 2), used(token, NOW, "curl", 3), used(token, NOW, "wget", 1)]);
        // What another node counted, or what could not be written in time, comes later and tells of earlier.
        add(vec![used(token, NOW.minus(60), "curl", 4)]);
        let (shown, per_day) = house.read(move |c| caller_list::both(c, Of::ApiToken(token), NOW)).unwrap();
        assert_eq!(per_day.len(), 30);
        assert_eq!(per_day[28..], [2, 8]);
        let curl = shown.iter().find(|caller| caller.user_agent == "curl").unwrap();
        assert_eq!((curl.first_used_at, curl.last_used_at, curl.uses), (yesterday, NOW, 9));
        assert_eq!(shown.len(), 2);
        let token = house.read(move |c| api_tokens::find(c, ada, token)).unwrap().unwrap();
        assert_eq!(token.last_use.unwrap().at, NOW, "the last use never moves back");
    });
}

#[test]
fn uses_are_stored_for_each_secret_with_reads_and_writes_apart() {
    on_both(|house| {
        let token = house.token(house.user("ada"), "ci");
        let name = RepositoryName::parse("alpha").expect("a name");
        let repository = house.write(move |c| Ok(repositories::insert(c, &name, "", NOW, &mut randomness::system())?));
        let repository = repository.unwrap().expect("the name is free");
        let add = move |number: i64, at: Timestamp, uses: i64, writes: i64| {
            let one = used(token, at, "curl", uses);
            let caller = Caller { writes, ..one.caller };
            Gathered { token: UsedToken::Api(token, number), repository: Some(repository), caller, ..one }
        };
        let all = [add(1, NOW.minus(60), 3, 1), add(1, NOW.minus(90), 2, 0), add(2, NOW, 5, 5)];
        house.write(move |c| Ok(callers::add(c, &all)?)).unwrap();
        let usage = house.read(|c| {
            use schema::token_usage as t;
            let columns = (t::secret_number, t::last_used_at, t::reads, t::writes);
            Ok(t::table.order(t::secret_number.asc()).select(columns).load::<(i64, i64, i64, i64)>(c)?)
        });
        assert_eq!(usage.unwrap(), [(1, NOW.minus(60).unix(), 4, 1), (2, NOW.unix(), 0, 5)]);
        let sums = house.read(|c| {
            use schema::{daily_usage as d, repository_clients as r, token_clients as t};
            let of_day: (i64, i64) = d::table.select((d::reads, d::writes)).get_result(c)?;
            let of_repository: (i64, i64) = r::table.select((r::reads, r::writes)).get_result(c)?;
            let of_token: (i64, i64) = t::table.select((t::reads, t::writes)).get_result(c)?;
            Ok([of_day, of_repository, of_token])
        });
        assert_eq!(sums.unwrap(), [(4, 6); 3]);
        let shown = house.read(move |c| caller_list::both(c, Of::Repository(repository), NOW)).unwrap();
        assert_eq!((shown.0[0].uses, shown.0[0].writes, shown.1[29]), (10, 6, 10));
    });
}

#[test]
fn the_first_use_of_a_day_moves_back_when_an_earlier_one_comes_late() {
    on_both(|house| {
        let token = house.token(house.user("ada"), "ci");
        for at in [NOW, NOW.minus(60)] {
            house.write(move |c| Ok(callers::add(c, &[used(token, at, "curl", 1)])?)).unwrap();
        }
        let (shown, _) = house.read(move |c| caller_list::both(c, Of::ApiToken(token), NOW)).unwrap();
        assert_eq!((shown[0].first_used_at, shown[0].last_used_at), (NOW.minus(60), NOW));
    });
}

#[test]
fn uses_of_a_token_that_went_away_are_passed_over() {
    on_both(|house| {
        let token = house.token(house.user("ada"), "ci");
        let gone = ApiTokenId::new(NOW, &mut randomness::system());
        let add = vec![used(gone, NOW, "curl", 1), used(token, NOW, "curl", 1)];
        house.write(move |c| Ok(callers::add(c, &add)?)).unwrap();
        assert_eq!(house.read(move |c| caller_list::recent(c, Of::ApiToken(token), NOW)).unwrap().len(), 1);
    });
}

#[test]
fn a_page_shows_the_callers_with_the_most_uses_and_the_rest_in_one_line() {
    on_both(|house| {
        let token = house.token(house.user("ada"), "ci");
        let of_day = |day: i64| {
            let number =
                |number: i64| used(token, NOW.minus(day * DAY + number), &format!("agent {day} {number}"), 40 - number);
            (0..40).map(number).collect::<Vec<_>>()
        };
        for day in [0, 1] {
            let add = of_day(day);
            house.write(move |c| Ok(callers::add(c, &add)?)).unwrap();
        }
        let (shown, per_day) = house.read(move |c| caller_list::both(c, Of::ApiToken(token), NOW)).unwrap();
        let others: Vec<_> = shown.iter().filter(|caller| caller.address.is_empty()).collect();
        assert_eq!((shown.len(), shown[0].user_agent.as_str(), others.len()), (MOST_CALLERS + 1, "agent 0 0", 1));
        assert!(shown.iter().all(|caller| caller.address.is_empty() || caller.uses > 15), "{shown:?}");
        assert_eq!(
            *others[0],
            Caller {
                address: String::new(),
                user_agent: String::new(),
                first_used_at: NOW.minus(DAY + 39),
                last_used_at: NOW.minus(25),
                uses: 2 * (1..=15).sum::<i64>(),
                writes: 0,
            }
        );
        let of_all: i64 = shown.iter().map(|caller| caller.uses).sum();
        assert_eq!((of_all, per_day.iter().sum::<i64>()), (1_640, 1_640), "all uses count");
    });
}

#[test]
fn of_more_callers_than_are_kept_of_a_day_the_quietest_joins_the_others() {
    on_both(|house| {
        let token = house.token(house.user("ada"), "ci");
        let add = |agent: &str, uses: i64, at: Timestamp| {
            let one = used(token, at, agent, uses);
            house.write(move |c| Ok(callers::add(c, &[one])?)).unwrap();
        };
        let uses_of = |agent: &str| {
            let shown = house.read(move |c| caller_list::recent(c, Of::ApiToken(token), NOW)).unwrap();
            assert!(shown.len() <= MOST_CALLERS + 1);
            shown.into_iter().find(|caller| caller.user_agent == agent).map(|caller| caller.uses)
        };
        for number in 0..50 {
            add(&format!("agent {number}"), 10 + number, NOW.minus(number));
        }
        add("quieter than all", 9, NOW);
        assert_eq!((uses_of("quieter than all"), uses_of("")), (None, Some(9)));
        add("loud", 100, NOW);
        assert_eq!((uses_of("loud"), uses_of("agent 0"), uses_of("")), (Some(100), None, Some(9 + 10)));
        add("as quiet and later", 11, NOW);
        assert_eq!(
            (uses_of("as quiet and later"), uses_of("agent 1"), uses_of("")),
            (Some(11), None, Some(9 + 10 + 11))
        );
        add("agent 0", 50, NOW);
        assert_eq!(
            (uses_of("agent 0"), uses_of("")),
            (Some(50), Some(9 + 10 + 11 + 11)),
            "it comes back, and counts from then on"
        );
    });
}

#[test]
fn what_has_ended_is_pruned_and_the_rest_stays() {
    on_both(|house| {
        let ada = house.user("ada");
        let (old, fresh) = (house.token(ada, "old"), house.token(ada, "fresh"));
        let session = house.session(ada);
        house
            .write(move |c| {
                let sealed = Sealed { key_id: "01234567".to_owned(), bytes: vec![1] };
                reveals::put(c, old, session, &sealed, NOW.minus(reveals::LIFETIME))?;
                reveals::put(c, fresh, session, &sealed, NOW)?;
                callers::add(
                    c,
                    &[used(old, NOW.minus(31 * DAY), "curl", 1), used(old, NOW.minus(29 * DAY), "curl", 1)],
                )?;
                assert_eq!(reveals::prune(c, NOW)?, 1);
                assert!(reveals::is_due(c, fresh, session, NOW)?);
                assert_eq!(callers::prune(c, NOW)?, 1);
                assert_eq!(sessions::prune(c, NOW, NOW)?, 0, "made and seen just now");
                assert_eq!(sessions::prune(c, NOW, NOW.plus(1))?, 1, "not seen for too long");
                assert!(!reveals::is_due(c, fresh, session, NOW)?, "it went away with its session");
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_user_keeps_a_bounded_number_of_sessions_the_latest_ones() {
    on_both(|house| {
        let ada = house.user("ada");
        for second in 0..15 {
            house
                .write(move |c| {
                    let now = NOW.plus(second);
                    Ok(sessions::insert(c, ada, "192.0.2.1", "x", now, &mut randomness::system())?)
                })
                .unwrap();
        }
        let stay = house.write(move |c| Ok(sessions::prune(c, NOW.plus(5), NOW)?)).unwrap();
        assert_eq!(stay, 0, "the five oldest went before");
        assert_eq!(house.write(move |c| Ok(sessions::end_all_of(c, ada)?)).unwrap(), MOST_SESSIONS);
    });
}

#[test]
fn a_row_that_the_program_could_not_have_written_is_named() {
    on_both(|house| {
        let ada = house.user("ada");
        let token = house.token(ada, "ci");
        house
            .write(|c| {
                diesel::update(roles::table.filter(roles::name.eq("developer")))
                    .set(roles::privileges.eq("api_access root"))
                    .execute(c)?;
                Ok(diesel::update(schema::api_tokens::table)
                    .set(schema::api_tokens::repositories_permission.eq("all"))
                    .execute(c)?)
            })
            .unwrap();
        let user = house.read(move |c| users::find(c, ada));
        assert!(matches!(user, Err(StorageError::Corrupt { table: "roles", .. })), "{user:?}");
        let found = house.read(move |c| api_tokens::find(c, ada, token));
        let named = |error: &StorageError| matches!(error, StorageError::Corrupt { table: "api_tokens", id } if *id == token.to_string());
        assert!(found.as_ref().is_err_and(named), "{found:?}");
    });
}

#[test]
fn repositories_are_listed_in_pages_to_those_who_may_see_them() {
    on_both(|house| {
        let ada = house.user("ada");
        house
            .write(move |c| {
                let rng = &mut randomness::system();
                for name in ["a-1", "a.1", "a1", "a_1", "b"] {
                    let name = RepositoryName::parse(name).expect("a name");
                    let id = repositories::insert(c, &name, "", NOW, rng)?.expect("the name is free");
                    if name.as_str() != "b" {
                        grants::set(c, ada, id, Permission::Write, NOW)?;
                        grants::set(c, ada, id, Permission::Read, NOW)?;
                    }
                }
                Ok(())
            })
            .unwrap();
        let list = |all: bool, after: Option<&str>, limit: i64| {
            let wanted =
                Visible { user: ada, all, among: Among::All, search: Vec::new(), after: after.map(str::to_owned) };
            let rows = house.read(move |c| repositories::list(c, &wanted, limit)).unwrap();
            assert!(rows.iter().all(|(row, grant)| (row.name.as_str() == "b") == grant.is_none()));
            rows.into_iter().map(|(row, _)| row.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list(false, None, 10), ["a-1", "a.1", "a1", "a_1"], "in the same order on both databases");
        assert_eq!(list(true, Some("a.1"), 2), ["a1", "a_1"]);
        assert_eq!(list(true, Some("a_1"), 10), ["b"]);
        let more_than = |all, count| house.read(move |c| repositories::more_than(c, ada, all, count)).unwrap();
        assert_eq!(
            [more_than(true, 4), more_than(true, 5), more_than(false, 3), more_than(false, 4)],
            [true, false, true, false]
        );
    });
}

#[test]
fn a_revoked_tokens_name_is_free_again() {
    on_both(|house| {
        let ada = house.user("ada");
        let token = house.token(ada, "ci");
        house.write(move |c| change(ada).revoke(c, &mut randomness::system(), token)).unwrap();
        assert!(house.create(ada, "CI", "another form", 1).is_ok());
    });
}
