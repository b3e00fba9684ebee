//! A bounded table of counters in memory. It is split into shards, because growing and making room take long in a large
//! map, and checks of tokens run on the same threads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, Hash, RandomState};

use crate::domain::timestamp::Timestamp;

const MAX_COUNTERS: usize = 100_000;
const SHARDS: usize = 128;
const MAX_COUNTERS_PER_SHARD: usize = MAX_COUNTERS / SHARDS;

/// Tells which counters go first when there is no room: those with the smallest time.
pub trait Age {
    fn time(&self) -> Timestamp;
}

/// At most 100,000 counters. Not synchronised: the owner locks it.
#[derive(Debug)]
pub struct Counters<K, V> {
    shards: Vec<HashMap<K, V>>,
    hasher: RandomState,
}

impl<K, V> Default for Counters<K, V> {
    fn default() -> Self {
        let shards = std::iter::repeat_with(HashMap::new).take(SHARDS).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq, V: Age> Counters<K, V> {
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.shard(key).get_mut(key)
    }

    pub fn remove(&mut self, key: &K) {
        self.shard(key).remove(key);
    }

    /// The place of a counter. Where its shard is full, the oldest quarter of the shard is dropped first.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let shard = self.shard(&key);
        if shard.len() >= MAX_COUNTERS_PER_SHARD {
            drop_oldest_quarter(shard);
        }
        shard.entry(key)
    }

    fn shard(&mut self, key: &K) -> &mut HashMap<K, V> {
        let shard = self.hasher.hash_one(key) % SHARDS as u64;
        &mut self.shards[shard as usize]
    }
}

fn drop_oldest_quarter<K, V: Age>(counters: &mut HashMap<K, V>) {
    let mut times: Vec<Timestamp> = counters.values().map(Age::time).collect();
    let quarter = times.len() / 4;
    let (_, oldest, _) = times.select_nth_unstable(quarter);
    let oldest = *oldest;
    let mut surplus = counters.len() / 4;
    counters.retain(|_, counter| {
        let goes = surplus > 0 && counter.time() <= oldest;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

    impl Age for Timestamp {
        fn time(&self) -> Timestamp {
            *self
        }
    }

    #[test]
    fn number_of_counters_is_bounded_and_the_oldest_go_first() {
        let mut counters = Counters::default();
        for number in 0..MAX_COUNTERS * 2 {
            let time = NOW.plus(i64::try_from(number).unwrap() / 1_000);
            counters.entry(number).or_insert(time);
        }
        assert!(counters.shards.iter().map(HashMap::len).sum::<usize>() <= MAX_COUNTERS);
        assert!(counters.get_mut(&0).is_none() && counters.get_mut(&(MAX_COUNTERS * 2 - 1)).is_some());
    }
}
