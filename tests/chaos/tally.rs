//! What is told about rounds.

use std::fmt;

/// One round: what came over the gateway, what it was given to do, and what was wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// What came over it, in words.
    pub(super) troubles: Vec<String>,
    pub(super) counts: Counts,
    /// What must not be, in words.
    pub(super) faults: Vec<String>,
}

/// What can be added up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    /// Requests that targets got.
    pub(super) requests: u64,
    pub(super) gateway_kills: u64,
    pub(super) plugin_kills: u64,
    pub(super) power_cuts: u64,
    /// Times at which the disk failed, the clock jumped, or a target was in a bad mood.
    pub(super) other_troubles: u64,
    pub(super) duplicates: u64,
    pub(super) refused_and_delivered: u64,
    pub(super) lost: u64,
    pub(super) reordered: u64,
}

impl Round {
    /// A round that could not be judged.
    pub(super) fn broken_off(why: &str) -> Self {
        Self { troubles: vec!["broken off".to_owned()], faults: vec![why.to_owned()], ..Self::default() }
    }

    pub(super) fn failed(&self) -> bool {
        !self.faults.is_empty()
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { troubles, counts, faults } = self;
        let Counts { accepted, refused, requests, duplicates, .. } = counts;
        write!(f, "{}: accepted {accepted}, refused {refused}, ", troubles.join(", "))?;
        write!(f, "delivery requests {requests}, duplicates {duplicates}")?;
        match faults.as_slice() {
            [] => write!(f, ", ok"),
            faults => {
                write!(f, ", FAILED")?;
                faults.iter().take(20).try_for_each(|fault| write!(f, "\n    {fault}"))
            }
        }
    }
}

/// All rounds together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    worlds: u64,
    passed: u64,
    failed: u64,
    counts: Counts,
}

impl Tally {
    pub(super) fn add_world(&mut self) {
        self.worlds += 1;
    }

    pub(super) fn add(&mut self, round: &Round) {
        if round.failed() {
            self.failed += 1;
        } else {
            self.passed += 1;
        }
        let (sum, more) = (&mut self.counts, &round.counts);
        sum.accepted += more.accepted;
        sum.refused += more.refused;
        sum.requests += more.requests;
        sum.gateway_kills += more.gateway_kills;
        sum.plugin_kills += more.plugin_kills;
        sum.power_cuts += more.power_cuts;
        sum.other_troubles += more.other_troubles;
        sum.duplicates += more.duplicates;
        sum.refused_and_delivered += more.refused_and_delivered;
        sum.lost += more.lost;
        sum.reordered += more.reordered;
    }

    /// Whether there was a round, and none failed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }

    /// Rounds in which nothing was wrong, and the others.
    #[must_use]
    pub fn passed_and_failed(&self) -> (u64, u64) {
        (self.passed, self.failed)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worlds, passed, failed, counts } = self;
        writeln!(f, "runs: {} rounds in {worlds} worlds", passed + failed)?;
        writeln!(f, "events accepted: {}, refused: {}", counts.accepted, counts.refused)?;
        writeln!(f, "requests to targets: {}", counts.requests)?;
        let kills = counts.gateway_kills + counts.plugin_kills;
        write!(f, "kills: {kills} ({} of the gateway, ", counts.gateway_kills)?;
        writeln!(f, "{} of a plugin), with power cuts: {}", counts.plugin_kills, counts.power_cuts)?;
        writeln!(f, "other faults: {}", counts.other_troubles)?;
        writeln!(f, "duplicates: {}, all in rounds with a crash or a broken connection", counts.duplicates)?;
        writeln!(f, "refused and delivered after a kill: {}", counts.refused_and_delivered)?;
        write!(f, "lost = {}, reordered = {}", counts.lost, counts.reordered)
    }
}
