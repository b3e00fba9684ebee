//! Uses of tokens and sessions, gathered in memory and written together every few seconds: no check waits for a write.
//! What a crash loses is the last seconds of counting, never a token.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use crate::domain::caller::{Caller, MOST_CALLERS, UsedToken, user_agent};
use crate::domain::id::{RepositoryId, SessionId};
use crate::domain::timestamp::Timestamp;
use crate::storage::callers::Gathered;
use crate::storage::{Connection, Db, Result, callers, sessions};

/// Seconds between two flushes.
pub const FLUSH_SECONDS: u64 = 3;
/// Counts of one token at most, the repositories included at which it was used by others than the callers known.
const MOST_COUNTS: usize = 1_000;
/// Stands for all callers beyond those known.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// Tokens counted between two flushes at most; the uses of further ones are not counted.
const MOST_TOKENS: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    repository: Option<RepositoryId>,
    day: i64,
    address: IpAddr,
    user_agent: String,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    first: Timestamp,
    last: Timestamp,
    uses: i64,
}

/// What was counted since the last flush.
#[derive(Debug, Default)]
pub struct Uses {
    tokens: Mutex<HashMap<UsedToken, Vec<(Key, Count)>>>,
    sessions: Mutex<HashMap<SessionId, Timestamp>>,
}

impl Uses {
    /// Counts one good check of `token`, for `repository` if one was asked for.
    pub fn token_used(
        &self,
        token: UsedToken,
        repository: Option<RepositoryId>,
        now: Timestamp,
        address: IpAddr,
        agent: &str,
    ) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_TOKENS && !tokens.contains_key(&token) {
            return;
        }
        let counts = tokens.entry(token).or_default();
        let day = now.day_number();
        let full = counts.len() >= MOST_CALLERS;
        let same = |key: &Key| {
            key.day == day
                && key.repository == repository
                && key.address == address
                && agent.starts_with(&key.user_agent)
        };
        let known = counts
            .iter_mut()
            .find(|(key, _)| same(key) && (key.user_agent.len() == agent.len() || user_agent(agent) == key.user_agent));
        match known {
            Some((_, count)) => {
                count.last = count.last.max(now);
                count.uses += 1;
            }
            // Whoever changes its user agent with every request, or goes from repository to repository, fills no memory: the
            // uses count for others than those known, at the right repository as long as there is room for it.
            None if full => {
                let others = |key: &Key| key.address.is_unspecified() && key.day == day;
                let at = |key: &Key| others(key) && key.repository == repository;
                let room = counts.len() < MOST_COUNTS;
                let count = match counts.iter().position(|(key, _)| at(key)) {
                    Some(index) => &mut counts[index].1,
                    None => {
                        let repository = if room { repository } else { None };
                        let index = counts.iter().position(|(key, _)| others(key) && key.repository == repository);
                        let index = index.unwrap_or_else(|| {
                            let key = Key { repository, day, address: OTHERS, user_agent: String::new() };
                            counts.push((key, Count { first: now, last: now, uses: 0 }));
                            counts.len() - 1
                        });
                        &mut counts[index].1
                    }
                };
                count.last = count.last.max(now);
                count.uses += 1;
            }
            None => {
                let key = Key { repository, day, address, user_agent: user_agent(agent) };
                counts.push((key, Count { first: now, last: now, uses: 1 }));
            }
        }
    }

    /// Notes that a session was used.
    pub fn session_seen(&self, session: SessionId, now: Timestamp) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(session, now);
    }

    /// Writes what was counted. If that fails, it is counted again with the next flush.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        let tokens = std::mem::take(&mut *self.tokens.lock().unwrap_or_else(PoisonError::into_inner));
        let sessions = std::mem::take(&mut *self.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        if tokens.is_empty() && sessions.is_empty() {
            return Ok(());
        }
        let mut gathered: Vec<Gathered> = tokens
            .iter()
            .flat_map(|(&token, counts)| counts.iter().map(move |(key, count)| to_gathered(token, key, *count)))
            .collect();
        // One order for all nodes, so that two of them never wait for each other in a circle.
        gathered.sort_by_key(|one| one.token);
        let mut seen: Vec<(SessionId, Timestamp)> = sessions.iter().map(|(&id, &at)| (id, at)).collect();
        seen.sort();
        let written = db
            .write_beside_checks(move |connection: &mut Connection| -> Result<()> {
                callers::add(connection, &gathered)?;
                for (session, at) in seen {
                    sessions::set_seen(connection, session, at)?;
                }
                Ok(())
            })
            .await;
        if written.is_err() {
            self.put_back(tokens, sessions);
        }
        written
    }

    fn put_back(&self, tokens: HashMap<UsedToken, Vec<(Key, Count)>>, sessions: HashMap<SessionId, Timestamp>) {
        let mut current = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for (token, counts) in tokens {
            if current.len() >= MOST_TOKENS {
                break;
            }
            let there = current.entry(token).or_default();
            for (key, count) in counts {
                let full = there.len() >= MOST_COUNTS;
                match there.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, other)) => {
                        other.first = other.first.min(count.first);
                        other.last = other.last.max(count.last);
                        other.uses += count.uses;
                    }
                    None if !full => there.push((key, count)),
                    None => {}
                }
            }
        }
        let mut current = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for (session, at) in sessions {
            let seen = current.entry(session).or_insert(at);
            *seen = (*seen).max(at);
        }
    }
}

fn to_gathered(token: UsedToken, key: &Key, count: Count) -> Gathered {
    let caller = Caller {
        address: if key.address == OTHERS { String::new() } else { key.address.to_string() },
        user_agent: key.user_agent.clone(),
        first_used_at: count.first,
        last_used_at: count.last,
        uses: count.uses,
    };
    Gathered { token, repository: key.repository, day: key.day, caller }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let tokens = uses.tokens.lock().unwrap();
        let (_, count) = &tokens[&token()][0];
        assert_eq!((count.first, count.last, count.uses), (NOW, NOW.plus(4), 5));
    }

    #[test]
    fn many_user_agents_fill_no_memory_and_all_uses_count() {
        let uses = Uses::default();
        for number in 0..1_000 {
            uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &format!("agent {number}"));
        }
        let tokens = uses.tokens.lock().unwrap();
        assert_eq!(tokens[&token()].len(), MOST_CALLERS + 1);
        assert_eq!(tokens[&token()].iter().map(|(_, count)| count.uses).sum::<i64>(), 1_000);
    }

    #[test]
    fn a_long_user_agent_is_one_caller_too() {
        let uses = Uses::default();
        for _ in 0..3 {
            uses.token_used(token(), None, NOW, "192.0.2.1".parse().unwrap(), &"x".repeat(5_000));
        }
        assert_eq!(uses.tokens.lock().unwrap()[&token()].len(), 1);
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
        let tokens = uses.tokens.lock().unwrap();
        let counts = &tokens[&token()];
        let at = |wanted| {
            counts.iter().filter(|(key, _)| key.repository == wanted).map(|(_, count)| count.uses).sum::<i64>()
        };
        assert_eq!((at(repository(1)), at(repository(2)), at(repository(900))), (50, 1, 1));
        assert!(counts.len() <= MOST_COUNTS + 1);
        assert_eq!(counts.iter().map(|(_, count)| count.uses).sum::<i64>(), 50 + 2_998, "all uses count");
    }
}
