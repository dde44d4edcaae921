//! What was sent and what arrived, and what that proves. Nothing here waits or asks anybody.

use std::{collections::BTreeSet, fmt};

/// How the gateway answered a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// 202: it must arrive.
    Accepted,
    /// 503 or 429: it must not.
    Refused,
    /// The gateway ended in the middle: it may arrive.
    Unknown,
}

/// A request at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The number of the run in its lane.
    pub(super) number: u64,
    /// Whether the target answered that it took it.
    pub(super) taken: bool,
}

/// Runs that every target turns down for good, whatever happens: they become dead letters.
pub(super) fn is_hopeless(number: u64) -> bool {
    number % 41 == 7
}

/// One lane in one round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    /// How runs 1, 2, 3 … of the lane were answered, of all rounds.
    pub(super) answers: &'a [Answer],
    /// Runs before this round.
    pub(super) before: u64,
    /// What arrived in this round, in order.
    pub(super) arrivals: &'a [Arrival],
    /// Whether the runs of earlier rounds were replayed.
    pub(super) replayed: bool,
    /// Whether the gateway was killed: what it refused just before may have been kept.
    pub(super) killed: bool,
}

/// What is wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Acknowledged, and never taken by the target.
    Lost(u64),
    /// `number` came although `before` was not done with, or was done with long ago.
    Reordered { number: u64, before: u64 },
    /// Refused, and delivered all the same.
    RefusedAndDelivered(u64),
    /// Arrived, and nobody sent it.
    NeverSent(u64),
    /// Done with in an earlier round, and came again without a replay.
    Late(u64),
    /// Was to be replayed and did not come.
    NotReplayed(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(number) => write!(f, "run {number} was acknowledged and is lost"),
            Self::Reordered { number, before } => {
                write!(f, "run {number} came when {before} was due or gone on")
            }
            Self::RefusedAndDelivered(number) => write!(f, "run {number} was refused and delivered"),
            Self::NeverSent(number) => write!(f, "run {number} arrived and was never sent"),
            Self::Late(number) => write!(f, "run {number} of an earlier round came again"),
            Self::NotReplayed(number) => write!(f, "run {number} was not replayed"),
        }
    }
}

impl Fault {
    pub(super) fn is_loss(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::NotReplayed(_))
    }

    pub(super) fn is_disorder(&self) -> bool {
        matches!(self, Self::Reordered { .. } | Self::Late(_))
    }
}

/// What an account says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) faults: Vec<Fault>,
    /// How often a run was taken that the target had taken before in this round.
    pub(super) duplicates: u64,
    /// Runs that were refused and came all the same after a kill.
    pub(super) refused_and_delivered: u64,
}

impl Account<'_> {
    pub(super) fn judge(&self) -> Findings {
        let mut findings = Findings::default();
        let (old, fresh): (Vec<Arrival>, Vec<Arrival>) =
            self.arrivals.iter().copied().partition(|arrival| arrival.number <= self.before);
        if self.replayed {
            self.judge_replayed(&old, &mut findings);
        } else {
            findings.faults.extend(old.iter().map(|arrival| Fault::Late(arrival.number)));
        }
        self.judge_fresh(&fresh, &mut findings);
        findings
    }

    fn judge_fresh(&self, arrivals: &[Arrival], findings: &mut Findings) {
        for (number, answer) in self.numbered().filter(|(number, _)| *number > self.before) {
            let came = arrivals.iter().any(|arrival| arrival.number == number);
            let done = came && (is_hopeless(number) || was_taken(arrivals, number));
            match answer {
                Answer::Accepted if !done => findings.faults.push(Fault::Lost(number)),
                Answer::Refused if came && self.killed => findings.refused_and_delivered += 1,
                Answer::Refused if came => findings.faults.push(Fault::RefusedAndDelivered(number)),
                Answer::Accepted | Answer::Refused | Answer::Unknown => {}
            }
        }
        let sent = self.answers.len() as u64;
        let unsent = arrivals.iter().filter(|arrival| arrival.number > sent || arrival.number == 0);
        findings.faults.extend(unsent.map(|arrival| Fault::NeverSent(arrival.number)));
        judge_order(arrivals, findings);
    }

    fn judge_replayed(&self, arrivals: &[Arrival], findings: &mut Findings) {
        for (number, answer) in self.numbered().take_while(|(number, _)| *number <= self.before) {
            if answer == Answer::Accepted && !is_hopeless(number) && !was_taken(arrivals, number) {
                findings.faults.push(Fault::NotReplayed(number));
            }
        }
        judge_order(arrivals, findings);
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, Answer)> {
        (1..).zip(self.answers.iter().copied())
    }
}

fn was_taken(arrivals: &[Arrival], number: u64) -> bool {
    arrivals.iter().any(|arrival| arrival.number == number && arrival.taken)
}

/// A run may come again and again, but only until the next one has begun; and the next one may begin only when the
/// target has taken it.
fn judge_order(arrivals: &[Arrival], findings: &mut Findings) {
    let mut current = 0;
    let mut done = true;
    let mut taken = BTreeSet::new();
    for arrival in arrivals {
        let number = arrival.number;
        if number < current || (number > current && !done) {
            findings.faults.push(Fault::Reordered { number, before: current });
        }
        if number > current {
            (current, done) = (number, is_hopeless(number));
        }
        done |= arrival.taken;
        if arrival.taken && !taken.insert(number) {
            findings.duplicates += 1;
        }
    }
}

#[cfg(test)]
mod tests;
