//! When the runs of a monitor come, and when their absence means something.
//!
//! Postman tells nobody its schedules, so they are learned from the gaps between runs. The *usual* gap is one that three
//! quarters of the recent ones do not exceed: some runs come in bursts, from several regions or by hand. A gap much longer
//! than that is a *pause*. Nights and weekends are pauses that come every week, so one is expected when there was one at the
//! same time in a week before, and it lasts as long as it did then. A run that has not come by then, and an allowance later,
//! is missing, and its monitor silent; unless the gateway was away when it was due. Then it may have been missed, and what
//! counts is the next one.
//!
//! What a monitor has not shown yet is not held against it: see [`Cadence::is_young`]. A monitor without a rhythm, such as
//! one that is started by deployments, is silent after three times the longest that it ever stayed away.

mod beat;
mod rest;
mod seconds;

use std::time::Duration;

pub use self::rest::Pause;
use self::{
    beat::{Beat, GAPS_MIN},
    rest::{after_rest_s, young_until},
    seconds::{minus, plus, seconds, seconds_of},
};
use super::{Absence, PolicyHint, Silence, Watch};
use crate::time::Timestamp;

/// What is known about when runs come. Bounded, however many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cadence {
    /// Seconds between one run and the next, the last [`Cadence::GAPS_MAX`] of them, the oldest first.
    pub gaps_s: Vec<u32>,
    /// Gaps much longer than usual: nights, weekends, outages. The last [`Cadence::PAUSES_MAX`], the oldest first.
    pub pauses: Vec<Pause>,
    /// Since when gaps have been learned.
    pub learning_since: Option<Timestamp>,
    /// The last run, if the monitor is silent.
    pub silent_since: Option<Timestamp>,
    /// Whether that silence was told; one while the monitor was muted is told when that ends.
    pub silence_announced: bool,
}

/// When a run was to be expected, and until when it may stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline {
    /// The run before: the last one, or a later one that may have come while the gateway was away.
    from: Timestamp,
    pub(super) expected: Timestamp,
    pub(super) at: Timestamp,
}

const MINUTE_S: u32 = 60;
const HOUR_S: u32 = 60 * MINUTE_S;
const DAY_S: u32 = 24 * HOUR_S;
const WEEK_S: u32 = 7 * DAY_S;

/// Gaps up to which the usual one may be far off.
const GAPS_FIRST: usize = 12;
/// Clocks that are set make a gap an hour longer or shorter; and five minutes for the gateway of the sender.
const CLOCKS_S: u32 = 65 * MINUTE_S;
/// The allowance of long gaps: the hour of the clocks, and another.
const ALLOWANCE_MAX_S: u32 = 2 * HOUR_S;
/// An absence of less than this part of a gap of which nothing else is known hides no run, as far as anybody can tell.
const SHORT_PART: u32 = 50;

impl Cadence {
    /// Gaps that are kept.
    pub const GAPS_MAX: usize = 32;
    /// Pauses that are kept.
    pub const PAUSES_MAX: usize = 32;

    /// Learns that a run came at `at`, and the one before at `last`.
    pub(super) fn learn(&mut self, last: Timestamp, at: Timestamp, watch: &Watch) {
        let gap_s = seconds(last, at);
        if gap_s == 0 {
            return;
        }
        // A clock that was set back must not make the monitor younger than it is.
        self.learning_since = Some(self.learning_since.map_or(last, |since| since.min(last)));
        let mut away = watch.between(last, at).peekable();
        let is_deaf = away.peek().is_some();
        let (Some(usual_s), Some(beat)) = (self.usual(), self.beat(0)) else {
            let pause = Pause { began: last, gap_s, is_heard: !is_deaf };
            push(&mut self.pauses, pause, Self::PAUSES_MAX);
            // Here nothing tells yet whether it seems so long only because nobody listened.
            if !away.any(|absence| !is_short(*absence, seconds_of(gap_s))) {
                push(&mut self.gaps_s, gap_s, Self::GAPS_MAX);
            }
            if self.gaps_s.len() >= GAPS_MIN {
                self.judge_first_pauses(watch);
            }
            return;
        };
        let middle_s = self.quantile(2);
        let is_usual = !is_pause(gap_s, if is_deaf { middle_s } else { usual_s });
        let heard = beat.hears(last, at, watch);
        let is_heard = heard == Some(true);
        // What is usual may be too much at first; the middle may be too little where runs come in bursts.
        let is_first = self.gaps_s.len() < GAPS_FIRST;
        let is_rest = is_pause(gap_s, middle_s)
            && heard.is_some()
            && (is_first || gap_s > usual_s.saturating_add(usual_s / 5));
        if is_usual {
            push(&mut self.gaps_s, gap_s, Self::GAPS_MAX);
        } else if is_rest
            && is_heard
            && let Some(before) = self.pause_until(last).copied()
        {
            // One pause after another is a new rhythm.
            push(&mut self.gaps_s, before.gap_s, Self::GAPS_MAX);
            push(&mut self.gaps_s, gap_s, Self::GAPS_MAX);
        }
        if is_rest {
            push(&mut self.pauses, Pause { began: last, gap_s, is_heard }, Self::PAUSES_MAX);
        }
        // Pauses that came before it was known what is usual must not become that.
        let middle_s = self.quantile(2);
        let (alike, _) = self.alike(middle_s);
        let no_pauses = self.gaps_s.iter().filter(|gap_s| !is_pause(**gap_s, middle_s)).count();
        let has_bursts = middle_s < usual_s / 4;
        if is_first && !has_bursts && alike >= GAPS_MIN && alike == no_pauses {
            self.gaps_s.retain(|gap_s| !is_pause(*gap_s, middle_s));
        }
    }

    /// Until when the run after the one at `last` may stay away; `None` where nothing can be said.
    pub(super) fn deadline(
        &self,
        last: Timestamp,
        silence: Silence,
        hint: PolicyHint,
        watch: &Watch,
    ) -> Option<Deadline> {
        match silence {
            Silence::Never => None,
            Silence::Learned if hint == PolicyHint::FailuresThenSuccess => None,
            Silence::Learned => self.learned(last, watch),
            Silence::After(limit) => {
                let at = self.learned(last, watch).map_or_else(
                    || patient(last, limit, watch),
                    |Deadline { from, .. }| watch.listened(from, limit),
                );
                Some(Deadline { from: last, expected: at, at })
            }
        }
    }

    /// The deadline that follows from the gaps behind the run at `last`.
    fn learned(&self, last: Timestamp, watch: &Watch) -> Option<Deadline> {
        let known_s = self.learning_since.map_or(0, |since| seconds(since, last));
        let beat = self.beat(known_s)?;
        let Deadline { from, expected, mut at } = if self.has_rhythm(beat, last) {
            self.next_heard(last, beat, watch)
        } else {
            // A run that was missed makes of two gaps one, and that is not three times the longest.
            let longest_s = self.longest();
            let at = watch.listened(last, seconds_of(longest_s.saturating_mul(3)));
            Deadline { from: last, expected: plus(last, longest_s), at }
        };
        if self.is_young(known_s, beat, from, last, watch) {
            at = at.max(young_until(from, watch));
        }
        // After a pause that nothing announced the next run may take as long, until one comes as usual.
        let pause = self.pause_until(last).filter(|pause| pause.is_heard);
        if let Some(pause) = pause.filter(|pause| !self.is_foreseen(pause, beat)) {
            let granted_s = pause.gap_s.saturating_add(allowance_s(pause.gap_s));
            at = at.max(watch.listened(from, seconds_of(granted_s)));
        }
        Some(Deadline { from, expected, at })
    }

    /// When the first run behind the one at `last` was due that the gateway could hear, and until when it may be late.
    /// What it may be late is time in which the gateway listens.
    fn next_heard(&self, last: Timestamp, beat: Beat, watch: &Watch) -> Deadline {
        let (mut from, mut beats, mut is_lost) = (last, 0_u32, false);
        loop {
            let beat_now = beat.after(beats);
            let rest = self.rest(from, beat_now, watch).until();
            let (expected, allowance_s) = match rest {
                Some(end) => (end, after_rest_s(beat.every_s)),
                None => (plus(from, beat.every_s), allowance_s(beat.every_s)),
            };
            let is_clock = rest.is_some() || beat.is_rare();
            let off_s = if is_clock { beat_now.with_clocks().spread_s } else { beat_now.spread_s };
            let late = plus(expected, off_s);
            let early = if is_lost && rest.is_none() { from } else { minus(expected, off_s).max(from) };
            let Some(absence) = watch.between(early, late).last() else {
                let at = watch.listened(late, seconds_of(allowance_s.saturating_sub(off_s)));
                return Deadline { from, expected, at };
            };
            beats = beats.saturating_add(1);
            is_lost |= beat.after(beats).spread_s > beat.every_s / 4;
            // The end of a rest says little about when the runs behind it are due.
            let is_end = rest.is_some() && !beat.is_rare();
            is_lost |= is_end;
            // Where nothing tells any more when the next one is due, it is an interval after the gateway was back; and behind
            // a rest not before its end at the latest.
            from = match is_lost {
                true if is_end => absence.until.max(minus(late, beat.every_s)),
                true => absence.until.max(from),
                false => expected,
            };
        }
    }

    fn longest(&self) -> u32 {
        let pauses = self.pauses.iter().filter(|pause| pause.is_heard).map(|pause| pause.gap_s);
        self.gaps_s.iter().copied().chain(pauses).max().unwrap_or(u32::MAX)
    }

    /// Whether the gaps are of a few lengths, and pauses come every week.
    fn has_rhythm(&self, beat: Beat, last: Timestamp) -> bool {
        let usual_s = beat.every_s;
        if !self.is_even(usual_s) {
            return false;
        }
        let second_week = self.learning_since.map(|since| plus(since, WEEK_S));
        let mut later = self.rests(usual_s).filter(|pause| Some(pause.began) >= second_week).peekable();
        let Some(first) = later.peek().map(|pause| pause.began) else { return true };
        let surprises = later.filter(|pause| !self.is_foreseen(pause, beat)).count();
        let runs = seconds(first, last) / usual_s.max(1);
        // Outages are few; what has no rhythm surprises with one run in ten.
        surprises < 3 || surprises * 20 < runs as usize
    }

    /// Whether half of the gaps are alike.
    fn is_even(&self, usual_s: u32) -> bool {
        let (alike, gaps) = self.alike(usual_s);
        alike * 2 >= gaps
    }

    /// Whether nearly all gaps are alike and pauses are few, as far as is known.
    pub(super) fn is_steady(&self) -> bool {
        self.usual().is_none_or(|usual_s| {
            let (alike, gaps) = self.alike(usual_s);
            alike * 5 >= gaps * 4 && self.rests(usual_s).count() * 5 <= self.gaps_s.len()
        })
    }
}

/// Until when a run may stay away of which only `limit` is known: so long after the last one, or after the gateway was
/// back from an absence that may have hidden one. Short ones are only added: else one after another would put it off for
/// ever.
fn patient(last: Timestamp, limit: Duration, watch: &Watch) -> Timestamp {
    let long =
        watch.between(last, Timestamp::from_unix_ms(i64::MAX)).filter(|absence| !is_short(**absence, limit));
    let mut from = last;
    for absence in long {
        if absence.from < watch.listened(from, limit) {
            from = absence.until;
        }
    }
    watch.listened(from, limit)
}

/// Whether an absence is so short that it hardly hides one of two runs that are so far apart.
fn is_short(absence: Absence, gap: Duration) -> bool {
    absence.from.until(absence.until).saturating_mul(SHORT_PART) < gap
}

fn is_pause(gap_s: u32, usual_s: u32) -> bool {
    gap_s > usual_s.saturating_add(usual_s / 2)
}

/// How much later than usual a run may come: two thirds of the usual gap, which leaves time to tell of it before the next
/// one, and is more than the hour of the clocks where every second hour is usual.
fn allowance_s(usual_s: u32) -> u32 {
    (usual_s / 3).saturating_mul(2).min(ALLOWANCE_MAX_S)
}

fn push<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() >= most {
        list.drain(..=list.len() - most);
    }
    list.push(item);
}
