//! What the incident machine keeps of a monitor.

use super::{Effect, Flap, Policy, ResolvedBy, Run, RunRef, Severity, Treat};
use crate::{event::Verdict, id::IncidentId, time::Timestamp};

/// What the incident machine keeps of a monitor. Of fixed size, however many runs there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Track {
    /// Where it is.
    pub phase: Phase,
    /// Failed runs in a row, up to the last one that counts.
    pub failures: u32,
    /// Passed runs in a row, up to the last one that counts.
    pub passes: u32,
    /// Since when it has been in this phase; absent before the first run.
    pub since: Option<Timestamp>,
    /// The first failed run of the last row of them.
    pub first_failing: Option<RunRef>,
    /// The last failed run.
    pub last_failing: Option<RunRef>,
    /// The open incident.
    pub incident: Option<OpenIncident>,
    /// The last 32 runs that count, the newest lowest: a set bit failed.
    pub flips: u32,
    /// How many of those there have been, up to 32.
    pub decided: u8,
    /// What the runs say about when Postman sends them.
    pub policy_hint: PolicyHint,
}

/// Where the incident machine is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The last run that counts passed, or there has been none.
    #[default]
    Ok,
    /// Runs fail, not enough of them for an incident.
    Failing,
    /// An incident is open.
    Open,
    /// An incident is open, and runs pass, not enough of them to resolve it.
    Recovering,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    /// Its id.
    pub id: IncidentId,
    /// When it opened.
    pub opened_at: Timestamp,
    /// The worst of its failed runs from the one on that opened it.
    pub severity: Severity,
    /// Runs that count from the first failed one on.
    pub runs: u32,
    /// Those that failed.
    pub failed_runs: u32,
    /// The first failed run.
    pub first_failing: RunRef,
    /// The last failed run.
    pub last_failing: RunRef,
    /// When it was last told again: by a reminder, or because its monitor was muted when it opened.
    pub reminded_at: Option<Timestamp>,
    /// How often it was reminded of.
    pub reminders: u32,
    /// Whether it was told. One that opened while its monitor was muted waits for the end of that, and is never told if
    /// it resolves before.
    pub announced: bool,
}

/// Which of Postman's two notification policies the runs look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PolicyHint {
    /// Nothing can be said yet.
    #[default]
    Unclear,
    /// "Notify for all completed monitor runs".
    EveryRun,
    /// "Notify for 3 failures and then first success": most runs never arrive.
    FailuresThenSuccess,
}

impl Track {
    /// Takes a run; gives what came of it. `is_steady`: runs come steadily. `is_told`: what opens now is told now.
    pub(super) fn run(
        &mut self,
        run: &Run,
        policy: &Policy,
        is_steady: bool,
        is_told: bool,
        new_incident: IncidentId,
    ) -> Option<Effect> {
        let failed = policy.failed(run)?;
        self.count(run, failed);
        self.policy_hint = self.look_at_policy(is_steady);
        let Counted { open_after, resolve_after, flap } = self.counted(policy);
        let is_flapping = flap.is_some_and(|flap| self.flaps(flap));
        let mut effect = None;
        let phase = match &mut self.incident {
            Some(incident) if failed => {
                incident.run_failed(run, policy);
                Phase::Open
            }
            Some(incident) => {
                incident.runs = incident.runs.saturating_add(1);
                if self.passes >= resolve_after && !is_flapping {
                    let by = ResolvedBy::Run(run.reference());
                    effect =
                        self.incident.take().map(|incident| Effect::Resolved { incident, at: run.at, by });
                    Phase::Ok
                } else {
                    Phase::Recovering
                }
            }
            None if failed && (self.failures >= open_after || is_flapping) => {
                let incident = self.open(run, policy, is_told, new_incident);
                effect = Some(Effect::Opened(self.incident.insert(incident).clone()));
                Phase::Open
            }
            None if failed => Phase::Failing,
            None => Phase::Ok,
        };
        if self.since.is_none() || self.phase != phase {
            (self.phase, self.since) = (phase, Some(run.at));
        }
        effect
    }

    /// What can be counted on. Of a monitor whose runs arrive only when they begin to fail and when they pass again, no pass
    /// ever follows another, at most three failures follow each other, and every pair of runs is a turn.
    fn counted(&self, policy: &Policy) -> Counted {
        let &Policy { open_after, resolve_after, flap, .. } = policy;
        if self.policy_hint == PolicyHint::FailuresThenSuccess {
            return Counted {
                open_after: open_after.min(FAILURES_SENT),
                resolve_after: resolve_after.min(1),
                flap: None,
            };
        }
        Counted { open_after, resolve_after, flap }
    }

    fn count(&mut self, run: &Run, failed: bool) {
        self.flips = self.flips << 1 | u32::from(failed);
        self.decided = (self.decided + 1).min(DECIDED_MAX);
        if failed {
            if self.failures == 0 {
                self.first_failing = Some(run.reference());
            }
            self.last_failing = Some(run.reference());
            (self.failures, self.passes) = (self.failures.saturating_add(1), 0);
        } else {
            (self.failures, self.passes) = (0, self.passes.saturating_add(1));
        }
    }

    fn open(&self, run: &Run, policy: &Policy, announced: bool, id: IncidentId) -> OpenIncident {
        OpenIncident {
            id,
            opened_at: run.at,
            severity: Severity::of(&run.numbers, &policy.severity),
            runs: self.failures,
            failed_runs: self.failures,
            first_failing: self.first_failing.unwrap_or_else(|| run.reference()),
            last_failing: run.reference(),
            reminded_at: None,
            reminders: 0,
            announced,
        }
    }

    /// Whether the verdict has turned often enough of late.
    fn flaps(&self, flap: Flap) -> bool {
        let turns = self.turns(flap.of);
        turns > 0 && turns >= flap.changes
    }

    /// How many of the last `of` runs that count differ from the one before.
    fn turns(&self, of: u32) -> u32 {
        // The first run that is known has none before it.
        let of = of.min(u32::from(self.decided).saturating_sub(1));
        let mask = 1_u32.checked_shl(of).map_or(u32::MAX, |bit| bit - 1);
        ((self.flips ^ self.flips >> 1) & mask).count_ones()
    }

    /// Guesses Postman's notification policy. With "3 failures and then first success" no success follows another, few
    /// failures follow one another, and there is no rhythm in when they come.
    fn look_at_policy(&self, is_steady: bool) -> PolicyHint {
        let decided = u32::from(self.decided);
        let known = u32::MAX >> (u32::from(DECIDED_MAX) - decided);
        let (failed, passed) = (self.flips & known, !self.flips & known);
        let in_a_row = |runs: u32, length: u32| (1..length).fold(runs, |rows, by| rows & runs >> by) != 0;
        if in_a_row(passed, 2) || in_a_row(failed, FAILURES_SENT + 1) {
            PolicyHint::EveryRun
        } else if !is_steady && failed.count_ones() >= 3 && passed.count_ones() >= 3 {
            PolicyHint::FailuresThenSuccess
        } else {
            PolicyHint::Unclear
        }
    }
}

/// How many runs change something.
struct Counted {
    open_after: u32,
    resolve_after: u32,
    flap: Option<Flap>,
}

/// Failures in a row that Postman sends with "3 failures and then first success".
const FAILURES_SENT: u32 = 3;

/// Runs that [`Track::flips`] has room for.
const DECIDED_MAX: u8 = 32;

impl OpenIncident {
    fn run_failed(&mut self, run: &Run, policy: &Policy) {
        self.runs = self.runs.saturating_add(1);
        self.failed_runs = self.failed_runs.saturating_add(1);
        self.last_failing = run.reference();
        self.severity = self.severity.max(Severity::of(&run.numbers, &policy.severity));
    }
}

impl Policy {
    /// Whether a run counts as failed; `None` if it does not count.
    fn failed(&self, run: &Run) -> Option<bool> {
        match (self.empty_runs, self.unknown_runs, run.verdict) {
            (Treat::Ignore, ..) if run.is_empty() => None,
            (Treat::Fail, ..) if run.is_empty() => Some(true),
            (.., Verdict::Passed) => Some(false),
            (.., Verdict::Failed) | (_, Treat::Fail, Verdict::Unknown) => Some(true),
            (.., Verdict::Unknown) => None,
        }
    }
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Failing, Self::Open, Self::Recovering];

    /// The name used in API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Open => "open",
            Self::Recovering => "recovering",
        }
    }
}

impl PolicyHint {
    /// Every hint.
    pub const ALL: [Self; 3] = [Self::Unclear, Self::EveryRun, Self::FailuresThenSuccess];

    /// The name used in API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unclear => "unclear",
            Self::EveryRun => "every_run",
            Self::FailuresThenSuccess => "failures_then_success",
        }
    }
}
