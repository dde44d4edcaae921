//! The lanes that have deliveries in the store and none in memory, in a fixed room.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::time::Timestamp;

/// A Bloom filter over lanes: it may take a lane for one of these, and never misses one.
#[derive(Debug)]
pub(super) struct Outside {
    /// Which lanes are mistaken depends on it.
    seed: u64,
    bits: usize,
    /// Empty until there is a lane: nearly no destination ever has one.
    words: Vec<u64>,
    /// When the first of them is due.
    due: Option<Timestamp>,
}

impl Outside {
    pub(super) fn new(bits: usize) -> Self {
        Self { seed: 0, bits, words: Vec::new(), due: None }
    }

    /// An empty one, which mistakes other lanes.
    pub(super) fn next(&self) -> Self {
        Self { seed: self.seed.wrapping_add(1), ..Self::new(self.bits) }
    }

    pub(super) fn insert(&mut self, key: &str, due: Timestamp) {
        if self.words.is_empty() {
            self.words = vec![0; self.bits.div_ceil(64)];
        }
        for (word, bit) in self.places(key) {
            self.words[word] |= bit;
        }
        self.due = Some(self.due.map_or(due, |first| first.min(due)));
    }

    pub(super) fn may_have(&self, key: &str) -> bool {
        !self.words.is_empty() && self.places(key).iter().all(|(word, bit)| self.words[*word] & bit != 0)
    }

    /// When the first of them is due; `None` when there are none.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn places(&self, key: &str) -> [(usize, u64); 2] {
        let mut hasher = DefaultHasher::new();
        (self.seed, key).hash(&mut hasher);
        let hash = hasher.finish();
        [hash, hash >> 32].map(|half| {
            let half = u32::try_from(half & u64::from(u32::MAX)).unwrap_or_default();
            let bit = usize::try_from(half).unwrap_or_default() % self.bits;
            (bit / 64, 1 << (bit % 64))
        })
    }
}
