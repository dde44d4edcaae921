//! When the gateway was away.

use super::{
    plan::{HOUR, MINUTE},
    random::Random,
};

#[derive(Debug, Clone, Copy)]
pub(super) enum World {
    /// A dozen restarts of less than two minutes in a month, three of up to half an hour, and hours once.
    Realistic,
    /// Away every day, and for a weekend now and then.
    Harsh,
}

impl World {
    /// From when until when, in seconds, the first one first.
    pub(super) fn absences(self, random: &mut Random, start: i64, end: i64) -> Vec<(i64, i64)> {
        match self {
            Self::Realistic => realistic(random, start, end),
            Self::Harsh => harsh(random, start, end),
        }
    }
}

fn realistic(random: &mut Random, start: i64, end: i64) -> Vec<(i64, i64)> {
    let lengths = (0..16).map(|number| match number {
        0 => 2 * HOUR + random.below(6 * HOUR),
        1..=3 => 2 * MINUTE + random.below(28 * MINUTE),
        _ => 5 + random.below(115),
    });
    let lengths: Vec<i64> = lengths.collect();
    let mut absences: Vec<(i64, i64)> = Vec::new();
    for length in lengths {
        let from = start + random.below(end - start);
        absences.push((from, from + length));
    }
    absences.sort_unstable();
    absences.dedup_by(|later, before| {
        let is_one = later.0 <= before.1;
        before.1 = if is_one { before.1.max(later.1) } else { before.1 };
        is_one
    });
    absences
}

fn harsh(random: &mut Random, start: i64, end: i64) -> Vec<(i64, i64)> {
    let mut absences = Vec::new();
    let mut at = start + 5 * HOUR;
    while at < end {
        // Restarts of seconds, now and then minutes, hours, once a weekend.
        let length = match absences.len() % 9 {
            3 => 20 * MINUTE,
            5 => 5 * HOUR,
            7 => 50 * HOUR,
            _ => 5 + random.below(40),
        };
        absences.push((at, at + length));
        at += length + 6 * HOUR + random.below(40 * HOUR);
    }
    absences
}
