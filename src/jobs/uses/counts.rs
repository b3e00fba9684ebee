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
    One([(Key, Count); 1]),
    Several(Vec<(Key, Count)>),
}

impl Counts {
    pub fn new(repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) -> Self {
        Self::One([(Key::new(repository, now, address, agent), Count::once(now))])
    }

    pub fn add(&mut self, repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) {
        let (day, count) = (day(now), Count::once(now));
        // Mostly the same as before, letter by letter; what is kept of a user agent may be less.
        let same =
            |key: &Key| key.day == day && key.repository == repository && key.address == address && key.agent == agent;
        if let Some((_, known)) = self.all_mut().iter_mut().find(|(key, _)| same(key)) {
            return known.add(count);
        }
        let key = Key::new(repository, now, address, agent);
        if let Some((_, known)) = self.all_mut().iter_mut().find(|(known, _)| *known == key) {
            return known.add(count);
        }
        if self.len() < MOST_CALLERS {
            return self.push(key, count);
        }
        // Whoever changes its user agent with every request, or goes from repository to repository, fills no memory and hides
        // nobody who comes again: of those who came once the first makes room, and counts for others than those known, at the
        // right repository as long as there is room for it.
        let mut left = (key, count);
        let once = self.all_mut().iter_mut().filter(|(key, known)| key.address != OTHERS && known.uses <= count.uses);
        if let Some(quietest) = once.min_by_key(|(_, known)| known.last) {
            std::mem::swap(quietest, &mut left);
        }
        let (Key { repository, day, .. }, count) = left;
        let others = |repository| Key { repository, day, address: OTHERS, agent: SmolStr::default() };
        let room = self.len() < MOST_COUNTS || self.all().iter().any(|(key, _)| *key == others(repository));
        self.put(others(if room { repository } else { None }), count);
    }

    /// Adds what was counted elsewhere, as far as there is room.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.all() {
            if self.len() < MOST_COUNTS || self.all().iter().any(|(known, _)| known == key) {
                self.put(key.clone(), *count);
            }
        }
    }

    fn put(&mut self, key: Key, count: Count) {
        if let Some((_, known)) = self.all_mut().iter_mut().find(|(known, _)| *known == key) {
            return known.add(count);
        }
        self.push(key, count);
    }

    fn push(&mut self, key: Key, count: Count) {
        match self {
            Self::One([first]) => *self = Self::Several(vec![first.clone(), (key, count)]),
            Self::Several(all) => all.push((key, count)),
        }
    }

    pub const fn len(&self) -> usize {
        self.all().len()
    }

    pub const fn all(&self) -> &[(Key, Count)] {
        match self {
            Self::One(one) => one.as_slice(),
            Self::Several(all) => all.as_slice(),
        }
    }

    fn all_mut(&mut self) -> &mut [(Key, Count)] {
        match self {
            Self::One(one) => one,
            Self::Several(all) => all,
        }
    }

    /// What there is to write.
    pub fn gathered(&self, token: UsedToken) -> impl Iterator<Item = Gathered> {
        self.all().iter().map(move |(key, count)| {
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
