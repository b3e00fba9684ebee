//! How uses are counted.

use super::counts::MOST_COUNTS;
use super::*;
use crate::domain::caller::MOST_CALLERS;

const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

fn token() -> UsedToken {
    UsedToken::Api("1".parse().unwrap(), 1)
}

#[test]
fn uses_of_one_caller_are_added_up() {
    let uses = Uses::default();
    for second in 0..5 {
        uses.token_used(token(), None, NOW.plus(second), "192.0.2.1".parse().unwrap(), "curl/8", false);
    }
    let tokens = uses.shard(&token());
    let (_, count) = tokens[&token()].all().first().unwrap();
    assert_eq!((count.first, count.last, count.uses), (NOW, NOW.plus(4), 5));
}

#[test]
fn many_user_agents_fill_no_memory_and_all_uses_count() {
    let uses = Uses::default();
    for number in 0..1_000 {
        uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &format!("agent {number}"), false);
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
            uses.token_used(token(), None, NOW.plus(number), address, &format!("agent {number}"), false);
        }
    };
    once(0..60);
    for second in 60..90 {
        uses.token_used(token(), None, NOW.plus(second), address, "curl/8", false);
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
        uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &"x".repeat(5_000), false);
    }
    assert_eq!(uses.shard(&token())[&token()].len(), 1);
}

#[test]
fn a_use_never_counts_for_another_repository() {
    let (uses, address) = (Uses::default(), "192.0.2.1".parse().unwrap());
    let repository = |number: i64| number.try_into().ok();
    for number in 0..MOST_CALLERS {
        uses.token_used(token(), repository(1), NOW, address, &format!("agent {number}"), false);
    }
    for number in 2..3_000 {
        uses.token_used(token(), repository(number), NOW, address, "curl/8", false);
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

fn numbered(number: usize) -> UsedToken {
    UsedToken::Api(i64::try_from(number + 1).unwrap().try_into().unwrap(), 1)
}

fn counted(uses: &Uses) -> (i64, usize) {
    let mut total = (0, 0);
    for shard in &uses.tokens {
        for counts in lock(shard).values() {
            total.0 += counts.all().iter().map(|(_, count)| count.uses).sum::<i64>();
            total.1 += counts.bytes();
        }
    }
    total
}

#[test]
fn changing_clients_beyond_the_memory_budget_count_as_other_clients() {
    const TOKENS: usize = 1_000;
    const AGENTS: usize = 60;
    let (uses, address) = (Uses::default(), "192.0.2.1".parse().unwrap());
    for agent in 0..AGENTS {
        for number in 0..TOKENS {
            uses.token_used(numbered(number), None, NOW, address, &format!("{agent} {}", "x".repeat(190)), false);
        }
    }
    let (sum, bytes) = counted(&uses);
    assert_eq!(sum, (TOKENS * AGENTS) as i64, "all uses count");
    assert_eq!(bytes, uses.bytes.load(Ordering::Relaxed), "the estimate is kept up to date");
    assert!((MAX_CLIENT_BYTES..MAX_BYTES).contains(&bytes), "{bytes}");
    let tokens = uses.shard(&numbered(0));
    assert_eq!(tokens[&numbered(0)].all().iter().filter(|(key, _)| key.agent.is_empty()).count(), 1);
}

#[test]
fn tokens_beyond_the_memory_budget_are_not_counted_and_reported() {
    const TOKENS: usize = 100_000;
    let uses = Uses::default();
    for number in 0..TOKENS {
        uses.token_used(numbered(number), None, NOW, "192.0.2.1".parse().unwrap(), "curl/8", false);
    }
    let (sum, bytes) = counted(&uses);
    assert_eq!(sum + uses.uncounted.load(Ordering::Relaxed) as i64, TOKENS as i64);
    assert!(sum > 70_000, "{sum}");
    assert!(bytes < MAX_BYTES + counts::TOKEN_BYTES, "{bytes}");
    let known = numbered(0);
    uses.token_used(known, None, NOW, "192.0.2.2".parse().unwrap(), "curl/9", false);
    assert_eq!(counted(&uses).0, sum + 1, "a token that is known is still counted");
}

#[test]
fn spill_keeps_numbered_parts_in_a_private_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let uses = Uses::new(folder.path().to_owned());
    uses.spill().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was counted");
    for number in 0..CHUNK + 1 {
        uses.token_used(numbered(number), None, NOW, "192.0.2.1".parse().unwrap(), "curl/8", false);
    }
    uses.spill().unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let (process_id, parts) = spill::read(&files[0]).unwrap();
    assert_eq!(process_id, uses.flushing.try_lock().unwrap().process_id);
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(parts.iter().map(|part| part.counts.len()).sum::<usize>(), CHUNK + 1);
    let first = &parts[0].counts[0];
    assert_eq!((first.token, first.caller.user_agent.as_str(), first.caller.uses), (numbered(0), "curl/8", 1));
    std::fs::write(&files[0], "{\"format\":3,\"process\":\"x\"}\n").unwrap();
    assert!(spill::read(&files[0]).is_err(), "a later format is not read");
}
