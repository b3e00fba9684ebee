//! The uses of one token: by repository, day, address and user agent. Kept small, since there may be 100,000 of them.

use std::net::{IpAddr, Ipv4Addr};

use smol_str::SmolStr;

use crate::domain::caller::{Caller, MOST_CALLERS, UsedToken, user_agent};
use crate::domain::id::RepositoryId;
use crate::domain::timestamp::Timestamp;
use crate::storage::callers::Gathered;

/// Memory of one token in the map, with the room that a map leaves free.
pub(super) const TOKEN_BYTES: usize = size_of::<(UsedToken, Counts)>() * 8 / 5;
/// Memory of one client of a token beyond the first, with the room that a list leaves free.
const CLIENT_BYTES: usize = size_of::<(Key, Count)>() * 3 / 2;
/// What an allocation takes beside its content.
const ALLOCATION_BYTES: usize = 32;
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
    /// Of the uses, those that wrote.
    pub writes: i64,
}

impl Count {
    pub fn once(now: Timestamp, writes: bool) -> Self {
        Self { first: now, last: now, uses: 1, writes: i64::from(writes) }
    }

    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.uses += other.uses;
        self.writes += other.writes;
    }
}

/// Most tokens are used by one caller between two flushes.
#[derive(Debug, Clone)]
pub(super) enum Counts {
    One([(Key, Count); 1]),
    Several(Vec<(Key, Count)>),
}

/// What there is memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// New clients are kept by address and user agent.
    Clients,
    /// Uses of new clients count for other clients of the same token and repository.
    Repositories,
    /// Uses of new clients count for other clients of the same token.
    Tokens,
}

impl Counts {
    pub fn new(repository: Option<RepositoryId>, once: Count, address: IpAddr, agent: &str, room: Room) -> Self {
        let now = once.first;
        let key = match room {
            Room::Clients => Key::new(repository, now, address, agent),
            Room::Repositories => Key::others(repository, day(now)),
            Room::Tokens => Key::others(None, day(now)),
        };
        Self::One([(key, once)])
    }

    /// An estimate of the memory that this takes in a map.
    pub fn bytes(&self) -> usize {
        let allocated: usize = self.all().iter().map(|(key, _)| key.allocated_bytes()).sum();
        let clients = if let Self::Several(all) = self { all.len() * CLIENT_BYTES + ALLOCATION_BYTES } else { 0 };
        TOKEN_BYTES + clients + allocated
    }

    /// Counts one use if its client is known, and says whether it is.
    pub fn add_to_known(
        &mut self,
        repository: Option<RepositoryId>,
        once: Count,
        address: IpAddr,
        agent: &str,
    ) -> bool {
        // Mostly the same as before, letter by letter; what is kept of a user agent may be less.
        let day = day(once.first);
        let same =
            |key: &Key| key.day == day && key.repository == repository && key.address == address && key.agent == agent;
        let known = self.all_mut().iter_mut().find(|(key, _)| same(key));
        if let Some((_, known)) = known {
            known.add(once);
            return true;
        }
        false
    }

    /// Counts one use.
    pub fn add(&mut self, repository: Option<RepositoryId>, count: Count, address: IpAddr, agent: &str, room: Room) {
        let day = day(count.first);
        let key = Key::new(repository, count.first, address, agent);
        if let Some((_, known)) = self.all_mut().iter_mut().find(|(known, _)| *known == key) {
            return known.add(count);
        }
        if room != Room::Clients {
            return self.add_to_others(repository, day, count, room);
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
        self.add_to_others(repository, day, count, room);
    }

    fn add_to_others(&mut self, repository: Option<RepositoryId>, day: i32, count: Count, room: Room) {
        let others = Key::others(repository, day);
        let fits = room != Room::Tokens && self.len() < MOST_COUNTS;
        let known = fits || self.all().iter().any(|(key, _)| *key == others);
        self.put(if known { others } else { Key::others(None, day) }, count);
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
                writes: count.writes,
            };
            Gathered { token, repository: key.repository, day: key.day.into(), caller }
        })
    }
}

impl Key {
    const fn others(repository: Option<RepositoryId>, day: i32) -> Self {
        Self { repository, day, address: OTHERS, agent: SmolStr::new_static("") }
    }

    fn allocated_bytes(&self) -> usize {
        if self.agent.is_heap_allocated() { self.agent.len() + ALLOCATION_BYTES } else { 0 }
    }

    fn new(repository: Option<RepositoryId>, now: Timestamp, address: IpAddr, agent: &str) -> Self {
        Self { repository, day: day(now), address, agent: user_agent(agent).into() }
    }
}

fn day(now: Timestamp) -> i32 {
    i32::try_from(now.day_number()).unwrap_or_default()
}
