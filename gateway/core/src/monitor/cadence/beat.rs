//! How runs follow each other while there is no pause.

use super::{
    Cadence, DAY_S, HOUR_S, MINUTE_S, WEEK_S, is_pause,
    seconds::{minus, plus, seconds},
};
use crate::{monitor::Watch, time::Timestamp};

/// How runs follow each other while there is no pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beat {
    pub(super) every_s: u32,
    /// How much earlier or later than that they come.
    pub(super) spread_s: u32,
}

/// Gaps that say what is usual.
pub(super) const GAPS_MIN: usize = 5;
/// What a run may take to arrive: a sixtieth of its gap, between these.
const SENDER_MIN_S: u32 = 5;
const SENDER_MAX_S: u32 = 5 * MINUTE_S;
/// Over so many beats the moment at which the next one is due becomes as uncertain again as over one.
const BEATS_SURE: u32 = 16;

/// How many runs that did not come are looked for; those behind them are uncertain anyway.
const BEATS_HEARD_MAX: u32 = 256;

impl Cadence {
    /// How runs follow each other; `None` before there are enough.
    pub(super) fn beat(&self, known_s: u32) -> Option<Beat> {
        let Some(usual_s) = self.usual() else {
            let every_s = self.usual_of_few(known_s)?;
            let shortest_s = self.gaps_s.iter().copied().min().unwrap_or(every_s);
            return Some(Beat { every_s, spread_s: every_s - shortest_s + sender_s(every_s) });
        };
        Some(self.beat_about(usual_s))
    }

    /// How runs follow each other if about so long after each other.
    pub(super) fn beat_about(&self, usual_s: u32) -> Beat {
        let alike = || self.gaps_s.iter().copied().filter(|gap_s| gap_s.abs_diff(usual_s) <= usual_s / 4);
        let (count, gaps) = (alike().count(), self.gaps_s.iter().filter(|gap_s| !is_pause(**gap_s, usual_s)));
        if count * 10 < gaps.count() * 9 {
            let every_s = self.longest_usual(usual_s);
            return Beat { every_s, spread_s: every_s / 3 };
        }
        // Runs that are a little late or early now and then are on time on average.
        let sum: u64 = alike().map(u64::from).sum();
        let every_s = u32::try_from(sum / count.max(1) as u64).unwrap_or(u32::MAX);
        let off = |gap_s: u32| {
            let off_s = gap_s.abs_diff(every_s);
            // What clocks have done once, by an hour or half of one, says nothing about the next run.
            let clocks_s = if every_s >= 2 * HOUR_S { [0, HOUR_S / 2, HOUR_S] } else { [0; 3] };
            clocks_s.map(|set_s| off_s.abs_diff(set_s)).into_iter().min().unwrap_or(off_s)
        };
        let off_s = alike().map(off).max().unwrap_or_default();
        // Few gaps are as far off as the farthest, so twice what is known is enough; and something for whoever sends it.
        let spread_s = off_s.saturating_mul(2).saturating_add(sender_s(every_s));
        Beat { every_s, spread_s }
    }

    /// The usual gap in seconds; `None` before there are enough.
    pub(super) fn usual(&self) -> Option<u32> {
        (self.gaps_s.len() >= GAPS_MIN).then(|| self.quantile(3))
    }

    /// The gap that so many quarters of the gaps do not exceed.
    pub(super) fn quantile(&self, quarters: usize) -> u32 {
        let mut gaps = self.gaps_s.clone();
        gaps.sort_unstable();
        gaps.get(gaps.len() * quarters / 4).copied().unwrap_or_default()
    }

    /// Two gaps alike are enough where they take weeks.
    fn usual_of_few(&self, known_s: u32) -> Option<u32> {
        let (shortest_s, longest_s) = (*self.gaps_s.iter().min()?, self.longest());
        let is_enough =
            self.gaps_s.len() >= 2 && known_s >= 2 * WEEK_S - DAY_S && !is_pause(longest_s, shortest_s);
        is_enough.then_some(longest_s)
    }

    /// The longest gap that is no pause, jitter included.
    pub(super) fn longest_usual(&self, usual_s: u32) -> u32 {
        let gaps = self.gaps_s.iter().copied().filter(|gap_s| !is_pause(*gap_s, usual_s));
        gaps.max().unwrap_or(usual_s)
    }

    /// How many gaps are about the usual one, and of how many. Short ones, within a burst, say nothing.
    pub(super) fn alike(&self, usual_s: u32) -> (usize, usize) {
        let gaps = self.gaps_s.iter().filter(|gap_s| **gap_s > usual_s / 4);
        let alike = gaps.clone().filter(|gap_s| gap_s.abs_diff(usual_s) <= usual_s / 4);
        (alike.count(), gaps.count())
    }
}

impl Beat {
    /// The same when so many were not heard.
    pub(super) fn after(self, beats: u32) -> Self {
        let more_s = u64::from(self.spread_s) * u64::from(beats) / u64::from(BEATS_SURE);
        Self { spread_s: self.spread_s.saturating_add(u32::try_from(more_s).unwrap_or(u32::MAX)), ..self }
    }

    /// The same where clocks may have been set: that moves runs hours apart, and the end of a rest.
    pub(super) fn with_clocks(self) -> Self {
        Self { spread_s: self.spread_s.saturating_add(HOUR_S), ..self }
    }

    /// Whether the runs are so far apart that setting the clocks counts.
    pub(super) fn is_rare(self) -> bool {
        self.every_s >= 2 * HOUR_S
    }

    /// Whether the gateway heard that no run came between one at `began` and one at `ended`: wholly, or in part; `None` if
    /// they may be so far apart only because nobody listened.
    pub(super) fn hears(self, began: Timestamp, ended: Timestamp, watch: &Watch) -> Option<bool> {
        let is_begin_heard = !self.hides(plus(began, self.every_s), watch);
        let is_end_heard = !self.hides(minus(ended, self.every_s), watch);
        let beats = seconds(began, ended).saturating_sub(self.every_s / 2) / self.every_s.max(1);
        let is_heard = |beat: u32| {
            let due = plus(began, self.every_s.saturating_mul(beat));
            !self.after(beat).hides(due, watch)
        };
        let is_rest = is_begin_heard || is_end_heard || (2..=beats.min(BEATS_HEARD_MAX)).any(is_heard);
        is_rest.then_some(is_begin_heard && is_end_heard)
    }

    /// Whether the gateway may have missed a run that was due at `at`.
    pub(super) fn hides(self, at: Timestamp, watch: &Watch) -> bool {
        watch.between(minus(at, self.spread_s), plus(at, self.spread_s)).next().is_some()
    }
}

/// What a run may take to arrive.
fn sender_s(every_s: u32) -> u32 {
    (every_s / 60).clamp(SENDER_MIN_S, SENDER_MAX_S)
}
