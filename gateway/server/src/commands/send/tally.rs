//! What came of many requests.

use std::{collections::BTreeMap, time::Duration};

use crate::command::Exit;

/// How one request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The server answered with this status; for people, what it said.
    Answered { status: u16, said: String },
    /// There was no answer.
    Unanswered { cause: String },
}

/// Counts replies and the time they took.
#[derive(Debug, Default)]
pub(super) struct Tally {
    statuses: BTreeMap<u16, u64>,
    unanswered: u64,
    micros: Vec<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, reply: &Reply, took: Duration) {
        match reply {
            Reply::Answered { status, .. } => {
                *self.statuses.entry(*status).or_default() += 1;
                self.micros.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            }
            Reply::Unanswered { .. } => self.unanswered += 1,
        }
    }

    /// The worst that happened.
    pub(super) fn exit(&self) -> Exit {
        let any = |wanted: fn(u16) -> bool| self.statuses.keys().any(|status| wanted(*status));
        if any(|status| matches!(status, 401 | 403)) {
            Exit::Refused
        } else if self.unanswered > 0 {
            Exit::Unreachable
        } else if any(|status| !(200..300).contains(&status)) {
            Exit::Failed
        } else {
            Exit::Done
        }
    }

    /// Lines for people: how many of each status, how fast, at what rate over `elapsed`.
    pub(super) fn summary(mut self, elapsed: Duration) -> Vec<String> {
        let answered: u64 = self.statuses.values().sum();
        let mut lines: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{count} answered {status}")).collect();
        if self.unanswered > 0 {
            lines.push(format!("{} not answered", self.unanswered));
        }
        self.micros.sort_unstable();
        if let (Some(p50), Some(p99)) = (percentile(&self.micros, 50), percentile(&self.micros, 99)) {
            lines.push(format!("p50 {}, p99 {}", millis(p50), millis(p99)));
        }
        let seconds = elapsed.as_secs_f64();
        if answered > 0 && seconds > 0.0 {
            let rate = answered as f64 / seconds;
            lines.push(format!("{rate:.1} a second over {seconds:.2} s"));
        }
        lines
    }
}

/// The smallest value that is not below `percent` of all (nearest rank).
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

pub(super) fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

#[cfg(test)]
mod tests;
