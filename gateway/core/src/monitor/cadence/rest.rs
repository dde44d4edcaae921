//! Nights and weekends: pauses that come every week.

use super::{
    Beat, CLOCKS_S, Cadence, DAY_S, HOUR_S, MINUTE_S, WEEK_S, allowance_s, is_pause,
    seconds::{minus, plus, seconds, seconds_of, weekday},
};
use crate::{monitor::Watch, time::Timestamp};

/// A gap much longer than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The run before it.
    pub began: Timestamp,
    /// Its length in seconds.
    pub gap_s: u32,
    /// Whether the gateway was listening when the run behind its first and the one before its last were due. If not it may
    /// have been shorter.
    pub is_heard: bool,
}

/// What is known about whether a monitor rests now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It does, until then.
    Until(Timestamp),
    /// It does not, as far as a week before can tell.
    No,
    /// In none of the weeks before anybody was listening.
    Unknown,
}

/// In how many weeks a rest is looked for: in the last one somebody may have been at work.
const WEEKS: u32 = 2;
/// How many weeks back these may be, because the gateway may have been away in some.
const WEEKS_BACK: u32 = 4;
/// How long a young monitor may stay away: from Friday's run to Monday's, and half a day.
const YOUNG_S: u32 = 84 * HOUR_S;
/// How much later than the clocks explain a run may come that ends a rest.
const REST_LATE_MAX_S: u32 = 10 * MINUTE_S;

impl Rest {
    pub(super) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Until(end) => Some(end),
            Self::No | Self::Unknown => None,
        }
    }
}

impl Cadence {
    /// The pauses that are much longer than the usual gap, as it is now.
    pub(super) fn rests(&self, usual_s: u32) -> impl Iterator<Item = &Pause> {
        self.pauses.iter().filter(move |pause| pause.is_heard && is_pause(pause.gap_s, usual_s))
    }

    /// Says which of the first gaps are pauses, as soon as it is known how runs follow each other.
    pub(super) fn judge_first_pauses(&mut self, watch: &Watch) {
        let mut beat = self.beat_about(self.quantile(2));
        // So few gaps say little about how far off runs may be.
        beat.spread_s = beat.spread_s.max((beat.every_s / 8).min(REST_LATE_MAX_S));
        self.pauses.retain_mut(|pause| {
            let heard = beat.hears(pause.began, pause.ended(), watch);
            pause.is_heard = heard == Some(true);
            heard.is_some() && is_pause(pause.gap_s, beat.every_s)
        });
    }

    /// Whether the monitor has not been known for long enough to say when it rests.
    ///
    /// - One that has made pauses, or runs about daily: for two weeks, because the second shows whether it rests as in the
    ///   first; and where the gateway was away at this time in all the last weeks.
    /// - One that runs more often and has made none: for a day; and for a week where its silence begins before or on a
    ///   weekend, Thursday to Saturday by UTC, because that may be its first; or the first that was heard, after an absence of a
    ///   day or longer.
    pub(super) fn is_young(
        &self,
        known_s: u32,
        beat: Beat,
        from: Timestamp,
        last: Timestamp,
        watch: &Watch,
    ) -> bool {
        let has_paused = self.pauses.iter().any(|pause| is_pause(pause.gap_s, beat.every_s));
        if has_paused || beat.every_s >= 12 * HOUR_S {
            known_s < 2 * WEEK_S + DAY_S || self.rest(from, beat, watch) == Rest::Unknown
        } else {
            let may_be_weekend = from > last || (4..=6).contains(&weekday(last));
            let was_weekend_heard = || {
                let then = minus(last, WEEK_S);
                let mut away = watch.between(then, plus(then, DAY_S));
                !away.any(|absence| seconds(absence.from, absence.until) >= DAY_S)
                    || self.rest(from, beat, watch) != Rest::Unknown
            };
            known_s < DAY_S + 2 * HOUR_S
                || may_be_weekend && (known_s < WEEK_S + DAY_S || !was_weekend_heard())
        }
    }

    /// The pause that ended with the run at `at`.
    pub(super) fn pause_until(&self, at: Timestamp) -> Option<&Pause> {
        self.pauses.last().filter(|pause| seconds(pause.ended(), at) == 0 && pause.began < at)
    }

    /// Whether there was such a pause in a week before.
    pub(super) fn is_foreseen(&self, pause: &Pause, beat: Beat) -> bool {
        let end = self.rest(pause.began, beat, &Watch::always()).until();
        end.is_some_and(|end| pause.ended() <= plus(end, after_rest_s(beat.every_s)))
    }

    /// Whether the monitor rests, if the run at `last` is the one before that, or `last` a moment within it.
    ///
    /// What counts are the last two weeks of four in which the gateway listened. A rest lasts as in the later one; or as in
    /// the one before, if it was longer then by more than clocks make of it, because a run by hand makes two of one. A rest
    /// that was not wholly heard counts where nothing better is known. It cannot have lasted for longer than it seemed, so
    /// of two the shorter one counts.
    pub(super) fn rest(&self, last: Timestamp, beat: Beat, watch: &Watch) -> Rest {
        // The clocks may have been set since, forward or back.
        let slack_s = CLOCKS_S + beat.spread_s.min(beat.every_s / 4);
        let (mut heard, mut unheard, mut weeks) = (None, None::<Timestamp>, 0);
        let (mut has_run, mut has_surely_run) = (false, false);
        for later_s in (1..=WEEKS_BACK).map(|weeks| weeks * WEEK_S) {
            // Where it went on since, one that was about to begin does not count.
            let slack_s = if has_run { 0 } else { slack_s };
            let ends = |is_heard| {
                let pauses = self.pauses.iter().filter(move |pause| pause.is_heard == is_heard);
                pauses.filter_map(|pause| pause.again_at(last, later_s, slack_s)).max()
            };
            if let Some(end) = ends(true) {
                heard = heard.filter(|heard| end <= plus(*heard, CLOCKS_S)).or(Some(end));
                weeks += 1;
            } else if let Some(end) = ends(false) {
                unheard = Some(unheard.map_or(end, |other| other.min(end)));
            } else {
                // Or nobody heard that it rested.
                let then = minus(last, later_s);
                let due = plus(then, beat.every_s);
                if self.learning_since.is_some_and(|since| since <= then) && !beat.hides(due, watch) {
                    has_run = true;
                    has_surely_run |= !beat.is_rare() || !beat.with_clocks().hides(due, watch);
                    weeks += 1;
                }
            }
            if weeks == WEEKS {
                break;
            }
        }
        match heard.or(unheard.filter(|_| !has_surely_run)) {
            // The run that ends a rest may come a little earlier this time.
            Some(end) if end > plus(last, beat.every_s) => Rest::Until(end),
            None if !has_run => Rest::Unknown,
            _ => Rest::No,
        }
    }
}

/// How much later than a rest should end the run may come that ends it: the clocks may have been set.
pub(super) fn after_rest_s(usual_s: u32) -> u32 {
    CLOCKS_S + (allowance_s(usual_s) / 4).min(REST_LATE_MAX_S)
}

/// Until when a young monitor may stay away; for a day more if the run that ends a weekend may have been missed.
pub(super) fn young_until(from: Timestamp, watch: &Watch) -> Timestamp {
    let until = watch.listened(from, seconds_of(YOUNG_S));
    let was_away = watch.between(minus(until, DAY_S), until).next().is_some();
    if was_away { plus(until, DAY_S) } else { until }
}

impl Pause {
    fn ended(&self) -> Timestamp {
        plus(self.began, self.gap_s)
    }

    /// When it would end `later_s` seconds later, if `last` is then the run before it, or a moment within it or as much as
    /// `slack_s` seconds earlier. A run so near the end is the one that ends it.
    fn again_at(&self, last: Timestamp, later_s: u32, slack_s: u32) -> Option<Timestamp> {
        let (began, ended) = (plus(self.began, later_s), plus(self.ended(), later_s));
        let about = plus(last, slack_s.min(self.gap_s / 2));
        (began <= about && about <= ended).then_some(ended)
    }
}
