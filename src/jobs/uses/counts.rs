//! The uses of one token: by repository, day, address and user agent. Kept small, since there may be 100,000 of them.

use std::net::{IpAddr, Ipv4Addr};

use smol_str::SmolStr;

use crate::domain::caller::{Caller, MOST_CALLERS, UsedToken, user_agent};
use crate::domain::id::RepositoryId;
use crate::domain::timestamp::Timestamp;
use crate::storage::callers::Gathered;

/// Counts of one token at most, the repositories included at which it was used by others than the callers known.
pub(super) const MOST_COUNTS: usize = 1_000;
/// Stands for all callers beyond those known.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub repository: Option<RepositoryId>,
    pub day: i32,
    pub address: IpAddr,
    pub agent: SmolStr,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub first: Timestamp,
    pub last: Timestamp,
    pub uses: i64,
}

impl Count {
    const fn once(now: Timestamp) -> Self {
        Self { first: now, last: now, uses: 1 }
    }

    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.uses += other.uses;
    }
}

/// Most tokens are used by one caller between two flushes.
#[derive(Debug, Clone)]
pub(super) enum Counts {
    One(Key, Count),
    Several(Vec<(Key, Count)>),
}

impl Counts {
    pub fn new(repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) -> Self {
        Self::One(Key::new(repository, now, address, agent), Count::once(now))
    }

    pub fn add(&mut self, repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) {
        let day = day(now);
        let same = |key: &Key| {
            key.day == day
                && key.repository == repository
                && key.address == address
                && (key.agent == agent || key.agent == user_agent(agent))
        };
        let count = Count::once(now);
        if let Some((_, known)) = self.iter_mut().find(|(key, _)| same(key)) {
            return known.add(count);
        }
        if self.len() < MOST_CALLERS {
            return self.push(Key::new(repository, now, address, agent), count);
        }
        // Whoever changes its user agent with every request, or goes from repository to repository, fills no memory: the
        // uses count for others than those known, at the right repository as long as there is room for it.
        let others = |repository| Key { repository, day, address: OTHERS, agent: SmolStr::default() };
        let room = self.len() < MOST_COUNTS || self.iter().any(|(key, _)| *key == others(repository));
        self.put(others(if room { repository } else { None }), count);
    }

    /// Adds what was counted elsewhere, as far as there is room.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.iter() {
            if self.len() < MOST_COUNTS || self.iter().any(|(known, _)| known == key) {
                self.put(key.clone(), *count);
            }
        }
    }

    fn put(&mut self, key: Key, count: Count) {
        if let Some((_, known)) = self.iter_mut().find(|(known, _)| **known == key) {
            return known.add(count);
        }
        self.push(key, count);
    }

    fn push(&mut self, key: Key, count: Count) {
        match self {
            Self::One(first, of_first) => *self = Self::Several(vec![(first.clone(), *of_first), (key, count)]),
            Self::Several(all) => all.push((key, count)),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Several(all) => all.len(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Count)> {
        let (one, several) = match self {
            Self::One(key, count) => (Some((key, count)), &[][..]),
            Self::Several(all) => (None, &all[..]),
        };
        one.into_iter().chain(several.iter().map(|(key, count)| (key, count)))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Count)> {
        let (one, several) = match self {
            Self::One(key, count) => (Some((&*key, count)), &mut [][..]),
            Self::Several(all) => (None, &mut all[..]),
        };
        one.into_iter().chain(several.iter_mut().map(|(key, count)| (&*key, count)))
    }

    /// What there is to write.
    pub fn gathered(&self, token: UsedToken) -> impl Iterator<Item = Gathered> {
        self.iter().map(move |(key, count)| {
            let caller = Caller {
                address: if key.address == OTHERS { String::new() } else { key.address.to_string() },
                user_agent: key.agent.to_string(),
                first_used_at: count.first,
                last_used_at: count.last,
                uses: count.uses,
            };
            Gathered { token, repository: key.repository, day: key.day.into(), caller }
        })
    }
}

impl Key {
    fn new(repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) -> Self {
        Self { repository, day: day(now), address, agent: user_agent(agent).into() }
    }
}

fn day(now: Timestamp) -> i32 {
    i32::try_from(now.day_number()).unwrap_or_default()
}
