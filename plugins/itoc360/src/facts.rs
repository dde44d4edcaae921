//! What an alert's texts and labels can say.

use std::time::Duration;

use postroom_sdk::MonitorRun;

use crate::{alertmanager::Status, severity::Severity, template::Placeholder};

/// Failing assertions that a text names.
const FAILURES_MAX: usize = 5;

/// What is known about a monitor and what became of it. What was not sent is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) what: What,
    pub(crate) status: Status,
    pub(crate) severity: Severity,
    /// The id or, without one, whatever tells it from other monitors.
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) monitor: Option<String>,
    pub(crate) monitor_id: Option<String>,
    pub(crate) collection: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) counts: Counts,
    /// Runs since the incident was opened, and how many of them failed.
    pub(crate) runs: Option<u64>,
    pub(crate) failed_runs: Option<u64>,
    /// How long the incident, or the silence, has been going on.
    pub(crate) duration: Option<Duration>,
    /// Names of assertions that failed.
    pub(crate) failures: Vec<String>,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A monitor whose runs fail.
    Failing,
    /// A monitor that is not heard of.
    Silent,
}

/// The numbers of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) failed_tests: Option<u64>,
    pub(crate) passed_tests: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) warnings: Option<u64>,
    pub(crate) requests: Option<u64>,
    pub(crate) total_latency_ms: Option<u64>,
    /// Mean over the requests, where only that is known.
    pub(crate) mean_latency_ms: Option<u64>,
}

impl From<&MonitorRun> for Counts {
    fn from(run: &MonitorRun) -> Self {
        Self {
            failed_tests: run.failed_tests,
            passed_tests: run.passed_tests,
            errors: run.errors,
            warnings: run.warnings,
            requests: run.request_count,
            total_latency_ms: run.total_latency_ms,
            mean_latency_ms: None,
        }
    }
}

impl Counts {
    /// Milliseconds that a request took on the average.
    fn latency_ms(&self) -> Option<u64> {
        let mean = || self.total_latency_ms?.checked_div(self.requests?);
        self.mean_latency_ms.or_else(mean)
    }
}

impl Facts {
    /// What stands for a placeholder.
    pub(crate) fn get(&self, placeholder: Placeholder) -> Option<String> {
        let count = |count: Option<u64>| count.map(|count| count.to_string());
        match placeholder {
            Placeholder::Monitor => Some(self.name().to_owned()),
            Placeholder::MonitorId => self.monitor_id.clone(),
            Placeholder::Collection => self.collection.clone(),
            Placeholder::Environment => self.environment.clone(),
            Placeholder::Status => Some(self.phrase().to_owned()),
            Placeholder::Severity => Some(self.severity.to_string()),
            Placeholder::Source => Some(self.source.clone()),
            Placeholder::FailedTests => count(self.counts.failed_tests),
            Placeholder::PassedTests => count(self.counts.passed_tests),
            Placeholder::Errors => count(self.counts.errors),
            Placeholder::Warnings => count(self.counts.warnings),
            Placeholder::Requests => count(self.counts.requests),
            Placeholder::LatencyMs => count(self.counts.latency_ms()),
            Placeholder::Runs => count(self.runs),
            Placeholder::FailedRuns => count(self.failed_runs),
            Placeholder::Duration => self.duration.map(in_words),
            Placeholder::Failures => (!self.failures.is_empty()).then(|| self.named_failures()),
        }
    }

    /// The monitor's name, or what else people may know it by.
    pub(crate) fn name(&self) -> &str {
        self.monitor.as_deref().unwrap_or(&self.id)
    }

    /// How it stands with the monitor: what follows its name in a sentence.
    fn phrase(&self) -> &'static str {
        match (self.what, self.status) {
            (What::Failing, Status::Firing) => "is failing",
            (What::Failing, Status::Resolved) => "passes again",
            (What::Silent, Status::Firing) => "is silent",
            (What::Silent, Status::Resolved) => "is heard of again",
        }
    }

    /// The incident's title. Without counts, so that it stays the same from run to run.
    pub(crate) fn summary(&self) -> String {
        format!("Monitor {} {}", self.name(), self.phrase())
    }

    /// All that is known, as a list.
    pub(crate) fn description(&self) -> String {
        let counts = [
            ("failed tests", self.counts.failed_tests),
            ("passed tests", self.counts.passed_tests),
            ("errors", self.counts.errors),
            ("warnings", self.counts.warnings),
            ("requests", self.counts.requests),
            ("total latency in ms", self.counts.total_latency_ms),
            ("mean latency in ms", self.counts.mean_latency_ms),
            ("runs", self.runs),
            ("failed runs", self.failed_runs),
        ];
        let counts = counts.into_iter().filter_map(|(what, count)| Some((what, count?.to_string())));
        let lasted = match self.what {
            What::Failing => "since",
            What::Silent => "silent for",
        };
        let lasted = if self.status == Status::Resolved { "lasted" } else { lasted };
        let names = [
            (lasted, self.duration.map(in_words)),
            ("collection", self.collection.clone()),
            ("environment", self.environment.clone()),
            ("failures", self.get(Placeholder::Failures)),
        ];
        let names = names.into_iter().filter_map(|(what, text)| Some((what, text?)));
        let list = counts.chain(names).map(|(what, text)| format!("{what}: {text}"));
        list.collect::<Vec<_>>().join(", ")
    }

    fn named_failures(&self) -> String {
        let mut text = self.failures.iter().take(FAILURES_MAX).cloned().collect::<Vec<_>>().join("; ");
        let more = self.failures.len().saturating_sub(FAILURES_MAX);
        if more > 0 {
            text.push_str(&format!("; and {more} more"));
        }
        text
    }
}

/// A duration in its two largest units, such as `1 h 5 min`.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [
        ("d", seconds / 86_400),
        ("h", seconds / 3600 % 24),
        ("min", seconds / 60 % 60),
        ("s", seconds % 60),
    ];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(units.len() - 1);
    let said = units.iter().skip(first).take(2).enumerate().filter(|(at, (_, count))| *at == 0 || *count > 0);
    said.map(|(_, (unit, count))| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests;
