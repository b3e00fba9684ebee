//! How uses are counted.

use super::counts::MOST_COUNTS;
use super::*;
use crate::domain::caller::MOST_CALLERS;

const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

fn token() -> UsedToken {
    UsedToken::Api("019a9f3c-0000-7000-8000-000000000001".parse().unwrap())
}

#[test]
fn uses_of_one_caller_are_added_up() {
    let uses = Uses::default();
    for second in 0..5 {
        uses.token_used(token(), None, NOW.plus(second), "192.0.2.1".parse().unwrap(), "curl/8");
    }
    let tokens = uses.shard(&token());
    let (_, count) = tokens[&token()].all().first().unwrap();
    assert_eq!((count.first, count.last, count.uses), (NOW, NOW.plus(4), 5));
}

#[test]
fn many_user_agents_fill_no_memory_and_all_uses_count() {
    let uses = Uses::default();
    for number in 0..1_000 {
        uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &format!("agent {number}"));
    }
    let tokens = uses.shard(&token());
    assert_eq!(tokens[&token()].len(), MOST_CALLERS + 1);
    assert_eq!(tokens[&token()].all().iter().map(|(_, count)| count.uses).sum::<i64>(), 1_000);
}

#[test]
fn who_comes_again_is_told_however_many_come_once() {
    let (uses, address) = (Uses::default(), "192.0.2.1".parse().unwrap());
    let once = |numbers: std::ops::Range<i64>| {
        for number in numbers {
            uses.token_used(token(), None, NOW.plus(number), address, &format!("agent {number}"));
        }
    };
    once(0..60);
    for second in 60..90 {
        uses.token_used(token(), None, NOW.plus(second), address, "curl/8");
    }
    once(90..1_000);
    let tokens = uses.shard(&token());
    let of = |agent: &str| {
        tokens[&token()]
            .all()
            .iter()
            .find(|(key, _)| key.agent == agent)
            .map(|(_, count)| count.uses)
            .unwrap_or_default()
    };
    assert_eq!(
        (of("curl/8"), of("agent 999"), of("")),
        (30, 1, 1_000 - 30 - 49),
        "the first of those who came once made room"
    );
}

#[test]
fn a_long_user_agent_is_one_caller_too() {
    let uses = Uses::default();
    for _ in 0..3 {
        uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &"x".repeat(5_000));
    }
    assert_eq!(uses.shard(&token())[&token()].len(), 1);
}

#[test]
fn a_use_never_counts_for_another_repository() {
    let (uses, address) = (Uses::default(), "192.0.2.1".parse().unwrap());
    let repository = |number: u32| format!("019a9f3c-0000-7000-8000-{number:012}").parse().ok();
    for number in 0..MOST_CALLERS {
        uses.token_used(token(), repository(1), NOW, address, &format!("agent {number}"));
    }
    for number in 2..3_000 {
        uses.token_used(token(), repository(number), NOW, address, "curl/8");
    }
    let tokens = uses.shard(&token());
    let counts = &tokens[&token()];
    let at = |wanted| {
        counts.all().iter().filter(|(key, _)| key.repository == wanted).map(|(_, count)| count.uses).sum::<i64>()
    };
    assert_eq!((at(repository(1)), at(repository(2)), at(repository(900))), (50, 1, 1));
    assert!(counts.len() <= MOST_COUNTS + 1);
    assert_eq!(counts.all().iter().map(|(_, count)| count.uses).sum::<i64>(), 50 + 2_998, "all uses count");
}
