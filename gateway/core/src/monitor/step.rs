//! One step of a monitor: what happened goes in, what is worth telling comes out.

use std::time::Duration;

use super::{Monitor, OpenIncident, Policy, Run, RunRef, Silence, Watch, cadence::Deadline};
use crate::{id::IncidentId, time::Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A run came in.
    Run(&'a Run),
    /// Time went by.
    Tick,
}

/// What came of it.
///
/// An incident that is not [`OpenIncident::announced`] belongs into the history and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An incident opened; or one that opened while its monitor was muted is told now, under the same id.
    Opened(OpenIncident),
    /// It is still open.
    Reminder(OpenIncident),
    /// It resolved.
    Resolved {
        /// As it was.
        incident: OpenIncident,
        /// When.
        at: Timestamp,
        /// What resolved it.
        by: ResolvedBy,
    },
    /// Runs stay away.
    Silent {
        /// The last run.
        since: Timestamp,
        /// How long after the last run the next was to be expected.
        expected_every: Duration,
    },
    /// Runs come again, or other settings give them more time, or nobody waits for them any more.
    Resumed {
        /// The last run before the silence.
        silent_since: Timestamp,
        /// How long there was none.
        gap: Duration,
    },
}

/// What resolved an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedBy {
    /// A run that passed.
    Run(RunRef),
    /// A person, who says that the monitor is no more.
    Forgotten {
        /// Who.
        by: String,
    },
}

/// A run that is read so long after it came is history: what it opens is told only if it is still open when the gateway
/// has caught up, so that one that follows an old log tells nobody of incidents long past.
const LATE: Duration = Duration::from_secs(60 * 60);
/// A clock that is set back by no more than this takes no silence back.
const CLOCK_STEP: Duration = Duration::from_secs(60);
/// However often somebody wants to be reminded.
const REMIND_EVERY_MIN: Duration = Duration::from_secs(60);

/// Takes what happened into account; gives what came of it, in order.
///
/// `now` is the clock's time, also for a run that came earlier. `new_incident` names the incident if one opens. A monitor
/// that is muted, by hand or by its policy's maintenance, goes through the same states and tells nothing new; but what was
/// told before is taken back also then, so that nobody keeps an incident open for ever.
///
/// What was told alternates for each monitor: opened, resolved, opened …; and silent, resumed, silent ….
pub fn step(
    monitor: &mut Monitor,
    input: Input<'_>,
    now: Timestamp,
    policy: &Policy,
    watch: &Watch,
    new_incident: IncidentId,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let Input::Run(run) = input else {
        monitor.judge_silence(now, policy, watch);
        monitor.tell(now, policy, watch, &mut effects);
        return effects;
    };
    effects.extend(monitor.hear(run, watch));
    monitor.counts.add(run.verdict);
    monitor.last_run = Some(run.clone());
    let is_steady = monitor.cadence.is_steady();
    let is_late = run.at.until(now) > LATE;
    let is_told = !is_late && monitor.muted_until(policy, now).is_none();
    effects.extend(monitor.track.run(run, policy, is_steady, is_told, new_incident));
    if !is_late {
        monitor.tell(now, policy, watch, &mut effects);
    }
    effects
}

impl Monitor {
    /// When [`Input::Tick`] is worth it next, should no run come before; a moment that has passed means at once. After a
    /// tick it lies ahead. Ask again after each step, and when policy or mute change.
    #[must_use]
    pub fn due(&self, policy: &Policy, watch: &Watch, now: Timestamp) -> Option<Timestamp> {
        let silent_at = self.deadline(policy, watch).map(|deadline| deadline.at);
        let silent_at = silent_at.filter(|_| self.cadence.silent_since.is_none());
        // What is muted waits for the end of that.
        let told = self.tell_at(policy, now).map(|at| at.max(self.muted_until(policy, now).unwrap_or(at)));
        [silent_at, told].into_iter().flatten().min().filter(|at| *at < NEVER)
    }

    /// Takes a silence back for which other settings give more time; if it was told, that it is over is to be told too, muted
    /// or not. To be asked when settings may have changed.
    pub fn reconsider_silence(&mut self, policy: &Policy, now: Timestamp) -> Option<Effect> {
        // What the gateway could not hear since then is no reason, nor is a clock that was set back a little.
        let deadline = self.deadline(policy, &Watch::always());
        let has_more_time = policy.silence == Silence::Never
            || deadline.is_some_and(|deadline| deadline.at > now.plus(CLOCK_STEP));
        if has_more_time { self.end_silence(now) } else { None }
    }

    /// Ends what is open of it, because a person says that it is no more. What was told before is to be told to be over, muted
    /// or not.
    pub fn forget(&mut self, by: &str, now: Timestamp) -> Vec<Effect> {
        let incident = self.track.incident.take().map(|incident| {
            let by = ResolvedBy::Forgotten { by: by.to_owned() };
            Effect::Resolved { incident, at: now, by }
        });
        incident.into_iter().chain(self.end_silence(now)).collect()
    }

    /// Ends a silence; gives what is to be told of that.
    fn end_silence(&mut self, now: Timestamp) -> Option<Effect> {
        let silent_since = self.cadence.silent_since.take()?;
        let announced = std::mem::take(&mut self.cadence.silence_announced);
        announced.then(|| Effect::Resumed { silent_since, gap: silent_since.until(now) })
    }

    /// When something is to be told.
    fn tell_at(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let is_silence_new = self.cadence.silent_since.is_some() && !self.cadence.silence_announced;
        let incident = self
            .track
            .incident
            .as_ref()
            .and_then(|incident| if incident.announced { incident.remind_at(policy) } else { Some(now) });
        if is_silence_new { Some(now) } else { incident }
    }

    /// Until when nothing is to be told; `None` if it is not muted.
    #[must_use]
    pub fn muted_until(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let by_hand = self.mute.as_ref().map(|mute| mute.until).filter(|until| *until > now);
        let maintenance = policy.maintenance.as_ref().and_then(|schedule| schedule.open_at(now).ok());
        let by_policy = maintenance.map(|closes| closes.unwrap_or(NEVER));
        by_hand.max(by_policy)
    }

    /// How long after a run the next is to be expected, for people to see; `None` where nothing can be said.
    #[must_use]
    pub fn expected_every(&self, policy: &Policy) -> Option<Duration> {
        let last = self.last_run.as_ref()?.at;
        // As if nothing had been missed.
        self.deadline(policy, &Watch::always()).map(|deadline| last.until(deadline.expected))
    }

    /// A run came: what it says about when runs come.
    fn hear(&mut self, run: &Run, watch: &Watch) -> Option<Effect> {
        let last = self.last_run.as_ref()?.at;
        self.cadence.learn(last, run.at, watch);
        self.end_silence(run.at)
    }

    fn judge_silence(&mut self, now: Timestamp, policy: &Policy, watch: &Watch) {
        if self.cadence.silent_since.is_none()
            && self.deadline(policy, watch).is_some_and(|deadline| deadline.at <= now)
        {
            self.cadence.silent_since = self.last_run.as_ref().map(|last| last.at);
        }
    }

    /// Tells what was muted, reminders and silence.
    fn tell(&mut self, now: Timestamp, policy: &Policy, watch: &Watch, effects: &mut Vec<Effect>) {
        if self.muted_until(policy, now).is_some() {
            return;
        }
        if let Some(incident) = &mut self.track.incident {
            effects.extend(incident.tell(now, policy));
        }
        let Some(since) = self.cadence.silent_since.filter(|_| !self.cadence.silence_announced) else {
            return;
        };
        if let Some(Deadline { expected, .. }) = self.deadline(policy, watch) {
            self.cadence.silence_announced = true;
            effects.push(Effect::Silent { since, expected_every: since.until(expected) });
        } else {
            // Meanwhile nobody wants to hear of silence.
            self.cadence.silent_since = None;
        }
    }

    fn deadline(&self, policy: &Policy, watch: &Watch) -> Option<Deadline> {
        let last = self.last_run.as_ref()?.at;
        self.cadence.deadline(last, policy.silence, self.track.policy_hint, watch)
    }
}

/// A moment that does not come.
const NEVER: Timestamp = Timestamp::from_unix_ms(i64::MAX);

impl OpenIncident {
    /// Tells of it late, or again.
    fn tell(&mut self, now: Timestamp, policy: &Policy) -> Option<Effect> {
        if !self.announced {
            (self.announced, self.reminded_at) = (true, Some(now));
            return Some(Effect::Opened(self.clone()));
        }
        // A clock that was set back must not put reminders off until it has caught up.
        if self.told_at() > now {
            self.reminded_at = Some(now);
        }
        self.remind_at(policy).filter(|at| *at <= now)?;
        self.reminded_at = Some(now);
        self.reminders = self.reminders.saturating_add(1);
        Some(Effect::Reminder(self.clone()))
    }

    fn remind_at(&self, policy: &Policy) -> Option<Timestamp> {
        let at = self.told_at().plus(policy.remind_every?.max(REMIND_EVERY_MIN));
        (at < NEVER).then_some(at)
    }

    fn told_at(&self) -> Timestamp {
        self.reminded_at.unwrap_or(self.opened_at)
    }
}
