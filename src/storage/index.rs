//! What checks found in SQLite, kept in memory and exact to the very next check: it holds only as long as nothing was
//! committed since. One process owns the file, so every commit passes by here.
//!
//! A number counts the commits. It is odd from before a commit until after it; a check that finds it odd asks the database.
//! What is kept bears the even number under which it was asked for, and is good while that number stands. So a check that
//! begins after a change was answered, or after another check saw the change, sees it too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::known::{Answer, Question};

/// What is kept at most: some 35 MB with short names.
const MOST: usize = 1 << 17;
/// Parts with a lock of their own.
const SHARDS: usize = 1 << 6;
/// Slots among which an answer may lie, the newest first.
const WAYS: usize = 1 << 4;
const SETS: usize = MOST / SHARDS / WAYS;

#[derive(Debug)]
pub(super) struct Index {
    commits: AtomicU64,
    /// Each has no slots until something is kept in it.
    shards: Box<[Mutex<Vec<Slot>>]>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    /// The beginning of the digest: most slots are passed over without a look at what they hold.
    tag: u64,
    answer: Option<Answer>,
}

/// The number under which a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(u64);

/// As long as it lives, every check asks the database.
#[must_use]
pub(super) struct Change<'a>(&'a Index);

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.commits.fetch_add(1, Ordering::SeqCst);
    }
}

impl Default for Index {
    fn default() -> Self {
        Self { commits: AtomicU64::new(0), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Index {
    /// To be called by the one writer before it commits, and dropped after.
    pub(super) fn change(&self) -> Change<'_> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        Change(self)
    }

    /// The present moment; `None` while a change is being committed.
    pub(super) fn moment(&self) -> Option<Moment> {
        let commits = self.commits.load(Ordering::SeqCst);
        commits.is_multiple_of(2).then_some(Moment(commits))
    }

    /// What was found, if it still holds at `moment`.
    pub(super) fn get(&self, question: &Question, moment: Moment) -> Option<Answer> {
        let place = Place::of(question);
        let slots = self.lock(place);
        let set = slots.get(place.slots())?;
        let good = |answer: &&Answer| answer.moment() == Some(moment) && answer.question() == question;
        let mut of_tag = set.iter().filter(|slot| slot.tag == place.tag).filter_map(|slot| slot.answer.as_ref());
        of_tag.find(good).cloned()
    }

    /// Keeps an answer, in the place of one that holds no longer, or of the oldest.
    pub(super) fn put(&self, answer: Answer) {
        let place = Place::of(answer.question());
        let mut slots = self.lock(place);
        if slots.is_empty() {
            slots.resize(SETS * WAYS, Slot::default());
        }
        let Some(set) = slots.get_mut(place.slots()) else { return };
        let of_question = |slot: &Slot| slot.answer.as_ref().is_some_and(|known| known.question() == answer.question());
        let ended = |slot: &Slot| slot.answer.as_ref().is_none_or(|known| known.moment() != answer.moment());
        let leaving = set.iter().position(of_question).or_else(|| set.iter().position(ended)).unwrap_or(WAYS - 1);
        if let Some(until) = set.get_mut(..=leaving) {
            until.rotate_right(1);
            until[0] = Slot { tag: place.tag, answer: Some(answer) };
        }
    }

    fn lock(&self, place: Place) -> MutexGuard<'_, Vec<Slot>> {
        self.shards[place.shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the answer to a question may lie. Digests are evenly spread by nature.
#[derive(Clone, Copy)]
struct Place {
    shard: usize,
    set: usize,
    tag: u64,
}

impl Place {
    fn of(question: &Question) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = question.digest.as_bytes();
        let name = question.at.as_ref().map_or(0, |name| crc32fast::hash(name.as_str().as_bytes()));
        let tag = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) ^ u64::from(name);
        let spread = usize::from(rest[0]) | usize::from(rest[1]) << 8 | usize::from(rest[2]) << 16;
        let spread = spread ^ name as usize;
        Self { shard: spread % SHARDS, set: spread / SHARDS % SETS, tag }
    }

    const fn slots(self) -> std::ops::Range<usize> {
        self.set * WAYS..(self.set + 1) * WAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::repository::RepositoryName;
    use crate::domain::secret::{Digest, SecretKind};
    use crate::domain::service::{KnownService, ServiceName};
    use crate::domain::timestamp::Timestamp;
    use crate::storage::known::Known;

    fn question(number: usize) -> Question {
        Question { kind: SecretKind::ServiceToken, digest: Digest::of(&number.to_string()), at: None }
    }

    fn put(index: &Index, question: Question, moment: Moment, name: &str) {
        let known = Known::Service(KnownService {
            id: "1".parse().unwrap(),
            name: ServiceName::parse(name).unwrap(),
            token_created_at: Timestamp::from_unix(0),
        });
        index.put(Answer::new(question, Some(moment), known));
    }

    fn name(index: &Index, question: &Question) -> Option<String> {
        match &*index.get(question, index.moment()?)? {
            Known::Service(service) => Some(service.name.to_string()),
            _ => None,
        }
    }

    #[test]
    fn what_was_found_holds_until_a_change_is_committed() {
        let index = Index::default();
        let moment = index.moment().unwrap();
        put(&index, question(1), moment, "one");
        assert_eq!(name(&index, &question(1)).as_deref(), Some("one"));
        assert_eq!(name(&index, &question(2)), None);
        let change = index.change();
        assert_eq!(index.moment(), None, "every check asks the database meanwhile");
        drop(change);
        assert_eq!(name(&index, &question(1)), None);
    }

    #[test]
    fn what_was_asked_for_before_a_change_is_not_good_after_it() {
        let index = Index::default();
        let before = index.moment().unwrap();
        drop(index.change());
        put(&index, question(1), before, "old");
        assert_eq!(name(&index, &question(1)), None);
        put(&index, question(1), index.moment().unwrap(), "new");
        assert_eq!(name(&index, &question(1)).as_deref(), Some("new"));
    }

    #[test]
    fn a_token_is_known_apart_at_each_repository() {
        let index = Index::default();
        let moment = index.moment().unwrap();
        let at = |name: &str| Question { at: RepositoryName::parse(name).ok(), ..question(1) };
        put(&index, at("payments"), moment, "payments");
        put(&index, at("web"), moment, "web");
        assert_eq!(name(&index, &at("payments")).as_deref(), Some("payments"));
        assert_eq!(name(&index, &at("web")).as_deref(), Some("web"));
        assert_eq!(name(&index, &question(1)), None);
    }

    #[test]
    fn the_memory_is_bounded_and_nearly_all_of_it_is_used() {
        let index = Index::default();
        let moment = index.moment().unwrap();
        (0..100_000).for_each(|number| put(&index, question(number), moment, "one"));
        let kept = (0..100_000).filter(|&number| index.get(&question(number), moment).is_some()).count();
        assert!(kept > 97_000, "{kept}");
        (100_000..300_000).for_each(|number| put(&index, question(number), moment, "one"));
        let newest = (250_000..300_000).filter(|&number| index.get(&question(number), moment).is_some()).count();
        assert!(newest > 48_500, "the oldest make room: {newest}");
        let held: usize = index.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert_eq!(held, MOST);
    }
}
